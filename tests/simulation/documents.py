"""What the producers submit: bytes whose reading is simulated too, and how each of them may end.

A document is one line of text, such as `sim doc3 pages=4 unreadable=2`: its number of pages, and what is wrong with it.
"""

from __future__ import annotations

import hashlib
import random
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pipeline.errors import OverLimit, Unreadable
from pipeline.models import ModelInfo, Page
from pipeline.steps.task_types import Step, TaskType

MAX_PAGES = 6
LARGE = "max_pages"
CURE = "render_dpi"
"""The setting with which a redrive reads a page that could not be read."""
SLOW = 2.0
"""Seconds that each page of a slow document takes to be decoded: more than its share, far less than its limit."""
FURTHER = "simulated"
TASK_TYPES = {
    name: TaskType(name, steps)
    for name, steps in (
        ("document", ("ocr", "ner")),
        ("ocr", ("ocr",)),
        ("nlp", ("ner",)),
        (FURTHER, ("ocr", "ner", Step("check", lambda _: {"checked": "yes"}))),
    )
}


@dataclass(frozen=True)
class Kind:
    """A kind of document: what its bytes say, and how it may end when nothing else goes wrong."""

    name: str
    marks: str
    ends: frozenset[str]


KINDS = (
    Kind("good", "", frozenset({"done"})),
    Kind("damaged", "damaged", frozenset({"unreadable"})),
    Kind("large", f"pages={MAX_PAGES + 2}", frozenset({"over_limit", "done"})),
    Kind("part", "unreadable=1", frozenset({"partial", "unreadable", "done"})),
    Kind("slow", "slow", frozenset({"done"})),
    Kind("crash", "crash=1", frozenset({"poison", "partial", "done"})),
)


def draw(rng: random.Random, name: str) -> tuple[Kind, bytes]:
    """A document: its kind and its bytes."""
    kind = rng.choices(KINDS, (12, 1, 1, 1, 1, 1))[0]
    pages = "" if "pages=" in kind.marks else f" pages={rng.choice((1, 1, 2, 3, 5))}"
    return kind, f"sim {name}{pages} {kind.marks}".strip().encode()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Opened:
    """An open simulated document."""

    media_type = "image/png"
    decoding = 0.0
    size = 0

    def __init__(self, text: str) -> None:
        self.text, self.sha256 = text, sha256(text.encode())
        found = re.search(r"pages=(\d+)", text)
        self.page_count = int(found[1]) if found else 1
        self.unreadable = {int(n) for n in re.findall(r"unreadable=(\d+)", text)}
        self.crash = {int(n) for n in re.findall(r"crash=(\d+)", text)}

    def __enter__(self) -> Opened:
        return self

    def __exit__(self, *_: Any) -> None:
        """Nothing to release."""


@lru_cache(maxsize=512)
def _opened(data: bytes) -> Opened:
    return Opened(data.decode())


def open_document(data: bytes, limits: Any) -> Opened:
    """In place of `pipeline.documents.open.open_document`."""
    document = _opened(data)
    if "damaged" in document.text:
        raise Unreadable("The simulated document is damaged.", code="unreadable")
    if document.page_count > limits.max_pages:
        raise OverLimit("The simulated document has too many pages.")
    return document


def page(document: Opened, number: int, *, cured: bool) -> Page:
    """What is read on a page; raises `Unreadable`."""
    if number in document.unreadable and not cured:
        raise Unreadable(f"Page {number} of the simulated document can't be read.", code="unreadable")
    return _page(document.sha256, number)


@lru_cache(maxsize=4096)
def _page(sha: str, number: int) -> Page:
    return Page(number=number, width=1, height=1, text=f"{sha} {number}")


@lru_cache(maxsize=64)
def model(kind: str, version: str) -> ModelInfo:
    """A model whose digest depends on its version alone."""
    return ModelInfo(engine=kind, name=version, digest=sha256(f"{kind} {version}".encode())[:16])
