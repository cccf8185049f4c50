"""Detect a document's type from its bytes, never from its name."""

from __future__ import annotations

import io
import re
import zipfile

from pipeline.documents import einvoice, encodings, ole
from pipeline.errors import Encrypted, Unreadable, Unsupported

SNIFF_BYTES = 1024
"""How much of a document `sniff` inspects: a PDF's header may follow that many bytes of junk."""


READABLE = (
    "PDF, JPEG, PNG, WebP, BMP, GIF, JPEG 2000, HEIC, AVIF and TIFF, text, HTML, Word (.docx), Excel or "
    "OpenDocument spreadsheets, and XML invoices (CII, UBL)"
)

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
OLD_SHEET = "application/vnd.ms-excel"
OPEN_SHEET = "application/vnd.oasis.opendocument.spreadsheet"
HTML = "text/html"
XML_INVOICE = "application/xml"
TEXT_FILE = "text/plain; charset=unknown"
"""A text file, laid out on pages; `pipeline.models.TEXT` is the text of a message, which has no pages."""


NAMES = {
    "image/jpeg": "JPEG image",
    "image/png": "PNG image",
    "image/webp": "WebP image",
    "image/bmp": "BMP image",
    "image/gif": "GIF image",
    "image/jp2": "JPEG 2000 image",
    "image/j2c": "JPEG 2000 image",
    "image/tiff": "TIFF image",
    "image/heif": "HEIC image",
    "image/avif": "AVIF image",
    "application/pdf": "PDF",
    WORD: "Word document",
    SHEET: "Excel workbook",
    OLD_SHEET: "Excel workbook",
    OPEN_SHEET: "OpenDocument spreadsheet",
    HTML: "web page",
    XML_INVOICE: "XML invoice",
    TEXT_FILE: "text",
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
    ("image/avif", rb".{4}ftypavi[fs]|.{4}ftyp(?:mif1|msf1).{4}.{0,40}?avi[fs]"),
    ("image/heif", rb".{4}ftyp(?:hei[cxms]|hev[cxms]|mif[12]|msf1)"),
    ("application/pdf", rb".{0,1019}?%PDF-"),
)


_EXPORT = "export it as a PDF"
_UNPACK = "unpack it first"
_SUBMIT = "give it as a file to `nightshift run` or `nightshift submit`, which take it apart"
_RESEND = "ask the sender to send it as HTML or plain text"
_DECRYPT = "save the e-mail without signature and encryption"

_PACKAGES = (
    ("ppt/presentation.xml", "a PowerPoint presentation"),
    ("application/vnd.oasis.opendocument.text", "an OpenDocument text"),
    ("application/vnd.oasis.opendocument.presentation", "an OpenDocument presentation"),
    ("application/vnd.oasis.opendocument", "an OpenDocument file"),
    ("application/epub", "an e-book (EPUB)"),
    ("OFD.xml", "an OFD document"),
    ("Index/Document.iwa", "a Pages, Numbers or Keynote document"),
    ("FixedDocSeq.fdseq", "an XPS document"),
    ("visio/document.xml", "a Visio drawing"),
    ("AndroidManifest.xml", "an Android program"),
    ("META-INF/MANIFEST.MF", "a Java program"),
    ("[Content_Types].xml", "an Office document of another program"),
)
_COMPOUNDS = {
    "word": ("an old Word document (.doc)", "save it as .docx, or export it as a PDF"),
    "powerpoint": ("an old PowerPoint presentation (.ppt)", _EXPORT),
    "outlook": ("an Outlook message (.msg)", _SUBMIT),
    "visio": ("an old Visio drawing", _EXPORT),
    "publisher": ("a Publisher document", _EXPORT),
    "project": ("a Project plan", _EXPORT),
    "thumbnails": ("a thumbnail database of Windows (Thumbs.db)", "leave it out"),
    "installer": ("a Windows installer (MSI)", "send documents only"),
    "damaged": (
        "a damaged OLE file (old Office document or Outlook message)",
        "save it again, or export it as a PDF",
    ),
}

_STRANGERS: tuple[tuple[str, str, bytes], ...] = (
    ("a Photoshop file", "", rb"8BPS"),
    ("an Apple icon (ICNS)", "", rb"icns"),
    ("an SGI image", "", rb"\x01\xda[\x00\x01][\x01\x02]"),
    ("a Windows icon or cursor", "", rb"\x00\x00[\x01\x02]\x00[^\x00]\x00"),
    ("a DirectDraw texture (DDS)", "", rb"DDS "),
    ("a FITS image", "", rb"SIMPLE  ="),
    ("a PNM image (PBM, PGM, PPM or PAM)", "", rb"P[1-7]\s?[\d#]|P7 332|P7\n"),
    ("a Microsoft Paint image (MSP)", "", rb"DanM|LinS"),
    ("an EMF or WMF drawing", "", rb"\x01\x00\x00\x00.{36} EMF|\xd7\xcd\xc6\x9a"),
    (
        "a video or sound",
        "send documents only",
        rb".{4}ftyp|\x1aE\xdf\xa3|RIFF.{4}(?:AVI |WAVE)|ID3|OggS|fLaC",
    ),
    ("a JPEG XL image", "", rb"\xff\x0a|\x00\x00\x00\x0cJXL "),
    ("a DICOM image", "", rb".{128}DICM"),
    ("a DjVu document", "", rb"AT&TFORM"),
    (
        "a 7z, RAR, gzip, bzip2 or xz archive",
        _UNPACK,
        rb"\x1f\x8b|7z\xbc\xaf\x27\x1c|Rar!\x1a|BZh|\xfd7zXZ|.{257}ustar",
    ),
    ("a Windows program", "send documents only", rb"MZ.{58}"),
    ("a Linux program", "send documents only", rb"\x7fELF"),
    ("winmail.dat, an e-mail in a form that only Outlook opens", _RESEND, rb"\x78\x9f\x3e\x22"),
    ("an Outlook mailbox (PST)", "save each e-mail as an .eml file", rb"!BDN"),
    (
        "a signed or encrypted part of an e-mail (S/MIME)",
        _DECRYPT,
        rb"\x30[\x80-\x84].{0,4}\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07",
    ),
    ("a font", "send documents only", rb"\x00\x01\x00\x00\x00|OTTO|ttcf|wOF[F2]"),
    ("a database (SQLite)", "export what is to be read", rb"SQLite format 3"),
    ("a rich-text document (RTF)", _EXPORT, rb"\{\\rtf"),
    ("a PostScript file", "", rb"%!PS|\xc5\xd0\xd3\xc6"),
    ("a key or certificate", "send documents only", rb"-----BEGIN "),
    ("an XML document or drawing", _EXPORT, rb"(?:\xef\xbb\xbf)?\s*<(?:\?xml|svg|!--)"),
    (
        "a web archive (MHTML)",
        _EXPORT,
        rb"(?:From: <?Saved by |MIME-Version: 1\.0\r?\nContent-Type: multipart/related)",
    ),
    ("a PDF whose beginning is missing", "send it again", rb"\s*\d+ \d+ obj\b"),
)
"""What is refused by its name: what it is, and what to do if that is not to convert it."""

_HTML = re.compile(
    # each comment ends once: trying its other possible ends as well takes hours for a file of a few hundred of them
    rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?\s*(?:<\?xml[^>]*>\s*)?(?><!--.{0,900}?-->\s*)*+"
    rb"<(?:!doctype html|html|head|body|table|div|p|h1|meta)\b",
    re.IGNORECASE | re.DOTALL,
)
_FIELD = re.compile(
    rb"^(?:From [^\n]*\n)?((?:[\x21-\x39\x3b-\x7e]{1,76}:[^\n]*\r?\n(?:[ \t][^\n]*\r?\n)*){2,})"
)
_MAIL_FIELD = re.compile(
    rb"^(?:Received|Return-Path|Delivered-To|Message-ID|MIME-Version|DKIM-Signature|Date|X-Mailer|X-[\w-]+):",
    re.IGNORECASE | re.MULTILINE,
)
_FROM = re.compile(rb"^(?:From|Sender|Return-Path|Received):", re.IGNORECASE | re.MULTILINE)
_CONTROL = re.compile(rb"[\x00-\x06\x0e-\x19\x1c-\x1f\x7f]")


def sniff(data: bytes) -> str:
    """Detect the media type of a document; its first bytes (`SNIFF_BYTES`) are enough for all but Office documents.

    Raises `Unsupported` for all other types, and `Unreadable` for an empty file.
    """
    head = data[:SNIFF_BYTES]
    if not head:
        raise Unreadable("The file is empty: send it again.", code="empty")
    for media_type, pattern in _SIGNATURES:
        if re.match(pattern, head, re.DOTALL):
            return media_type
    if head.startswith(b"PK"):
        return _package(data)
    if head.startswith(ole.SIGNATURE):
        return _compound(data)
    if _HTML.match(head):
        return HTML
    if einvoice.is_einvoice(head):
        return XML_INVOICE
    for what, advice, pattern in _STRANGERS:
        if re.match(pattern, head, re.DOTALL):
            raise _unsupported(what, advice)
    if is_mail(head):
        raise _unsupported("an e-mail", _SUBMIT)
    if is_text(head):
        return TEXT_FILE
    raise _unsupported("of an unknown type")


def refuse_stranger(head: bytes) -> None:
    """Raise `Unsupported` where the first bytes of a document say already that it is none: the rest need not be had."""
    if head and not head.startswith((b"PK", ole.SIGNATURE)) and not is_mail(head):
        sniff(head)


def is_mail(head: bytes) -> bool:
    """Whether a document begins with the header of an e-mail: several fields, among them those that programs write."""
    fields = _FIELD.match(head)
    if not fields:
        return False
    return bool(_FROM.search(fields[1])) and len(set(_MAIL_FIELD.findall(fields[1]))) >= 1


def is_text(head: bytes) -> bool:
    """Whether bytes can be text in any common encoding: they hold no control characters."""
    if encodings.marked(head) or encodings.unmarked_wide(head):
        return True
    return not _CONTROL.search(head) and bool(head.strip(b"\xff\xfe \r\n\t"))


def _package(data: bytes) -> str:
    """The type of a document that is a zip archive, by the files in it."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            names = set(package.namelist())
            first = package.infolist()[0] if names else None
            kind = (
                package.read(first)[:100].decode("ascii", "replace")
                if first and first.filename == "mimetype"
                else ""
            )
    except Exception:  # hostile bytes make zipfile raise many types
        raise _unsupported("a damaged ZIP archive or Office document", "send it again") from None
    if "word/document.xml" in names:
        return WORD
    if any(name.startswith("xl/workbook.") for name in names):
        return SHEET
    if kind.startswith(OPEN_SHEET):
        return OPEN_SHEET
    for mark, what in _PACKAGES:
        if mark in names or kind.startswith(mark):
            raise _unsupported(what, _EXPORT)
    raise _unsupported("a ZIP archive", _SUBMIT)


def _compound(data: bytes) -> str:
    """The type of an OLE file, by the streams in it."""
    kind = ole.kind(data)
    if kind == "excel":
        return OLD_SHEET
    if kind == "encrypted":
        raise Encrypted("The Office document requires a password: remove the password and send it again.")
    raise _unsupported(*_COMPOUNDS.get(kind, ("an OLE file of an unknown program", _EXPORT)))


def _unsupported(what: str, advice: str = "") -> Unsupported:
    if advice:
        return Unsupported(f"The file is {what}: {advice}.")
    return Unsupported(f"The file is {what}; supported types are {READABLE}: convert it to one of these.")
