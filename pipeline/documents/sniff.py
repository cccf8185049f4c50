"""Detect a document's type from its bytes, never from its name."""

from __future__ import annotations

import re

from pipeline.errors import Unreadable, Unsupported

SNIFF_BYTES = 1024
"""How much of a document `sniff` inspects: a PDF's header may follow that many bytes of junk."""


READABLE = "JPEG, PNG, WebP, BMP, GIF, JPEG 2000, TIFF and PDF"


NAMES = {
    "image/jpeg": "JPEG image",
    "image/png": "PNG image",
    "image/webp": "WebP image",
    "image/bmp": "BMP image",
    "image/gif": "GIF image",
    "image/jp2": "JPEG 2000 image",
    "image/j2c": "JPEG 2000 image",
    "image/tiff": "TIFF image",
    "application/pdf": "PDF",
}
"""Name of each supported media type in messages."""


_BMP_HEADER_SIZES = rb"(?:\x0c|\x10|\x28|\x34|\x38|\x40|\x6c|\x7c)\x00\x00\x00"


_SIGNATURES: tuple[tuple[str, bytes], ...] = (
    ("image/jpeg", rb"\xff\xd8\xff"),
    ("image/png", rb"\x89PNG\r\n\x1a\n"),
    ("image/webp", rb"RIFF.{4}WEBP"),
    ("image/gif", rb"GIF8[79]a"),
    ("image/jp2", rb"\x00\x00\x00\x0cjP  \r\n\x87\n"),
    ("image/j2c", rb"\xff\x4f\xff\x51"),
    ("image/tiff", rb"II[\x2a\x2b]\x00|MM\x00[\x2a\x2b]"),
    ("image/bmp", rb"BM.{12}" + _BMP_HEADER_SIZES),
    ("application/pdf", rb".{0,1019}?%PDF-"),
)


_STRANGERS: tuple[tuple[str, bytes], ...] = (
    ("a Photoshop file", rb"8BPS"),
    ("an Apple icon (ICNS)", rb"icns"),
    ("an SGI image", rb"\x01\xda[\x00\x01][\x01\x02]"),
    ("a Windows icon or cursor", rb"\x00\x00[\x01\x02]\x00[^\x00]\x00"),
    ("a DirectDraw texture (DDS)", rb"DDS "),
    ("a FITS image", rb"SIMPLE  ="),
    ("a PNM image (PBM, PGM, PPM or PAM)", rb"P[1-7]\s?[\d#]|P7 332|P7\n"),
    ("a Microsoft Paint image (MSP)", rb"DanM|LinS"),
    ("a HEIC or AVIF image", rb".{4}ftyp(?:hei|hev|mif1|msf1|avi)"),
    ("a video", rb".{4}ftyp|\x1aE\xdf\xa3|RIFF.{4}AVI "),
    ("a JPEG XL image", rb"\xff\x0a|\x00\x00\x00\x0cJXL "),
    ("a DICOM image", rb".{128}DICM"),
    ("a DjVu document", rb"AT&TFORM"),
    ("a ZIP archive or an Office document", rb"PK(?:\x03\x04|\x05\x06|\x07\x08)"),
    ("an archive", rb"\x1f\x8b|7z\xbc\xaf\x27\x1c|Rar!\x1a|BZh|\xfd7zXZ"),
    ("an old Office document", rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    ("a rich-text document (RTF)", rb"\{\\rtf"),
    ("a PostScript file", rb"%!PS|\xc5\xd0\xd3\xc6"),
    ("a web page or XML document", rb"(?:\xef\xbb\xbf)?\s*<(?:!|\?xml|html|svg)"),
)


def sniff(head: bytes) -> str:
    """Detect the media type from a document's first bytes (`SNIFF_BYTES` of them are enough).

    Raises `Unsupported` for all other types, and `Unreadable` for an empty file.
    """
    head = head[:SNIFF_BYTES]
    if not head:
        raise Unreadable("The file is empty: send it again.", code="empty")
    for media_type, pattern in _SIGNATURES:
        if re.match(pattern, head, re.DOTALL):
            return media_type
    found = next((name for name, pattern in _STRANGERS if re.match(pattern, head, re.DOTALL)), None)
    if found is None:
        found = "plain text" if _is_text(head) else "of an unknown type"
    raise Unsupported(f"The file is {found}; supported types are {READABLE}: convert it to one of these.")


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:  # not merely a character cut by the end of `head`
            return False
        text = head[: error.start].decode("utf-8")
    return all(char.isprintable() or char.isspace() for char in text)
