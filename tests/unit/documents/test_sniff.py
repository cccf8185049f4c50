from __future__ import annotations

import pytest

from pipeline.documents.open import open_document
from pipeline.documents.sniff import sniff
from pipeline.errors import OverLimit, Unreadable, Unsupported
from pipeline.limits import Limits


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
        (b"%PDF-1.4", "application/pdf"),
        (b"\n" * 1019 + b"%PDF-1.4", "application/pdf"),
    ],
)
def test_type_is_detected_from_the_bytes(head: bytes, media_type: str) -> None:
    assert sniff(head) == media_type


@pytest.mark.parametrize(
    ("head", "word"),
    [
        (b"8BPS\x00\x01", "Photoshop"),
        (b"icns\x00\x12", "ICNS"),
        (b"\x01\xda\x01\x02", "SGI"),
        (b"\x00\x00\x01\x00\x01\x00", "icon"),
        (b"SIMPLE  =    T", "FITS"),
        (b"P6 3 2 255\n", "PNM"),
        (b"PK\x03\x04", "ZIP"),
        (b"\x00\x00\x00\x18ftypheic", "HEIC"),
        (bytes(128) + b"DICM", "DICOM"),
        (b"<?xml version='1.0'?>", "XML"),
        ("发票号码：".encode() * 200, "plain text"),
        (b"BMW invoice of today", "plain text"),
        (bytes(range(1, 60)), "an unknown type"),
        (b"\n" * 1020 + b"%PDF-1.4", "plain text"),
    ],
)
def test_other_types_are_named_and_refused(head: bytes, word: str) -> None:
    with pytest.raises(Unsupported, match=word) as caught:
        sniff(head)
    assert "TIFF and PDF" in caught.value.message


def test_an_empty_file_is_reported() -> None:
    with pytest.raises(Unreadable, match="empty") as caught:
        open_document(b"", Limits())
    assert caught.value.code == "empty"


def test_text_named_pdf_is_refused_as_text() -> None:
    with pytest.raises(Unsupported, match="plain text"):
        open_document(b"Dear sir, please find the invoice below.\n", Limits())


def test_too_many_bytes_name_limit_and_setting() -> None:
    with pytest.raises(OverLimit, match=r"is 2 MiB.* limit of 1 MiB.*NIGHTSHIFT_MAX_BYTES"):
        open_document(b"%PDF-1.4" + bytes(2 * 1024**2), Limits(max_bytes=1024**2))
