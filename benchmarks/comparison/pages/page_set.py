"""A set of pages and their transcripts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from PIL import Image

HAN = ("\u4e00", "\u9fff")


class NoPages(Exception):
    """There are no pages to compare on; the message says why, and what to do."""


class Page(NamedTuple):
    """An image file, and the lines printed on it, in any order."""

    path: Path
    lines: tuple[str, ...]

    @property
    def is_chinese(self) -> bool:
        """Whether Chinese is printed on it."""
        return any(HAN[0] <= char <= HAN[1] for line in self.lines for char in line)


@dataclass(frozen=True)
class PageSet:
    """Pages with different names. `source`: where they come from, for the record."""

    source: str
    pages: tuple[Page, ...]

    def first(self, count: int) -> PageSet:
        """The first `count` of them."""
        return PageSet(self.source, self.pages[:count])

    def facts(self) -> dict[str, object]:
        """What identifies the set: count, size, and a hash of all files in their order."""
        digest, pixels = hashlib.sha256(), 0
        for page in self.pages:
            digest.update(page.path.read_bytes())
            with Image.open(page.path) as image:
                pixels += image.width * image.height
        return {
            "source": self.source,
            "count": len(self.pages),
            "chinese": sum(page.is_chinese for page in self.pages),
            "megapixels": round(pixels / 1e6, 2),
            "characters": sum(len(line) for page in self.pages for line in page.lines),
            "sha256": digest.hexdigest(),
        }
