"""What is in a zip archive."""

from __future__ import annotations

import zipfile
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from pipeline.documents.sources import zip_names
from pipeline.documents.sources.base import Member
from pipeline.documents.sources.files import bounded
from pipeline.documents.sources.names import shown
from pipeline.errors import OverLimit, PermanentError, PipelineError, Unreadable

SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
MAX_RATIO = 1032
"""How many times its own size an archive may unpack to, beyond `max_bytes`: deflate can't reach more."""
_ENCRYPTED = 0x1
_OFFICE = ("[Content_Types].xml", "OFD.xml")


def members(stream: Path | IO[bytes], name: str, max_bytes: int) -> list[Member]:
    """The documents in a zip archive, or the one that it is (an Office document is a zip archive too).

    Raises `Unreadable` or `OverLimit`. The archive stays open as long as a member may be read; threads may share it.
    """
    try:
        archive = zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise Unreadable(f"{name} is not a readable zip archive; recreate it.") from error
    infos = [info for info in archive.infolist() if not info.is_dir()]
    if infos and (infos[0].filename == "mimetype" or any(info.filename in _OFFICE for info in infos)):
        return [Member("", partial(_whole, archive, name))]
    _check_size(infos, archive, name, max_bytes)
    spelled = zip_names.decoded(infos)
    return [
        Member(path, partial(_read, archive, info, shown(path)))
        for path, info in zip(spelled, infos, strict=True)
    ]


def _check_size(infos: list[zipfile.ZipInfo], archive: zipfile.ZipFile, name: str, max_bytes: int) -> None:
    assert archive.fp is not None
    packed, unpacked = archive.fp.seek(0, 2), sum(info.file_size for info in infos)
    if unpacked > max_bytes and unpacked > MAX_RATIO * packed:
        raise OverLimit(
            f"{name} would unpack to {unpacked / 1024**2:,.0f} MiB, more than {MAX_RATIO:,} times its size, as "
            "archives made to exhaust a machine do: unpack it by hand if it is genuine."
        )


def _whole(archive: zipfile.ZipFile, name: str, max_bytes: int) -> bytes:
    assert archive.fp is not None
    archive.fp.seek(0)
    return bounded(archive.fp, max_bytes, name)


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, max_bytes: int) -> bytes:
    if info.flag_bits & _ENCRYPTED:
        raise PermanentError(
            f"{name} is encrypted; unpack the archive with its password first.", code="encrypted"
        )
    try:
        with archive.open(info) as file:
            return bounded(file, max_bytes, PurePosixPath(name).name)
    except PipelineError:
        raise
    except Exception as error:  # zipfile raises many kinds on damaged members
        raise Unreadable(f"{name} can't be extracted; recreate the archive.") from error
