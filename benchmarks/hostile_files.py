"""Write files made to exhaust a machine, for `hostile.py`: each is small, and large in another way.

    python benchmarks/hostile_files.py FOLDER

Takes about half a minute and 300 MB of memory.
"""

from __future__ import annotations

import io
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.support.hostile import one_page, stream

FORM = b"/Type/XObject/Subtype/Form/BBox[0 0 600 800]"
WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
MAIL = b"From: a@a.example\nMessage-ID: <x@a.example>\nMIME-Version: 1.0\n"


def picture(entries: bytes, data: bytes, side: int) -> bytes:
    """A PDF that shows one picture of `side` x `side` bits."""
    head = b"/Subtype/Image/Width %d/Height %d/BitsPerComponent 1/ColorSpace/DeviceGray" % (side, side)
    body = b"<<%b%b/Length %d>>\nstream\n%b\nendstream" % (head, entries, len(data), data)
    return one_page(b"600 0 0 800 0 0 cm /I Do", b"/XObject<</I 10 0 R>>", {10: body})


def patterns() -> bytes:
    """Tiles of tiles, twelve deep."""
    tile = b"/Type/Pattern/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 10 10]/XStep 3/YStep 3/Resources<<%b>>"
    inner = b"/Pattern cs /P scn 0 0 600 800 re f"
    more = {10 + n: stream(inner, tile % (b"/Pattern<</P %d 0 R>>" % (11 + n))) for n in range(11)}
    return one_page(
        inner, b"/Pattern<</P 10 0 R>>", more | {21: stream(b"1 0 0 rg 0 0 1 1 re f", tile % b"")}
    )


def soft_masks() -> bytes:
    """Groups that are masked by groups, forty deep."""
    more = {}
    for n in range(10, 90, 2):
        inner = b"/ExtGState<</G %d 0 R>>" % (n + 3) if n < 88 else b""
        content = (b"/G gs " if inner else b"") + b"0.5 g 0 0 600 800 re f"
        group = b"/Group<</S/Transparency/CS/DeviceGray>>/Resources<<%b>>" % inner
        more[n] = stream(content, FORM + group)
        more[n + 1] = b"<</Type/ExtGState/SMask<</S/Luminosity/G %d 0 R>>>>" % n
    return one_page(b"/G gs 0 0 600 800 re f", b"/ExtGState<</G 11 0 R>>", more)


def mesh() -> bytes:
    """A shading of 400,000 patches."""
    patch = b"\0" + bytes(n * 37 % 256 for n in range(36))
    kind = b"/ShadingType 6/ColorSpace/DeviceRGB/BitsPerCoordinate 8/BitsPerComponent 8/BitsPerFlag 8"
    return one_page(
        b"/S sh",
        b"/Shading<</S 10 0 R>>",
        {10: stream(patch * 400_000, kind + b"/Decode[0 600 0 800 0 1 0 1 0 1]")},
    )


def type3() -> bytes:
    """A letter that is written with its own font."""
    font = (
        b"<</Type/Font/Subtype/Type3/FontBBox[0 0 100 100]/FontMatrix[.01 0 0 .01 0 0]/FirstChar 97/LastChar 97"
        b"/Widths[100]/Encoding<</Differences[97/a]>>/CharProcs<</a 11 0 R>>/Resources<</Font<</F 10 0 R>>>>>>"
    )
    letter = stream(b"100 0 d0 BT /F 50 Tf (" + b"a" * 50 + b") Tj ET")
    return one_page(b"BT /F 50 Tf (" + b"a" * 500 + b") Tj ET", b"/Font<</F 10 0 R>>", {10: font, 11: letter})


def inline() -> bytes:
    """2,000 pictures of 9,000,000 pixels each in the content of a page."""
    one = b"q 600 0 0 800 0 0 cm BI /W 3000 /H 3000 /BPC 1 /CS /G /F /Fl ID %b\nEI Q "
    return one_page(one % zlib.compress(bytes(3000 * 375), 9) * 2000)


def jpeg2000() -> bytes:
    """A JPEG 2000 of 60,000 x 60,000 pixels that its PDF says to have 9,000 x 9,000."""
    size = struct.pack(">HH8IH", 47, 0, 60_000, 60_000, 0, 0, 60_000, 60_000, 0, 0, 3) + b"\7\1\1" * 3
    coding = struct.pack(">HBBHBBBBBB", 12, 0, 0, 1, 0, 5, 4, 4, 0, 0)
    levels = struct.pack(">H", 19) + bytes(17)
    tile = struct.pack(">HHIBB", 10, 0, 0, 0, 1)
    parts = (
        b"\xff\x51",
        size,
        b"\xff\x52",
        coding,
        b"\xff\x5c",
        levels,
        b"\xff\x90",
        tile,
        b"\xff\x93",
        bytes(50),
    )
    return picture(b"/Filter/JPXDecode", b"\xff\x4f" + b"".join(parts) + b"\xff\xd9", 9000)


def jbig2() -> bytes:
    """400 regions of 81,000,000 pixels on one JBIG2 page."""
    data = struct.pack(">IBBBI4IBH", 0, 48, 0, 1, 19, 9000, 9000, 0, 0, 0, 0)
    for number in range(1, 401):
        data += struct.pack(">IBBBI4IB", number, 38, 0, 1, 46, 9000, 9000, 0, 0, 0)
        data += b"\0\3\xff\xfd\xff\2\xfe\xfe\xfe" + bytes(20)
    return picture(b"/Filter/JBIG2Decode", data, 9000)


def png(kind: bytes, head: bytes) -> bytes:
    """A PNG of 100 pixels with 300 MB in a chunk."""
    out = io.BytesIO()
    Image.new("L", (10, 10)).save(out, "PNG")
    body = kind + head + zlib.compress(bytes(300 << 20), 9)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return out.getvalue()[:33] + chunk + out.getvalue()[33:]


def tiff() -> bytes:
    """A TIFF of 100,000 pages of one pixel, the last followed by the first."""
    size, out = 2 + 12 * 8 + 4, [b"II*\0" + struct.pack("<I", 8)]
    tags = (
        (256, 3, 1),
        (257, 3, 1),
        (258, 3, 8),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 0),
        (278, 3, 1),
        (279, 4, 1),
    )
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    out += [struct.pack("<H", 8) + entries + struct.pack("<I", 8 + size * n) for n in range(1, 100_000)]
    return b"".join([*out, struct.pack("<H", 8) + entries + struct.pack("<I", 8)])


def mails(level: bytes, levels: int) -> bytes:
    """E-mails in e-mails."""
    return b"".join(MAIL + level % ((n,) * level.count(b"%d")) for n in range(levels)) + MAIL + b"\nx"


def package(parts: dict[str, str]) -> bytes:
    """A zip archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return out.getvalue()


def word(body: str) -> bytes:
    """A Word document."""
    text = f"<w:document {WORD}><w:body>{body}</w:body></w:document>"
    return package({"[Content_Types].xml": "<Types/>", "word/document.xml": text})


def files() -> Iterator[tuple[str, Callable[[], bytes]]]:
    """The name of each file, and how it is made."""
    nested = b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\nContent-Type: message/rfc822\n\n"
    paragraph, box = "<w:p><w:r><w:t>x</w:t></w:r></w:p>", "<w:p><w:r><w:txbxContent>"
    yield "patterns.pdf", patterns
    yield "soft_masks.pdf", soft_masks
    yield "mesh.pdf", mesh
    yield "type3.pdf", type3
    yield "inline.pdf", inline
    yield "jpeg2000.pdf", jpeg2000
    yield "jbig2.pdf", jbig2
    yield "profile.png", lambda: png(b"iCCP", b"x\0\0")
    yield "text.png", lambda: png(b"zTXt", b"x\0\0")
    yield "pages.tif", tiff
    yield "members.zip", lambda: package({f"d/{n}.txt": "x" for n in range(60_000)})
    yield "mails_56.eml", lambda: mails(b"Content-Type: message/rfc822\n\n", 56)
    yield "mails_5000.eml", lambda: mails(b"Content-Type: message/rfc822\n\n", 5000)
    yield "mails_multipart.eml", lambda: mails(nested, 600)
    yield (
        "parts.eml",
        lambda: MAIL + b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 100_000,
    )
    yield "elements.html", lambda: b"<html><body>" + b"<div>" * 1_000_000 + b"x"
    yield "cells.html", lambda: b"<html><body><table><tr>" + b"<td>x" * 1_000_000
    yield "paragraphs.docx", lambda: word(paragraph * 7_000_000)
    yield "boxes.docx", lambda: word(box * 90 + paragraph + "</w:txbxContent></w:r></w:p>" * 90)
    yield (
        "tables.docx",
        lambda: word("<w:tbl><w:tr><w:tc>" * 2000 + paragraph + "</w:tc></w:tr></w:tbl>" * 2000),
    )
    yield "line.csv", lambda: b"a,b,c;" * 33_000_000
    yield "lines_utf16.txt", lambda: b"\xff\xfe" + "\n\f".encode("utf-16-le") * 25_000_000


def main() -> None:
    """Write all files into a folder."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in files():
        (folder / name).write_bytes(make())


if __name__ == "__main__":
    main()
