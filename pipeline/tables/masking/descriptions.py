"""Descriptions of line items, which are not parts of a page's text but are made of its words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.mask_policy import IDS
from pipeline.models import Page
from pipeline.ner.characters import plain
from pipeline.tables.masking.sensitive import mask_text
from pipeline.tables.masking.spans import Spans, mask


def masked_descriptions(
    texts: Sequence[str], page: Page | None, spans: Spans, policy: str = IDS
) -> list[str]:
    """Descriptions of line items of one page, with what is sensitive there, or in them, masked."""
    hidden: dict[str, dict[int, dict[str, str]]] = {}  # by first word, then by length: many may begin alike
    for start, end, whole in spans:
        words = plain(page.text[start:end]).split() if page else []
        if words:
            text = " ".join(words)
            hidden.setdefault(words[0], {}).setdefault(len(text), {})[text] = mask(text, whole=whole)
    found = []
    for text in texts:
        shown = " ".join(text.split())
        for at, word in list(_words(shown)):
            for length, masked in hidden.get(word, {}).items():
                sensitive = shown[at : at + length]
                if sensitive in masked:
                    shown = shown.replace(sensitive, masked[sensitive])
        found.append(shown)
    # one search for all of them: they have no line feeds
    return mask_text("\n".join(found), policy).split("\n") if found else []


def _words(text: str) -> Iterator[tuple[int, str]]:
    """The words of a text that has single blanks, with their places."""
    at = 0
    for word in text.split(" "):
        yield at, word
        at += len(word) + 1
