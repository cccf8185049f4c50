"""File names, URLs and sentences, which may name a person or have a number of one."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import PurePosixPath

from pipeline.mask_policy import IDS, policy
from pipeline.tables.masking.repeats import NO_TERMS, Terms
from pipeline.tables.masking.sensitive import mask_text, sensitive_spans
from pipeline.tables.masking.spans import Span, Spans, mask_spans

_OPAQUE = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
    r"|(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{12,64})(?![0-9A-Za-z])"
)
"""UUIDs and hashes: what looks like a number in them is none."""
_NUMBER = re.compile(r"[0-9](?:[ .-]?[0-9]){6,}")
"""Seven digits or more."""
_TIMES = (
    "%Y%m%d",
    "%Y%m%d%H%M%S",
    "%Y-%m-%d",
    "%Y.%m.%d",
    "%Y%m%d%H%M",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%Y-%m-%d-%H%M%S",
)
_YEAR = re.compile(r"(?:19|20)[0-9]{2}.*|.*[.-](?:19|20)[0-9]{2}")
"""Where it is in any of them; most numbers have none, and to try all of them takes long."""
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,5}\Z")
_DIGITS = 12
_HIDDEN = "***"
_PLACE = re.compile(
    r"(?:file|s3|https?|amqps?)://[^\s\"'<>]+|(?<![\w/])/[^\s/\"'<>]+(?:/[^\s/\"'<>]+)+"
    r"|[^\s\"'<>/]+\.(?:pdf|jpe?g|png|tiff?|webp|bmp|gif|heic|docx?|xlsx?|pptx?|odt|eml|msg|html?|txt|csv|xml|zip)\b",
    re.IGNORECASE,
)
"""URLs, paths and names of files inside a sentence."""
_QUOTED = re.compile(r'"([^"\n]*)"')
_PLAIN_VALUE = re.compile(r"[-+0-9., :/%]*|[A-Z]{3}")
"""Quoted values that may be seen: amounts, dates, currencies."""


def masked_source(source: str, mask: str = IDS, sha256: str | None = None) -> str:
    """A source as it may be shown.

    Where names are masked: the beginning of the document's hash and the file's suffix. Else the source, with what is
    sensitive in it and all numbers of seven digits and more masked, but not dates.
    """
    rules = policy(mask)
    if not rules.kinds or not source:
        return source
    if rules.hides_names:
        suffix = _SUFFIX.search(PurePosixPath(source.split("?", 1)[0]).name)
        return (sha256[:_DIGITS] if sha256 else _HIDDEN) + (suffix[0] if suffix else "")
    spaced = source.replace("_", " ").replace("/", "\n").replace("%20", "   ").replace("%40", "@  ")
    spans = [*sensitive_spans(spaced, (), mask)]
    numbers = (one for one in _NUMBER.finditer(source) if not _is_time(one[0]))
    spans += [Span(*one.span()) for one in numbers if not _inside(spans, *one.span())]
    opaque = [one.span() for one in _OPAQUE.finditer(source)]
    shown = [one for one in spans if not any(a < one.end and one.start < b for a, b in opaque)]
    return mask_spans(source, Spans(sorted(shown)))


def masked_sentence(
    text: str, mask: str = IDS, *, source: str = "", sha256: str | None = None, repeated: Terms = NO_TERMS
) -> str:
    """A sentence for people, such as the reason of a failure, as it may be shown; `source`: which it may name."""
    rules = policy(mask)
    if not rules.kinds or not text:
        return text
    for name in {source, PurePosixPath(source.rsplit("!", 1)[-1]).name} - {""}:
        text = text.replace(name, masked_source(name, mask, sha256))
    if not rules.hides_names and "@" not in text and sum(map(str.isdigit, text)) < 4:
        return text
    text = _PLACE.sub(lambda match: masked_source(match[0], mask), text)
    if rules.everything:
        text = _QUOTED.sub(lambda match: match[0] if _PLAIN_VALUE.fullmatch(match[1]) else '"***"', text)
    parts, at = [], 0
    for one in (*_OPAQUE.finditer(text), None):
        end = one.start() if one else len(text)
        parts += [mask_text(text[at:end], mask, repeated), one[0] if one else ""]
        at = one.end() if one else end
    return "".join(parts)


def _is_time(digits: str) -> bool:
    for form in _TIMES if _YEAR.fullmatch(digits) else ():
        try:
            return 1900 <= datetime.strptime(digits, form).year <= 2099
        except ValueError:
            continue
    return False


def _inside(spans: list[Span], start: int, end: int) -> bool:
    return any(one.start <= start and end <= one.end for one in spans)
