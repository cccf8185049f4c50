"""EMAIL, URL."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.models import Mention
from pipeline.ner.characters import found, plain

_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+-])(?P<box>[A-Za-z0-9][A-Za-z0-9._%+-]{0,63})@"
    r"(?P<host>(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,5}[A-Za-z]{2,24})(?![A-Za-z0-9])",
    re.ASCII,
)
_URL = re.compile(
    r"(?=[fhw])(?:https?://|ftp://|(?<![A-Za-z0-9@.-])www\.)[!-;=?-~]{3,300}", re.ASCII | re.IGNORECASE
)
_CLOSING = re.compile("[，；：！？（）]")
_DOMAIN = re.compile(
    r"(?<![A-Za-z0-9@./_-])(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,3}"
    r"(?:com|net|org|gov|edu|info|io|cn|my|sg|hk|uk|eu|de)(?:\.[a-z]{2})?(?:/[!-;=?-~]{0,200})?(?![A-Za-z0-9@.-])",
    re.ASCII | re.IGNORECASE,
)


def find_emails(text: str) -> Iterator[Mention]:
    """Yield the EMAIL mentions of `text` (the dot-atom form of RFC 5322); the host in lower case."""
    page = plain(text)
    for match in _EMAIL.finditer(page) if "@" in page else ():
        if ".." not in match["box"] and not match["box"].endswith("."):
            yield found("EMAIL", match.span(), 0.98, f"{match['box']}@{match['host'].lower()}")


def find_urls(text: str) -> Iterator[Mention]:
    """Yield the URL mentions of `text`: with a scheme, with www., or a bare name under a common domain.

    The value is the text as printed, scheme and host in lower case, without closing punctuation.
    """
    page = plain(text)
    for form, confidence in ((_URL, 0.97), (_DOMAIN, 0.75)):
        for match in form.finditer(page):
            # Full-width punctuation ends a URL, though its ASCII equivalent may be part of one.
            printed = _CLOSING.split(text[match.start() : match.end()], maxsplit=1)[0]
            url = match[0][: len(printed)].rstrip(".,;:!?'\"()[]{}")
            if "." not in url:
                continue
            scheme, mark, rest = url.rpartition("://")
            host, slash, path = rest.partition("/")
            value = (scheme + mark + host).lower() + slash + path
            yield found("URL", (match.start(), match.start() + len(url)), confidence, value)
