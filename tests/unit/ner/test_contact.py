"""EMAIL, URL."""

from __future__ import annotations

import pytest

from pipeline.ner.overlap import resolve
from pipeline.ner.patterns.contact import find_emails, find_urls


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
