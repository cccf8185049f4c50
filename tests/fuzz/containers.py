"""Archives, e-mails, PDFs with files in them: each document inside is listed and read, or refused with a sentence."""

import os
import tempfile
import unicodedata
from collections.abc import Sequence
from functools import partial
from itertools import islice
from pathlib import Path

from pipeline.documents.sources import Notes, Source, inside
from pipeline.documents.sources.files import read_file
from pipeline.errors import PermanentError
from pipeline.settings import Settings
from tests.fuzz import seeds, structure
from tests.fuzz.checks import code_of, ensure, sentence
from tests.fuzz.documents import TARGET as DOCUMENTS
from tests.fuzz.mutation import Mutator

SETTINGS = Settings(max_bytes=4 << 20)
MEMBERS = 20
_DISTURBING = {"Cc", "Cs", "Zl", "Zp"}
_LONG_AGO = 1_700_000_000


class _Containers:
    tokens: Sequence[bytes] = (
        *DOCUMENTS.tokens, b"Content-Type: multipart/mixed; boundary=x\r\n",
        b"Content-Type: message/rfc822\r\n", b"Content-Transfer-Encoding: base64\r\n",
        b"Content-Disposition: attachment; filename*=utf-8''%2e%2e%2fa.pdf\r\n", b"=?utf-8?b?/////w==?=",
        b"=?x?q?=00?=", b"boundary=", b"--x--", b"PK\x01\x02", b"PK\x05\x06", b"\x08\x08", b"../" * 30,
        b"a.zip", b"a.eml", b"a.msg", b"a\0b", b"__substg1.0_", b"/EmbeddedFile", b"/Filespec", b"/EF",
    )  # fmt: skip

    def seeds(self) -> list[bytes]:
        return list(seeds.containers())

    def change(self, mutator: Mutator, data: bytes) -> bytes:
        return structure.change(mutator, data)

    def check(self, data: bytes) -> str:
        suffix = ".pdf" if data.startswith(b"%PDF") else ".zip" if data.startswith(b"PK") else ".eml"
        if data.startswith(b"\xd0\xcf\x11\xe0"):
            suffix = ".msg"
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"in{suffix}"
            path.write_bytes(data)
            os.utime(path, (_LONG_AGO, _LONG_AGO))  # it is complete, so nobody waits for its writer
            notes = Notes()
            found = inside.documents(path, str(path), SETTINGS.max_bytes, notes)
            found = found or [Source(str(path), partial(read_file, path, SETTINGS.max_bytes))]
            ended = {_read(source.url, source.read) for source in islice(found, MEMBERS)}
            for line in notes.lines():
                sentence(line)
        return f"{suffix} {' '.join(sorted(ended))}"


def _read(url: str, read: object) -> str:
    ensure(
        not any(unicodedata.category(c) in _DISTURBING for c in url),
        f"a name with control characters: {url!r}",
    )
    url.encode()
    try:
        data = read()  # type: ignore[operator]
    except PermanentError as error:
        return code_of(error)
    ensure(len(data) <= SETTINGS.max_bytes, f"{len(data)} bytes")
    return "read"


TARGET = _Containers()
