from __future__ import annotations

import time

import pytest

from pipeline.documents.open import open_document
from pipeline.documents.sniff import HTML, TEXT_FILE, sniff
from pipeline.errors import Encrypted, OverLimit, Unreadable, Unsupported
from pipeline.limits import Limits
from tests.support.containers import ole_file, package


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"RIFF\x10\x0a\x0a\x00WEBPVP8 ", "image/webp"),
        (b"GIF89a", "image/gif"),
        (b"BM" + bytes(12) + b"\x28\x00\x00\x00", "image/bmp"),
        (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "image/jp2"),
        (b"\xff\x4f\xff\x51", "image/j2c"),
        (b"II*\x00", "image/tiff"),
        (b"MM\x00*", "image/tiff"),
        (b"II+\x00", "image/tiff"),
        (b"\x00\x00\x00\x18ftypheic\0\0\0\0mif1heic", "image/heif"),
        (b"\x00\x00\x00\x18ftypmif1\0\0\0\0mif1heic", "image/heif"),
        (b"\x00\x00\x00\x20ftypavif\0\0\0\0avifmif1", "image/avif"),
        (b"\x00\x00\x00\x20ftypmif1\0\0\0\0mif1avif", "image/avif"),
        (b"%PDF-1.4", "application/pdf"),
        (b"\n" * 1019 + b"%PDF-1.4", "application/pdf"),
    ],
)
def test_type_is_detected_from_the_bytes(head: bytes, media_type: str) -> None:
    assert sniff(head) == media_type


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        ("发票号码：".encode() * 200, TEXT_FILE),
        ("发票号码：三月".encode("gb18030"), TEXT_FILE),
        ("請求書".encode("cp932"), TEXT_FILE),
        ("Straße 5\r\n".encode("cp1252"), TEXT_FILE),
        ("Dear sir".encode("utf-16"), TEXT_FILE),
        (b"Date: today\nTotal: 5 EUR\n", TEXT_FILE),
        (b"Dear sir, please find the invoice below.\n", TEXT_FILE),
        (b"<!DOCTYPE html><html><body>x", HTML),
        (b"\xef\xbb\xbf\n<HTML>", HTML),
        (b"<!-- made by hand -->\n<html lang=de>", HTML),
        (b'<?xml version="1.0"?><!DOCTYPE html PUBLIC "x"><html>', HTML),
    ],
)
def test_text_is_text_in_any_encoding(head: bytes, media_type: str) -> None:
    assert sniff(head) == media_type


MAIL = b"Return-Path: <a@b.example>\nFrom: a@b.example\nTo: c@d.example\nMIME-Version: 1.0\n\nhello"


@pytest.mark.parametrize(
    ("head", "word"),
    [
        (b"8BPS\x00\x01", "Photoshop"),
        (b"icns\x00\x12", "ICNS"),
        (b"\x01\xda\x01\x02", "SGI"),
        (b"\x00\x00\x01\x00\x01\x00", "icon"),
        (b"SIMPLE  =    T", "FITS"),
        (b"P6 3 2 255\n", "PNM"),
        (bytes(128) + b"DICM", "DICOM"),
        (bytes(range(1, 60)), "an unknown type"),
    ],
)
def test_other_types_are_named_and_refused(head: bytes, word: str) -> None:
    with pytest.raises(Unsupported, match=word) as caught:
        sniff(head)
    assert "supported types are PDF, JPEG" in caught.value.message


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (package("a.txt"), r"a ZIP archive: give it as a file to `nightshift run`"),
        (b"PK\x03\x04", r"damaged ZIP archive"),
        (
            package("[Content_Types].xml", "ppt/presentation.xml"),
            r"PowerPoint presentation: export it as a PDF",
        ),
        (package("OFD.xml"), r"an OFD document: export"),
        (package("mimetype", text="application/vnd.oasis.opendocument.text"), r"OpenDocument text: export"),
        (package("mimetype", text="application/epub+zip"), r"e-book"),
        (b"7z\xbc\xaf\x27\x1c", r"7z, RAR.*: unpack it first"),
        (MAIL, r"an e-mail: give it as a file to `nightshift run`"),
        (b"From MAILER Mon May  6\n" + MAIL, r"an e-mail"),
        (b"\x78\x9f\x3e\x22\x01", r"winmail\.dat.*: ask the sender"),
        (b"<?xml version='1.0'?><Invoice/>", r"XML.*: export it as a PDF"),
        (b"{\\rtf1 x}", r"RTF.*: export"),
        (b"4 0 obj\n<</Length 5>>", r"a PDF whose beginning is missing: send it again"),
        (b"MZ" + bytes(100), r"Windows program"),
        (ole_file(["WordDocument"]), r"old Word document \(\.doc\): save it as \.docx"),
        (ole_file(["PowerPoint Document"]), r"old PowerPoint"),
        (ole_file(["__properties_version1.0"]), r"Outlook message \(\.msg\): give it as a file to"),
        (ole_file(["Catalog", "1"]), r"Thumbs\.db\): leave it out"),
        (ole_file(["256_1b2c"]), r"Thumbs\.db"),
        (ole_file(["Foreign"]), r"OLE file of an unknown program"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", r"damaged OLE file"),
    ],
)
def test_every_refusal_says_what_it_is_and_what_to_do(data: bytes, sentence: str) -> None:
    with pytest.raises(Unsupported, match=sentence):
        sniff(data)


def test_an_office_document_with_a_password_is_encrypted() -> None:
    with pytest.raises(Encrypted, match="password"):
        sniff(ole_file(["EncryptionInfo", "EncryptedPackage"]))


def test_a_page_of_comments_is_looked_at_once() -> None:
    started = time.process_time()
    for page in (b"<!---->" * 140 + b"x", b"<!--" + b"-->" * 300, b"<!-- --> " * 110 + b"<!--"):
        with pytest.raises(Unsupported):
            sniff(page)
    assert sniff(b"<!-- a --> <!-- b --><p>text</p>") == HTML
    assert time.process_time() - started < 1


def test_an_empty_file_is_reported() -> None:
    with pytest.raises(Unreadable, match="empty") as caught:
        open_document(b"", Limits())
    assert caught.value.code == "empty"


def test_too_many_bytes_name_limit_and_setting() -> None:
    with pytest.raises(OverLimit, match=r"is 2 MiB.* limit of 1 MiB.*NIGHTSHIFT_MAX_BYTES"):
        open_document(b"%PDF-1.4" + bytes(2 * 1024**2), Limits(max_bytes=1024**2))
