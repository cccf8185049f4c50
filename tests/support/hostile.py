"""Small files made to exhaust a machine."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

FONT = b"/Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>"


def pdf_of(objects: Mapping[int, bytes]) -> bytes:
    """A PDF of these objects, by number; object 1 is its catalog."""
    out, places = b"%PDF-1.7\n", {}
    for number, body in objects.items():
        places[number] = len(out)
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    size = max(objects) + 1
    rows = [b"%010d 00000 n \n" % places[n] if n in places else b"0000000000 65535 f \n" for n in range(size)]
    trailer = b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (size, len(out))
    return out + b"xref\n0 %d\n" % size + b"".join(rows) + trailer


def stream(data: bytes, entries: bytes = b"") -> bytes:
    """A deflated stream with further entries in its dictionary."""
    packed = zlib.compress(data, 9)
    return b"<<%b/Filter/FlateDecode/Length %d>>\nstream\n%b\nendstream" % (entries, len(packed), packed)


def one_page(
    content: bytes, resources: bytes = FONT, more: Mapping[int, bytes] | None = None, page: bytes = b""
) -> bytes:
    """A PDF of one page; `more`: further objects, from 10 on; `page`: further entries of the page."""
    return pdf_of(
        {
            1: b"<</Type/Catalog/Pages 2 0 R>>",
            2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            3: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<<%b>>%b>>"
            % (resources, page),
            4: stream(content),
            **(more or {}),
        }
    )


def nested_forms(path: Path) -> Path:
    """A PDF of three pages. The second draws a form ten times, which draws another ten times, nine levels deep."""
    objects = {1: b"<</Type/Catalog/Pages 2 0 R>>", 2: b"<</Type/Pages/Kids[3 0 R 5 0 R 7 0 R]/Count 3>>"}
    for number, content in (
        (3, b"1 0 0 rg 0 0 9 9 re f"),
        (5, b"/X Do " * 10),
        (7, b"0 1 0 rg 0 0 9 9 re f"),
    ):
        objects[number] = (
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents %d 0 R/Resources<</XObject<</X 10 0 R>>>>>>"
            % (number + 1)
        )
        objects[number + 1] = stream(content)
    for level in range(9):
        inner = b"/Resources<</XObject<</X %d 0 R>>>>" % (11 + level) if level < 8 else b""
        content = b"/X Do " * 10 if inner else b"0 0 1 1 re f"
        objects[10 + level] = stream(content, b"/Type/XObject/Subtype/Form/BBox[0 0 600 800]" + inner)
    path.write_bytes(pdf_of(objects))
    return path


def crowded_word(path: Path, paragraphs: int = 1_500_000) -> Path:
    """A Word document of so many short paragraphs: a few hundred KB, which take some 350 bytes of memory each."""
    names = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    body = "<w:p><w:r><w:t>x</w:t></w:r></w:p>" * paragraphs
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("[Content_Types].xml", "<Types/>")
        package.writestr("word/document.xml", f"<w:document {names}><w:body>{body}</w:body></w:document>")
    return path
