"""Native text without pages: text files, web pages, Word documents, spreadsheets."""

from __future__ import annotations

import base64
import io
import struct
import zipfile

import pytest
from PIL import Image

from pipeline.documents import ole
from pipeline.documents.base import PageInput
from pipeline.documents.layout import assemble
from pipeline.documents.open import open_document, page_image
from pipeline.errors import OverLimit, Unreadable
from pipeline.limits import Limits
from tests.support.containers import ole_file, zipped

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
KINDS = "http://schemas.openxmlformats.org/package/2006"
SHEET = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def read(data: bytes) -> list[PageInput]:
    with open_document(data, Limits()) as document:
        return [document.page(n) for n in range(1, document.page_count + 1)]


def text_of(data: bytes) -> str:
    return "\n".join(assemble(page.lines or (), page.width, page.height)[0] for page in read(data))


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", "发票号码：00417366\n合计 250.00"),
        ("utf-8-sig", "Übergabe"),
        ("utf-16", "发票 Straße"),
        ("utf-16-le", "Invoice 12 without a mark"),
        ("utf-16-be", "Invoice 12 without a mark"),
        ("gb18030", "购买方名称：示例科技有限公司\n价税合计（大写）贰佰伍拾圆整"),
        ("cp932", "請求書\n株式会社サンプル\n合計金額 ￥12,500"),
        ("big5", "統一發票\n買受人：範例股份有限公司"),
        ("cp1252", "Sehr geehrte Damen und Herren,\nfür die Prüfung der Straße 5 berechnen wir 12,50 €"),
    ],
)
def test_text_in_any_encoding_is_read(encoding: str, text: str) -> None:
    assert text_of(text.encode(encoding)) == text


def test_one_damaged_character_does_not_change_the_encoding() -> None:
    text = "发票号码合计金额" * 5
    assert text_of(text.encode()[:-1]) == text[:-1] + "\ufffd"


def test_foreign_characters_far_down_are_found() -> None:
    data = ("plain line\n" * 1000 + "Straße fünf für später").encode("cp1252")
    assert text_of(data).endswith("Straße fünf für später")


def test_text_has_places_on_pages_of_sixty_lines() -> None:
    pages = read("\n".join(f"  line {n}\t\tend" for n in range(150)).encode())
    assert [len(page.lines or ()) for page in pages] == [60, 60, 30]
    line = (pages[1].lines or ())[2]
    assert line.text == "line 62  end"
    assert line.box == ((40.0, 68.0), (160.0, 68.0), (160.0, 92.0), (40.0, 92.0))
    assert all(
        0 <= x <= p.width and 0 <= y <= p.height for p in pages for a in p.lines or () for x, y in a.box
    )
    assert [len(p.lines or ()) for p in read(b"one\n\ftwo\n")] == [1, 1]


def test_separators_of_lines_and_paragraphs_can_be_drawn_around() -> None:
    with open_document("one\u0085two\u2028three\u2029four".encode(), Limits()) as document:
        assert document.render(1).min() == 0


def test_long_lines_are_wrapped_between_words_and_nothing_is_lost() -> None:
    words = " ".join(f"word{n}" for n in range(400))
    (page,) = read(words.encode())
    assert " ".join(line.text for line in page.lines or ()) == words
    han = "合同金额" * 100
    assert text_of(han.encode()).replace("\n", "") == han


@pytest.mark.parametrize("line", ["word " * 20_000, "x" * 100_000, "字" * 50_000])
def test_endless_lines_are_wrapped_in_time(line: str) -> None:
    assert "".join(text_of(line.encode()).split()) == line.replace(" ", "")


def test_text_is_drawn_where_its_boxes_are() -> None:
    data = "    Total 12.50 合计\n".encode()
    image = page_image(data, 1, 0, Limits())
    (line,) = read(data)[0].lines or ()
    (left, top), _, (right, bottom), _ = line.box
    ink = (image < 128).any(axis=2)
    assert ink[int(top) : int(bottom), int(left) : int(right)].sum() == ink.sum() > 100


def test_too_many_lines_are_over_the_limit_on_pages() -> None:
    with pytest.raises(OverLimit, match=r"The text has more than the limit of 2 pages of 60 lines"):
        open_document(b"line\n" * 200, Limits(max_pages=2))


def test_a_web_page_is_its_visible_text() -> None:
    html = (
        "<html><head><meta charset=gb2312><title>t</title><style>p{}</style></head><body><p>发票号码&nbsp;42</p>"
        "<table><tr><td>Total</td><td>12.50</td></tr></table><script>var x</script>"
        '<div style="display: none">secret</div></body></html>'
    )
    text = text_of(html.encode("gb18030"))
    assert text.startswith("发票号码 42")
    assert "Total  12.50" in text
    assert "secret" not in text
    assert "var x" not in text


def picture(colour: str = "red") -> bytes:
    out = io.BytesIO()
    Image.effect_noise((200, 100), 50).convert("RGB").save(out, "PNG", comment=colour)
    return out.getvalue()


def test_a_web_page_is_read_to_its_end_or_refused() -> None:
    deep = b"<html><body>" + b"<div>" * 300 + b"inmost" + b"</div>" * 300
    assert text_of(deep).strip() == "inmost"
    long = b"<html><body><p title='" + b"x" * 11_000_000 + b"'>after a long attribute"
    assert text_of(long).strip() == "after a long attribute"
    for bomb in (b"<html><body>" + b"<div>" * 3000 + b"x", b"<html><body>" + b"<table><tr><td>" * 600 + b"x"):
        with pytest.raises(Unreadable, match="The web page has too many parts in each other"):
            open_document(bomb, Limits())


def test_pictures_in_a_web_page_are_pages_to_be_read() -> None:
    data = f'<html><img src="data:image/png;base64,{base64.b64encode(picture()).decode()}">'.encode()
    (page,) = read(data)
    assert page.image is not None
    assert page.lines is None
    assert page.image.shape == (100, 200, 3)


def word(body: str, **parts: bytes) -> bytes:
    document = f'<?xml version="1.0"?><w:document {W}><w:body>{body}</w:body></w:document>'.encode()
    return zipped({"[Content_Types].xml": b"<x/>", "word/document.xml": document, **parts})


def p(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def test_a_word_document_is_read_as_it_shows() -> None:
    body = (
        p("First")
        + "<w:p><w:r><w:t>in</w:t></w:r><w:ins><w:r><w:t>serted</w:t></w:r></w:ins><w:del><w:r><w:delText>gone"
        "</w:delText></w:r></w:del><w:r><w:tab/><w:t>tab</w:t></w:r></w:p>"
        f"<w:tbl><w:tr><w:tc>{p('Total')}</w:tc><w:sdt><w:sdtContent><w:tc>{p('12.50')}</w:tc></w:sdtContent></w:sdt>"
        "</w:tr></w:tbl>"
        f"<w:sdt><w:sdtContent>{p('controlled')}</w:sdtContent></w:sdt>"
        "<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r><w:hyperlink><w:r><w:t>link</w:t></w:r></w:hyperlink>"
        f"<w:r><w:pict><w:txbxContent>{p('boxed')}</w:txbxContent></w:pict></w:r></w:p>"
        '<w:p><w:r><w:br w:type="page"/></w:r><w:r><w:t>second page</w:t></w:r></w:p>'
    )
    header = f"<w:hdr {W}>{p('Letterhead')}</w:hdr>".encode()
    data = word(body, **{"word/header1.xml": header, "word/media/image1.png": picture()})
    pages = read(data)
    assert len(pages) == 3
    assert pages[2].image is not None
    assert (pages[2].number, pages[2].lines) == (3, None)
    assert [line.text for page in pages[:2] for line in page.lines or ()] == [
        *(
            "Letterhead",
            "First",
            "inserted  tab",
            "Total  12.50",
            "controlled",
            "link",
            "boxed",
            "second page",
        )
    ]


def test_boxes_in_boxes_are_read_once() -> None:
    deep = 40  # read at each level again, they would take for ever
    body = "<w:p><w:r><w:txbxContent>" * deep + p("inmost") + "</w:txbxContent></w:r></w:p>" * deep
    assert text_of(word(f"{body}{p('after')}")) == "inmost\nafter"


@pytest.mark.parametrize("deep", [400, 20_000])
def test_tables_in_tables_without_end_are_named(deep: int) -> None:
    body = "<w:tbl><w:tr><w:tc>" * deep + p("x") + "</w:tc></w:tr></w:tbl>" * deep
    with pytest.raises(Unreadable, match="has too many parts in each other"):
        open_document(word(body), Limits())


def test_a_picture_that_cannot_be_read_costs_its_page_only() -> None:
    data = word(p("text"), **{"word/media/image1.emf": b"\x01\x00\x00\x00" + bytes(3000)})
    with open_document(data, Limits()) as document:
        assert document.page_count == 2
        assert document.page(1).lines
        with pytest.raises(
            Unreadable, match="Page 2 of 2 of the Word document is a picture that can't be read"
        ):
            document.page(2)


def workbook(rows: str, hidden: bool = False) -> bytes:
    """Two sheets with the same rows."""
    office, kinds = "http://schemas.openxmlformats.org/officeDocument/2006/relationships", KINDS
    state = ' state="hidden"' if hidden else ""
    names = f'<sheet name="A" sheetId="1" r:id="r1"/><sheet name="B" sheetId="2" r:id="r2"{state}/>'
    links = [
        f'<Relationship Id="r{n}" Type="{office}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in (1, 2)
    ]
    root = f'<Relationship Id="r0" Type="{office}/officeDocument" Target="xl/workbook.xml"/>'
    sheet = f"<worksheet {SHEET}><sheetData>{rows}</sheetData></worksheet>"
    return zipped(
        {
            name: text.encode()
            for name, text in {
                "[Content_Types].xml": f'<Types xmlns="{kinds}/content-types"/>',
                "_rels/.rels": f'<Relationships xmlns="{kinds}/relationships">{root}</Relationships>',
                "xl/workbook.xml": f'<workbook {SHEET} xmlns:r="{office}"><sheets>{names}</sheets></workbook>',
                "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{kinds}/relationships">{"".join(links)}'
                "</Relationships>",
                "xl/worksheets/sheet1.xml": sheet,
                "xl/worksheets/sheet2.xml": sheet.replace("Total", "Other"),
            }.items()
        }
    )


ROWS = (
    '<row r="1"><c r="A1" t="inlineStr"><is><t>Total</t></is></c><c r="C1"><v>1250.5</v></c></row>'
    '<row r="2"><c r="A2"><v>3</v></c><c r="B2"><f>A2*2</f></c></row>'
)


def test_a_workbook_is_read_row_by_row() -> None:
    pages = read(workbook(ROWS))
    assert [[line.text for line in page.lines or ()] for page in pages] == [
        ["Total  1250.5", "3"],
        ["Other  1250.5", "3"],
    ]
    assert pages[0].warnings == (
        "2 formulas have no stored value: open and save it in a spreadsheet program.",
    )
    hidden = read(workbook(ROWS, hidden=True))
    assert len(hidden) == 1
    assert hidden[0].warnings[1:] == ("1 hidden sheets were left out.",)


@pytest.mark.parametrize("data", [word(p("x")), workbook(ROWS)])
def test_hostile_office_documents_fail_with_a_sentence(data: bytes) -> None:
    with pytest.raises(OverLimit, match="unpacks to"):
        open_document(
            zipped({**_members(data), "xl/worksheets/x.xml": bytes(50_000_000)}), Limits(max_bytes=10**7)
        )
    for name in _members(data):
        broken = zipped({**_members(data), name: b"<broken"})
        try:
            read(broken)
        except Unreadable as error:
            assert "damaged" in error.message  # noqa: PT017 - some parts may be broken without harm


def _members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


# Two colours, 64 x 32 pixels, written by pillow-heif; pi-heif, which reads it, can't write.
HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAX1tZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAA"
    "ACJpbG9jAAAAAERAAAEAAQAAAAABoQABAAAAAAAAALwAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRt"
    "AAAAAAABAAAA/WlwcnAAAADdaXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMA"
    "AAMAHroCQGEAAQAqQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq5Ka5uAhoMCAAAAMDIAAAAwAhYgABAAZEAcFzwIkAAAATY29scm5j"
    "bHgAAQANAAaAAAAAFGlzcGUAAAAAAAAAQAAAAEAAAAAoY2xhcAAAAEAAAAABAAAAIAAAAAEAAAAAAAAAAv///+AAAAACAAAAEHBp"
    "eGkAAAAAAwgICAAAABhpcG1hAAAAAAAAAAEAAQWBAgMFhAAAAMRtZGF0AAAAuCgBrwngPfMi///yPzf//LDOy/vFxFezz/DPmzv1"
    "Pq//4F/6X4XSnVyHOYInMvKfy8SoPnF5sCb988AjgKkAHSj9nIUtlrvGCtWlvPp8EtIBnDHuZpNCYBZ3rDCelihCtBWkAv+JHQWf"
    "csSTxFscvV41NJAK8BVlIrw1pzeFOW2WZaQbBEHcxUWbZFCLrE1WH6C1n/+jMdvLCGguM2pjTrp9P3fWCv2vot+apGV58c3xHV+H"
    "X389auA="
)


def avif() -> bytes:
    out = io.BytesIO()
    image = Image.new("RGB", (64, 32), "white")
    image.paste("red", (0, 0, 32, 32))
    image.save(out, "AVIF", quality=90)
    return out.getvalue()


@pytest.mark.parametrize("data", [avif(), HEIC])
def test_photos_of_phones_are_read(data: bytes) -> None:
    (page,) = read(data)
    assert page.image is not None
    assert page.image.shape == (32, 64, 3)
    assert page.image[16, 8, 0] > 200 > 60 > page.image[16, 8, 1]
    assert page.image[16, 56].min() > 200
    with pytest.raises(Unreadable, match=r"(HEIC|AVIF) image can't be decoded"):
        read(data[:-20])


FAR_APART = (
    '<row r="1"><c r="A1"><v>3</v></c></row><row r="300000"><c r="XFD300000"><v>3</v></c></row>',
    '<row r="1"><c><v>3</v></c></row><row r="1048576"><c r="KK1048576"><v>3</v></c></row>',
    "<row r = '1'><c r = 'A1'><v>3</v></c><c r = 'XFD1'><v>3</v></c></row><row r = '9999'><c r='B9999'/></row>",
)


@pytest.mark.parametrize("rows", FAR_APART)
def test_stray_cells_do_not_take_all_memory(rows: str) -> None:
    with pytest.raises(OverLimit, match=r"spans [\d,]+ cells, more than 10,000,000: delete stray cells"):
        open_document(workbook(rows), Limits())
    (page, *_) = read(
        workbook('<row r="1"><c r="A1"><v>3</v></c></row><row r="60"><c r="XFD60"><v>4</v></c></row>')
    )
    assert [line.text for line in page.lines or ()] == ["3", "4"]


CELL = "<c><v>1</v></c>"


@pytest.mark.parametrize(
    "rows",
    [
        f"<row>{CELL}</row>" * 1000 + f"<row>{CELL * 16_000}</row>",
        f'<row r="1">{CELL}</row><row r="1048576">{CELL * 16_000}</row>',
        f'<row r="1048000">{CELL}</row><row><c r="XFA1048001"><v>1</v></c>{CELL}</row><row r="1">{CELL}</row>',
    ],
)
def test_cells_without_a_place_are_counted(rows: str) -> None:
    with pytest.raises(OverLimit, match=r"spans [\d,]+ cells, more than 10,000,000: delete stray cells"):
        open_document(workbook(rows), Limits())
    assert text_of(workbook(f"<row>{CELL}{CELL}</row><row>{CELL}</row>")).splitlines()[:2] == ["1  1", "1"]


def open_sheet(rows: str) -> bytes:
    """An OpenDocument spreadsheet of one sheet."""
    names = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table")
    )
    sheet = f'<table:table table:name="A">{rows}</table:table>'
    body = f"<office:body><office:spreadsheet>{sheet}</office:spreadsheet></office:body>"
    return zipped(
        {
            "mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": b"<manifest/>",
            "content.xml": f"<office:document-content {names}>{body}</office:document-content>".encode(),
        }
    )


def test_repeated_cells_of_an_open_sheet_are_counted() -> None:
    value = 'office:value-type="float" office:value="1"'
    many = '<table:table-cell table:number-columns-repeated="16383" {}/>'
    rows = '<table:table-row table:number-rows-repeated="1048575">{}</table:table-row>'
    first = f"<table:table-row><table:table-cell {value}/>{many.format('')}</table:table-row>"
    assert (
        text_of(open_sheet(first + rows.format(many.format("")))).strip() == "1"
    )  # as programs fill sheets up
    for bomb in (rows.format(many.format(value)), rows.format(many.format("")) * 20 + first):
        with pytest.raises(OverLimit, match=r"spans [\d,]+ cells, more than 10,000,000"):
            open_document(open_sheet(bomb), Limits())


def test_stray_cells_of_a_binary_workbook_do_not_either() -> None:
    def record(kind: int, body: bytes) -> bytes:
        return bytes([kind, len(body)]) + body

    near = record(0, struct.pack("<I", 3)) + record(2, struct.pack("<Id", 5, 0))
    far = record(0, struct.pack("<I", 1_000_000)) + record(2, struct.pack("<Id", 9_999, 0))
    for body, fits in ((near, True), (near + far, False), (near + b"\x80", True)):
        data = zipped({"xl/workbook.bin": b"", "xl/worksheets/sheet1.bin": body})
        with pytest.raises(Unreadable if fits else OverLimit):
            open_document(data, Limits())


def test_an_old_workbook_whose_sectors_go_in_a_circle_is_damaged() -> None:
    data = bytearray(ole_file({"Workbook": bytes(20_000)}))
    assert not ole.is_endless(bytes(data))
    fat = (struct.unpack_from("<I", data, 76)[0] + 1) * 4096
    struct.pack_into("<I", data, fat + 8, 1)  # the third sector is followed by the second
    assert ole.is_endless(bytes(data))
    with pytest.raises(Unreadable, match="damaged"):
        open_document(bytes(data), Limits())
