"""PHONE, EMAIL, URL."""

from __future__ import annotations

import pytest

from pipeline.ner.overlap import resolve
from pipeline.ner.patterns.contact import find_emails, find_phones, find_urls

PHONES = [
    ("电话13800138000", "13800138000", "+8613800138000"),
    ("请拨138 0013 8000。", "138 0013 8000", "+8613800138000"),
    ("+86 138-0013-8000", "+86 138-0013-8000", "+8613800138000"),
    ("座机 010-62345678", "010-62345678", "+861062345678"),
    ("座机(0755)82345678", "(0755)82345678", "+8675582345678"),
    ("客服 400-812-3456", "400-812-3456", "4008123456"),
    ("地址、电话：某市某路61号68744498", "68744498", "68744498"),
    ("Tel: +603-3362 4137", "+603-3362 4137", "+60333624137"),
    ("TEL : 03-89410243", "03-89410243", "0389410243"),
    ("Tel:03-3362 4395 Faks", "03-3362 4395", "0333624395"),
    ("TEL: 012 - 6651783", "012 - 6651783", "0126651783"),
    ("Tel No. 03-6259-6498", "03-6259-6498", "0362596498"),
    ("FAX:0390542829", "0390542829", "0390542829"),
    ("call +44 20 7946 0958", "+44 20 7946 0958", "+442079460958"),
    ("016-5498845,", "016-5498845", "0165498845"),
]
NOT_PHONES = [
    "6222021001116245",
    "GST ID: 000849813504",
    "hotel 1234567",
    "TEL 123",
    "(1072825-A)",
    "2012-0029",
    "138001380001",
    "25-12-2018",
    "180321142900",
]


@pytest.mark.parametrize(("text", "span", "value"), PHONES)
def test_phone(text: str, span: str, value: str) -> None:
    (mention,) = resolve(find_phones(text))
    assert (text[mention.start : mention.end], mention.value) == (span, value)


def test_several_numbers_after_one_label() -> None:
    values = [m.value for m in resolve(find_phones("TEL:03-51221701, 51313091 FAX: 03-51215716"))]
    assert values == ["0351221701", "51313091", "0351215716"]


@pytest.mark.parametrize("text", NOT_PHONES)
def test_no_phone(text: str) -> None:
    assert list(find_phones(text)) == []


def test_email() -> None:
    text = "mail: first.last+tag@Example.COM.my."
    (mention,) = find_emails(text)
    assert (text[mention.start : mention.end], mention.value) == (
        "first.last+tag@Example.COM.my",
        "first.last+tag@example.com.my",
    )


@pytest.mark.parametrize(
    "text", ["a@b", "@example.com", "user@@example.com", "a..b@example.com", "RICE@PERMAS JAYA"]
)
def test_no_email(text: str) -> None:
    assert list(find_emails(text)) == []


@pytest.mark.parametrize(
    ("text", "span", "value"),
    [
        ("see HTTP://Example.com/A?b=1.", "HTTP://Example.com/A?b=1", "http://example.com/A?b=1"),
        ("网址www.example.com.cn，欢迎", "www.example.com.cn", "www.example.com.cn"),
        ("POWERED BY EXAMPLE.COM.MY", "EXAMPLE.COM.MY", "example.com.my"),
        ("https://t.example/x（下载）", "https://t.example/x", "https://t.example/x"),
    ],
)
def test_url(text: str, span: str, value: str) -> None:
    (mention,) = resolve(find_urls(text))
    assert (text[mention.start : mention.end], mention.value) == (span, value)


@pytest.mark.parametrize("text", ["user@example.com", "MR. D.I.Y.", "file.txt", "12.50", "e.g. this"])
def test_no_url(text: str) -> None:
    assert list(find_urls(text)) == []
