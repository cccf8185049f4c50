"""Web pages and HTML e-mails as native text."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

from pipeline.documents.encodings import decode, marked
from pipeline.documents.text_file import Content, left_out
from pipeline.documents.unseen import blank
from pipeline.errors import Unreadable

if TYPE_CHECKING:
    from lxml.html import HtmlElement

TOO_DEEP = "The {} has too many parts in each other, such as tables in tables: export it as a PDF."

_CHARSET = re.compile(rb"""<meta[^>]{0,200}charset\s*=\s*["']?([\w-]+)""", re.IGNORECASE)
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_PICTURE = re.compile(rb"data:image/[\w.+-]+;base64,([A-Za-z0-9+/=\s%]+)")


def decode_html(data: bytes) -> str:
    """HTML from bytes, in the encoding that it names if that is possible."""
    named = _CHARSET.search(data[:4096])
    if named and not marked(data):
        name = named[1].decode().lower()
        try:
            return data.decode(
                {"gb2312": "gb18030", "gbk": "gb18030", "iso-8859-1": "cp1252"}.get(name, name)
            )
        except (UnicodeDecodeError, LookupError):
            pass
    return decode(data)


def web_page(data: bytes) -> Content:
    """What a web page shows: its text, tables in columns, and the pictures that are part of it.

    Raises `Unreadable`, or `RecursionError`, for elements in each other without end.
    """
    text, unseen = html_text(decode_html(data))
    return Content(text, pictures_in(data), left_out(unseen))


def html_text(html: str) -> tuple[str, int]:
    """The visible text of HTML, empty for HTML without text, and how many pieces of text are not visible.

    Raises `Unreadable`, or `RecursionError`, for elements in each other without end.
    """
    from inscriptis.css_profiles import CSS_PROFILES
    from inscriptis.html_engine import Inscriptis
    from inscriptis.model.config import ParserConfig

    html = _DECLARATION.sub("", html.replace("\0", ""))
    if not html.strip():
        return "", 0
    config = ParserConfig(css=CSS_PROFILES["strict"], display_images=False)
    tree = _tree(html)
    unseen = blank(tree)
    text: str = Inscriptis(tree, config).get_text()
    return text.strip(), unseen


def _tree(html: str) -> HtmlElement:
    """The elements of HTML. What libxml2 leaves out because of a limit of its own would be lost without a word."""
    from lxml import etree
    from lxml.html import HTMLParser, document_fromstring

    parser = HTMLParser(huge_tree=True)
    try:
        tree = document_fromstring(html, parser=parser)
    except etree.ParserError:  # no element at all
        return document_fromstring(f"<pre>{html}</pre>", parser=parser)
    if any(entry.type == etree.ErrorTypes.ERR_RESOURCE_LIMIT for entry in parser.error_log):
        raise Unreadable(TOO_DEEP.format("web page"))
    return tree


def pictures_in(html: bytes) -> list[bytes]:
    """Pictures that are part of the page itself (data URLs); others would have to be fetched."""
    found = []
    for match in _PICTURE.finditer(html):
        try:
            found.append(base64.b64decode(match[1]))
        except (binascii.Error, ValueError):
            found.append(b"")
    return found
