"""Text that nobody sees in a web page or a Word document is left out, and said; text on a colour is read."""

import pytest

from tests.unit.documents.test_text_documents import W, read, text_of, word

SEEN = "12.50"
UNSEEN = "total 1.00"


def html(body: str, head: str = "") -> bytes:
    return (
        f"<!doctype html><html><head>{head}</head><body><p>first</p>{body}<p>last</p></body></html>".encode()
    )


def run(text: str, look: str = "") -> str:
    return f"<w:r>{f'<w:rPr>{look}</w:rPr>' if look else ''}<w:t>{text}</w:t></w:r>"


WHITE = '<w:color w:val="FFFFFF"/>'
PALE = '<w:color w:val="F0F0F0"/>'
TINY, SMALL = '<w:sz w:val="2"/>', '<w:sz w:val="12"/>'
THEMED = '<w:color w:val="FFFFFF" w:themeColor="text1"/>'
GLOW = '<g:glow xmlns:g="http://schemas.microsoft.com/office/word/2010/wordml"/>'
RIGHT_TO_LEFT = '<w:sz w:val="2"/><w:szCs w:val="24"/><w:rtl/>'
MARKED = '<w:highlight w:val="darkBlue"/>'
DARK = '<w:shd w:val="clear" w:color="auto" w:fill="1F4E79"/>'
PLAIN = '<w:shd w:val="clear" w:color="auto" w:fill="auto"/>'


def styles(*more: str) -> dict[str, bytes]:
    return {"word/styles.xml": f"<w:styles {W}>{''.join(more)}</w:styles>".encode()}


def warnings(data: bytes) -> list[str]:
    return [warning for page in read(data) for warning in page.warnings]


@pytest.mark.parametrize(
    "body",
    [
        f'<p style="color:#fff">{UNSEEN}</p>',
        f'<p style="COLOR: White !important">{UNSEEN}</p>',
        f'<p style="color: rgb(255, 255, 255)">{UNSEEN}</p>',
        f'<p><font color="#FFFFFF">{UNSEEN}</font></p>',
        f'<div style="color:white"><p>{UNSEEN}</p></div>',
        f'<p style="background:#f8f8f8;color:#F8F8F8">{UNSEEN}</p>',
        f'<p style="background-color:white;background-image:none;color:white">{UNSEEN}</p>',
        f'<p style="font-size:0">{UNSEEN}</p>',
        f'<p style="font-size:1px">{UNSEEN}</p>',
        f'<p style="font:0/0 a">{UNSEEN}</p>',
        f'<p style="visibility:hidden">{UNSEEN}</p>',
        f'<p style="visibility:hidden"><b style="visibility:inherit">{UNSEEN}</b></p>',
        f'<p style="opacity:0">{UNSEEN}</p>',
        f'<table bgcolor="#ffffff"><tr><td style="color:#ffffff">{UNSEEN}</td></tr></table>',
    ],
)
def test_text_of_a_web_page_that_nobody_sees(body: str) -> None:
    data = html(body)
    assert "1.00" not in text_of(data)
    assert text_of(data).split() == ["first", "last"]
    assert warnings(data) == ["1 piece of text is not visible and was left out."]


@pytest.mark.parametrize(
    "body",
    [
        f'<p style="display:none">{UNSEEN}</p>',
        f"<p hidden>{UNSEEN}</p>",
        f"<template><p>{UNSEEN}</p></template>",
        f'<a style="position:absolute;left:-9999px">{UNSEEN}</a>',
        f'<h1 style="text-indent:-9999px">{UNSEEN}</h1>',
    ],
)
def test_what_pages_hide_as_a_rule_is_not_mentioned(body: str) -> None:
    data = html(body)
    assert text_of(data).split() == ["first", "last"]
    assert warnings(data) == []


@pytest.mark.parametrize(
    ("body", "head"),
    [
        (f'<table bgcolor="#1F4E79"><tr><td style="color:#fff">{SEEN}</td></tr></table>', ""),
        (f'<div style="background:navy"><p style="color:white">{SEEN}</p></div>', ""),
        (f'<div style="background-image:url(a.png)"><p style="color:white">{SEEN}</p></div>', ""),
        (f'<div style="background:#000"><p style="background:transparent;color:#fff">{SEEN}</p></div>', ""),
        (f'<p style="position:absolute;top:20px;color:white">{SEEN}</p>', ""),
        (f'<td style="font-size:0px"><div style="font-size:14px">{SEEN}</div></td>', ""),
        (f'<p style="font-size:0.9em">{SEEN}</p>', ""),
        (f'<td style="font-size:0"><font size="2">{SEEN}</font></td>', ""),
        (f'<div style="background:url(a.png?b;c:d);color:#fff">{SEEN}</div>', ""),
        (f'<p style="font:bold 12px Arial">{SEEN}</p>', ""),
        (f'<p style="opacity:0.5">{SEEN}</p>', ""),
        (f'<div style="visibility:hidden">x<b style="visibility:visible">{SEEN}</b></div>', ""),
        (f'<p style="color:white"><a href="#">{SEEN}</a></p>', ""),
        (f'<p class="bar" style="color:white">{SEEN}</p>', "<style>.bar{background:#000}</style>"),
        (f'<p style="color:white">{SEEN}</p>', "<style>p{background:#000}</style>"),
        (f'<p style="color:white">{SEEN}</p>', '<link rel="stylesheet" href="a.css">'),
        (f'<p style="color:#fff;background:rgba(0,0,0,.5)">{SEEN}</p>', ""),
        (f'<p style="font-size:">{SEEN}</p>', ""),
        (f'<p style="font-size:0;font:12px Arial">{SEEN}</p>', ""),
        (f'<p style="font-size:12px !important;font-size:0">{SEEN}</p>', ""),
        (f'<p style="color:#000 !important;color:#fff">{SEEN}</p>', ""),
        (f'<div style="background:url(a.png);background-color:#fff;color:#fff">{SEEN}</div>', ""),
        (f'<table background="a.png" style="background-color:#fff;color:#fff"><td>{SEEN}</td></table>', ""),
        (f'<p style="background-color:#fff;background:#036;color:#fff">{SEEN}</p>', ""),
        (f'<img style="position:absolute;z-index:-1"><h1 style="color:#fff">{SEEN}</h1>', ""),
        (f'<img src="a.png"><p style="position:relative;top:-60px;color:#fff">{SEEN}</p>', ""),
        (f'<img src="a.png"><p style="margin-top:-60px;color:white">{SEEN}</p>', ""),
        (f'<i style="float:left;background:#036"></i><p style="color:#fff">{SEEN}</p>', ""),
        (f'<div style="font-size:0"><table><tr><td>{SEEN}</td></tr></table></div>', ""),
        (
            f'<div style="background:#036;color:#fff"><table bgcolor="#ffffff"><td>{SEEN}</td></table></div>',
            "",
        ),
        (f'<table><col style="background:#000080"><tr><td style="color:#fff">{SEEN}</td></tr></table>', ""),
        (f'<p style="color:#fff;text-shadow:0 0 3px #000">{SEEN}</p>', ""),
        (f'<p style="font-size:1px;transform:scale(14)">{SEEN}</p>', ""),
        (f'<p style="opacity:%">{SEEN}</p>', ""),
        (
            f'<div style="color:#fff;background:#000"><p style="background:#fff;color:initial">{SEEN}</p></div>',
            "",
        ),
        (f'<div style="text-indent:-9999px"><p style="text-indent:0">{SEEN}</p></div>', ""),
        (f'<div hidden style="display:block">{SEEN}</div>', ""),
        (f'<div style="opacity:0"><!-- a long remark --></div>{SEEN}', ""),
    ],
)
def test_text_of_a_web_page_that_may_be_seen(body: str, head: str) -> None:
    data = html(body, head)
    assert SEEN in text_of(data)
    assert warnings(data) == []


@pytest.mark.parametrize(
    "body",
    [
        f"<w:p>{run(UNSEEN, WHITE)}</w:p>",
        f"<w:p>{run('total ', WHITE)}{run('1.00', WHITE)}</w:p>",
        f"<w:p>{run(UNSEEN, TINY)}</w:p>",
        f"<w:p><w:pPr>{PLAIN}</w:pPr>{run(UNSEEN, WHITE)}</w:p>",
        f"<w:tbl><w:tr><w:tc><w:p>{run(UNSEEN, WHITE)}</w:p></w:tc></w:tr></w:tbl>",
        f"<w:p><w:hyperlink>{run(UNSEEN, WHITE)}</w:hyperlink></w:p>",
    ],
)
def test_text_of_a_word_document_that_nobody_sees(body: str) -> None:
    data = word(f"<w:p>{run(SEEN)}</w:p>{body}", **styles())
    assert text_of(data) == SEEN
    assert warnings(data) == ["1 piece of text is not visible and was left out."]


@pytest.mark.parametrize(
    ("body", "more"),
    [
        (f"<w:p>{run(SEEN, WHITE + DARK)}</w:p>", ()),
        (f"<w:p>{run(SEEN, WHITE + MARKED)}</w:p>", ()),
        (f"<w:p><w:pPr>{DARK}</w:pPr>{run(SEEN, WHITE)}</w:p>", ()),
        (
            f"<w:tbl><w:tr><w:tc><w:tcPr>{DARK}</w:tcPr><w:p>{run(SEEN, WHITE)}</w:p></w:tc></w:tr></w:tbl>",
            (),
        ),
        (
            '<w:tbl><w:tblPr><w:tblStyle w:val="Dark"/></w:tblPr><w:tr><w:tc>'
            f"<w:p>{run(SEEN, WHITE)}</w:p></w:tc></w:tr></w:tbl>",
            (
                '<w:style w:styleId="Dark"><w:tblStylePr w:type="firstRow"><w:tcPr>'
                f"{DARK}</w:tcPr></w:tblStylePr></w:style>",
            ),
        ),
        (
            f'<w:p><w:pPr><w:pStyle w:val="Bar2"/></w:pPr>{run(SEEN, WHITE)}</w:p>',
            (
                f'<w:style w:styleId="Bar"><w:pPr>{DARK}</w:pPr></w:style>',
                '<w:style w:styleId="Bar2"><w:basedOn w:val="Bar"/></w:style>',
            ),
        ),
        (f"<w:p><w:r><w:pict/></w:r>{run(SEEN, WHITE)}</w:p>", ()),
        (f'<w:p><w:r><w:drawing><w:anchor behindDoc="1"/></w:drawing></w:r>{run(SEEN, WHITE)}</w:p>', ()),
        (f"<w:p><w:r><w:txbxContent><w:p>{run(SEEN, WHITE)}</w:p></w:txbxContent></w:r></w:p>", ()),
        (f"<w:p>{run(SEEN, SMALL)}</w:p>", ()),
        (f"<w:p>{run(SEEN, PALE)}</w:p>", ()),
        (
            f"<w:p>{run(SEEN, WHITE)}</w:p>",
            (f'<w:style w:default="1" w:styleId="Normal"><w:pPr>{DARK}</w:pPr></w:style>',),
        ),
        (
            f"<w:p>{run(SEEN, WHITE)}</w:p>",
            (f"<w:docDefaults><w:pPrDefault><w:pPr>{DARK}</w:pPr></w:pPrDefault></w:docDefaults>",),
        ),
        (
            f"<w:tbl><w:tr><w:tblPrEx>{DARK}</w:tblPrEx><w:tc><w:p>{run(SEEN, WHITE)}</w:p></w:tc></w:tr></w:tbl>",
            (),
        ),
        (f"<w:p>{run(SEEN, WHITE + '<w:outline/>')}</w:p>", ()),
        (f"<w:p>{run(SEEN, WHITE + GLOW)}</w:p>", ()),
        (f"<w:p>{run(SEEN, THEMED)}</w:p>", ()),
        (f"<w:p>{run(SEEN, RIGHT_TO_LEFT)}</w:p>", ()),
    ],
)
def test_text_of_a_word_document_that_may_be_seen(body: str, more: tuple[str, ...]) -> None:
    data = word(body, **styles(*more))
    assert SEEN in text_of(data)
    assert warnings(data) == []


def test_damaged_styles_cost_no_text() -> None:
    data = word(f"<w:p>{run(SEEN, WHITE)}</w:p>", **{"word/styles.xml": b"<w:styles"})
    assert text_of(data) == SEEN


def test_text_that_was_moved_is_read_where_it_is_now() -> None:
    data = word(f"<w:p><w:moveFrom>{run(SEEN)}</w:moveFrom></w:p><w:p><w:moveTo>{run(SEEN)}</w:moveTo></w:p>")
    assert text_of(data) == SEEN
