"""What is in a zip archive."""

from __future__ import annotations

import zipfile
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from pipeline.documents.sniff import SNIFF_BYTES, refuse_stranger
from pipeline.documents.sources import unzip, zip_names
from pipeline.documents.sources.base import Member
from pipeline.documents.sources.files import bounded, over_limit
from pipeline.documents.sources.names import brief
from pipeline.errors import OverLimit, PermanentError, PipelineError, Unreadable
from pipeline.limits import UNPACKED_RATIO, unpacked_limit

SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_ENCRYPTED = 0x1
_OFFICE = ("[Content_Types].xml", "OFD.xml")


def members(stream: Path | IO[bytes], name: str) -> list[Member]:
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
    assert archive.fp is not None
    if (size := sum(info.file_size for info in infos)) > unpacked_limit(archive.fp.seek(0, 2)):
        raise too_large(name, size)
    spelled = zip_names.decoded(infos)
    return [
        Member(path, partial(_read, archive, info, brief(path)), size=info.file_size)
        for path, info in zip(spelled, infos, strict=True)
    ]


def too_large(name: str, size: int) -> OverLimit:
    """The error of an archive that would unpack to more."""
    return OverLimit(
        f"{name} would unpack to {size / 1024**2:,.0f} MiB, more than {UNPACKED_RATIO} times its size, as archives "
        "made to exhaust a machine do: unpack it by hand if it is genuine."
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
    if info.file_size > max_bytes:
        raise over_limit(name, max_bytes)
    try:
        with unzip.opened(archive, info, max_bytes) as file:
            head = file.read(SNIFF_BYTES)
            refuse_stranger(head)
            return head + bounded(file, max_bytes - len(head), PurePosixPath(name).name)
    except (PipelineError, MemoryError):
        raise
    except Exception as error:  # zipfile raises many kinds on damaged members
        raise Unreadable(f"{name} can't be extracted; recreate the archive.") from error
