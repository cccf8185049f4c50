"""A small document of every type that is read, built by code."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from functools import cache

from PIL import Image, ImageDraw

from tests.support.barcodes import barcode
from tests.support.containers import mail, ole_file, package, zipped
from tests.support.einvoices import cii, ubl, zugferd1
from tests.unit.documents.conftest import build_pdf
from tests.unit.documents.test_portfolio import embed
from tests.unit.documents.test_text_documents import HEIC, ROWS, p, word, workbook

WIDTH, HEIGHT = 48, 32
TEXT = b"BT /F1 12 Tf 40 250 Td (Invoice 5001, 12 May 2024) Tj 0 -20 Td (Total 297.50 EUR) Tj ET\n"
FORM = (
    b"<</Type/XObject/Subtype/Form/BBox[0 0 99 99]/Resources<</Font<</F1 3 0 R>>/XObject<</X 5 0 R>>>>/Length 45>>"
    b"stream\nBT /F1 9 Tf 5 5 Td (inside a form) Tj ET /X Do   \nendstream"
)
TILING = (
    b"<</Type/Pattern/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 8 8]/XStep 8/YStep 8/Resources<<>>/Length 11>>"
    b"stream\n0 0 4 4 re f\nendstream"
)
SHADING = (
    b"<</ShadingType 2/ColorSpace/DeviceRGB/Coords[0 0 100 100]/Extend[true true]/Function<</FunctionType 2/Domain[0 1]"
    b"/C0[1 0 0]/C1[0 0 1]/N 1>>>>"
)
NOTE = b"<</Type/Annot/Subtype/FreeText/Rect[20 20 200 60]/Contents(a note)/DA(/F1 9 Tf)/AP<</N 4 0 R>>>>"
TO_UNICODE = (
    b"<</Length 130>>stream\n/CIDInit/ProcSet findresource begin begincmap 1 begincodespacerange<00><ff>"
    b"endcodespacerange 1 beginbfchar<41><0042>endbfchar endcmap end\nendstream"
)
OUTLINE_FONT = (
    b"<</Type/Font/Subtype/Type3/FontBBox[0 0 9 9]/FontMatrix[.1 0 0 .1 0 0]/FirstChar 65/LastChar 65/Widths[9]"
    b"/Encoding<</Differences[65/A]>>/CharProcs<</A 5 0 R>>/ToUnicode 6 0 R>>"
)


def picture(mode: str = "RGB") -> Image.Image:
    """A picture with a few letters in it."""
    image = Image.new("RGB", (WIDTH, HEIGHT), "white")
    ImageDraw.Draw(image).text((2, 2), "Sum 12", fill="black")
    return image.convert(mode)


def saved(form: str, mode: str = "RGB", **options: object) -> bytes:
    """That picture as a file."""
    out = io.BytesIO()
    picture(mode).save(out, form, **options)
    return out.getvalue()


def images() -> list[bytes]:
    """Images of every type, in several modes."""
    code, out = Image.fromarray(barcode("A-17")), io.BytesIO()
    code.save(out, "PNG")
    pages = [picture(), picture("L"), picture("1")]
    return [
        *(saved("PNG", mode) for mode in ("RGB", "RGBA", "L", "P", "1", "I;16")),
        out.getvalue(),
        *(saved("JPEG", mode) for mode in ("RGB", "L", "CMYK")),
        saved(
            "JPEG",
            progressive=True,
            dpi=(300, 300),
            exif=b"Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0",
        ),
        *(saved("TIFF", compression=c) for c in ("tiff_lzw", "tiff_deflate", "jpeg", "packbits")),
        *(saved("TIFF", "1", compression=c) for c in ("group3", "group4", "tiff_ccitt")),
        saved("TIFF", save_all=True, append_images=pages),
        saved("GIF", "P", save_all=True, append_images=pages[:2]),
        saved("WEBP"),
        saved("WEBP", lossless=True),
        saved("BMP"),
        saved("BMP", "1"),
        saved("JPEG2000"),
        saved("JPEG2000", no_jp2=True),
        saved("AVIF"),
        HEIC,
    ]


def _stream(head: bytes, data: bytes) -> bytes:
    return b"<<" + head + b"/Length %d>>stream\n" % len(data) + data + b"\nendstream"


def _xobject(head: bytes, data: bytes) -> bytes:
    return _stream(b"/Type/XObject/Subtype/Image/Width %d/Height %d" % (WIDTH, HEIGHT) + head, data)


def _fax(compression: str) -> bytes:
    file = saved("TIFF", "1", compression=compression)
    with Image.open(io.BytesIO(file)) as image:
        (start,), (size,) = image.tag_v2[273], image.tag_v2[279]  # type: ignore[attr-defined]
    return file[start : start + size]


def _jbig2() -> bytes:
    page = struct.pack(">IIIIBH", WIDTH, HEIGHT, 0, 0, 0, 0)
    region = struct.pack(">IIIIBB", WIDTH, HEIGHT, 0, 0, 0, 1) + _fax("group4")
    parts = ((0, 48, page), (1, 38, region))
    return b"".join(struct.pack(">IBBBI", n, kind, 0, 1, len(body)) + body for n, kind, body in parts)


def pdfs() -> list[bytes]:
    """PDFs with text, pictures in every filter, forms, patterns, fonts, notes, pages, passwords, files inside."""
    grey, rgb, black = (
        b"/ColorSpace/DeviceGray/BitsPerComponent 8",
        b"/ColorSpace/DeviceRGB/BitsPerComponent 8",
        b"/ColorSpace/DeviceGray/BitsPerComponent 1",
    )
    fax = black + b"/Filter/CCITTFaxDecode/DecodeParms<</K %d/Columns 48/Rows 32>>"
    raw, plain = picture().tobytes(), picture("L").tobytes()
    drawn = [
        _xobject(rgb + b"/Filter/DCTDecode", saved("JPEG")),
        _xobject(b"/ColorSpace/DeviceCMYK/BitsPerComponent 8/Filter/DCTDecode", saved("JPEG", "CMYK")),
        _xobject(b"/Filter/JPXDecode", saved("JPEG2000")),
        _xobject(rgb + b"/Filter/FlateDecode", zlib.compress(raw)),
        _xobject(rgb + b"/Filter[/ASCIIHexDecode/FlateDecode]", zlib.compress(raw).hex().encode() + b">"),
        _xobject(grey + b"/Filter/ASCII85Decode", base64.a85encode(plain) + b"~>"),
        _xobject(grey + b"/SMask 5 0 R", plain),
        _xobject(b"/ImageMask true/BitsPerComponent 1", picture("1").tobytes()),
        _xobject(
            b"/ColorSpace[/Indexed/DeviceRGB 1<ffffff000000>]/BitsPerComponent 1", picture("1").tobytes()
        ),
        _xobject(fax % -1, _fax("group4")),
        _xobject(fax % 0, _fax("group3")),
        _xobject(black + b"/Filter/JBIG2Decode", _jbig2()),
    ]
    show = b"q 200 0 0 150 50 50 cm /Im0 Do Q\n"
    resources = b"/XObject<</Im0 4 0 R>>"
    found = [build_pdf(show, extra=[one, _xobject(grey, plain)], resources=resources) for one in drawn]
    packed = _stream(b"/Filter/FlateDecode", zlib.compress(TEXT * 3))
    objects = b"20 0 21 30 <</A 1/B[1 2 3]/C(a long string)>> <</D 2>>"
    found += [
        build_pdf(TEXT),
        build_pdf([TEXT, show, b"", TEXT], extra=[drawn[0]], resources=resources, page=b"/Rotate 90"),
        build_pdf(
            TEXT + b"/Fm Do",
            extra=[FORM, FORM.replace(b"5 0 R", b"4 0 R")],
            resources=b"/XObject<</Fm 4 0 R>>",
        ),
        build_pdf(
            b"/Pattern cs /P1 scn 0 0 300 300 re f\n" + TEXT,
            extra=[TILING],
            resources=b"/Pattern<</P1 4 0 R>>",
        ),
        build_pdf(b"/S1 sh\n" + TEXT, extra=[SHADING], resources=b"/Shading<</S1 4 0 R>>"),
        build_pdf(TEXT, extra=[FORM, NOTE], page=b"/Annots[5 0 R]"),
        build_pdf(
            b"BT /F9 12 Tf 40 250 Td (AAAA) Tj ET",
            extra=[OUTLINE_FONT, _stream(b"", b"9 0 0 0 9 9 d1 0 0 9 9 re f"), TO_UNICODE],
            resources=b"/Font<</F9 4 0 R>>",
        ),
        build_pdf(
            TEXT, extra=[packed, _stream(b"/Type/ObjStm/N 2/First 10", objects)], page=b"/Contents 4 0 R"
        ),
        build_pdf(TEXT, user_password=b""),
        build_pdf(TEXT, user_password=b"secret"),
        build_pdf(TEXT, box=b"-1e4 0 1e4 3e4", page=b"/CropBox[0 0 9 9]/UserUnit 7"),
        embed({"a.pdf": build_pdf(TEXT), "b.png": saved("PNG")}),
        embed({"factur-x.xml": cii().encode()}, root=b""),
        embed({"in.pdf": embed({"b.txt": b"text", "c.pdf": build_pdf(TEXT)})}),
    ]
    return found


def texts() -> list[bytes]:
    """Text, tables as text, web pages, XML invoices."""
    page = (
        b'<html><head><meta charset="gb18030"><style>p{x:y}</style></head><body><h1>Invoice</h1><table><tr><td>Total'
        b'<td>12.50</table><ul><li>one<li>two</ul><pre>a  b</pre><img src="data:image/png;base64,%b"></body></html>'
    ) % base64.b64encode(saved("PNG"))
    table = "date;text;amount\n2024-05-12;Müller & Söhne;1.250,00\n;;\n"
    return [
        page,
        *(table.encode(e) for e in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252")),
        "发票号码：00417366\n合计 250.00".encode("gb18030"),
        "請求書\n合計金額 ￥12,500".encode("cp932"),
        ("line \t text\f" * 200).encode(),
        cii().encode(),
        ubl().encode(),
        ubl(root="CreditNote").encode("utf-16"),
        zugferd1().encode(),
    ]


def office() -> list[bytes]:
    """Word documents and workbooks."""
    body = (
        p("First") + f"<w:tbl><w:tr><w:tc>{p('Total')}</w:tc><w:tc>{p('12.50')}</w:tc></w:tr></w:tbl>"
        f'<w:p><w:r><w:br w:type="page"/><w:tab/><w:pict><w:txbxContent>{p("boxed")}'
        "</w:txbxContent></w:pict></w:r></w:p>"
    )
    sheet = (
        b'<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        b'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
        b'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>'
        b'<table:table table:name="A"><table:table-row><table:table-cell table:number-columns-repeated="2" '
        b'office:value-type="float" office:value="3"><text:p>3</text:p></table:table-cell></table:table-row>'
        b"</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    return [
        word(body, **{"word/media/image1.png": saved("PNG"), "word/header1.xml": b"<w:hdr/>"}),
        workbook(ROWS),
        zipped(
            {
                "mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
                "META-INF/manifest.xml": b'<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
                "content.xml": sheet,
            }
        ),
        ole_file({"Workbook": b"\x09\x08\x10\x00\x00\x06\x05\x00" + bytes(600)}),
        ole_file(["WordDocument"]),
        package("ppt/presentation.xml"),
    ]


@cache
def documents() -> tuple[bytes, ...]:
    """All of them."""
    return (*pdfs(), *images(), *texts(), *office(), b"", b"%!PS", b"\x7fELF")


@cache
def containers() -> tuple[bytes, ...]:
    """Archives, e-mails and PDFs with documents in them."""
    from tests.unit.documents.test_sources_containers import outlook

    inner = mail("inner", "text", {"a.png": saved("PNG")}).as_bytes()
    rich = mail("Rechnung", "text")
    rich.add_alternative("<p>Total <b>12,50 €</b></p>", subtype="html")
    for name, data in {"发票.pdf": build_pdf(TEXT), "b.eml": inner, "c.zip": package("x.txt")}.items():
        rich.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    attached = {"__substg1.0_3707001F": "a.pdf".encode("utf-16-le"), "__substg1.0_37010102": build_pdf(TEXT)}
    return (
        zipped(
            {
                "a.pdf": build_pdf(TEXT),
                "b/c.eml": inner,
                "../d.zip": package("e.txt", "f.txt"),
                ".DS_Store": b"x",
            }
        ),
        inner,
        rich.as_bytes(),
        inner.replace(b"base64", b"quoted-printable"),
        b"From: a@b.example\r\nReceived: x\r\nContent-Type: text/plain; charset=nothing\r\n\r\n\xff\xfe text",
        ole_file(outlook()),
        ole_file(outlook(**{"__attach_version1.0_#00000000": attached})),
        *(one for one in pdfs() if b"EmbeddedFile" in one),
    )
