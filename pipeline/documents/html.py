"""Web pages and HTML e-mails as native text."""

from __future__ import annotations

import base64
import binascii
import re

from pipeline.documents.encodings import decode, marked

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


def html_text(html: str) -> str:
    """The visible text of HTML, tables in columns; the empty string for HTML without text."""
    from inscriptis import get_text
    from inscriptis.css_profiles import CSS_PROFILES
    from inscriptis.model.config import ParserConfig

    html = _DECLARATION.sub("", html.replace("\0", ""))
    if not html.strip():
        return ""
    text: str = get_text(html, ParserConfig(css=CSS_PROFILES["strict"], display_images=False))
    return text.strip()


def pictures_in(html: bytes) -> list[bytes]:
    """Pictures that are part of the page itself (data URLs); others would have to be fetched."""
    found = []
    for match in _PICTURE.finditer(html):
        try:
            found.append(base64.b64decode(match[1]))
        except (binascii.Error, ValueError):
            found.append(b"")
    return found
