"""Pages that are made here: drawn, then degraded as a scanner and JPEG do, from a seed."""

from __future__ import annotations

from pathlib import Path
from random import Random

from .drawing import KINDS
from .page_set import NoPages, Page, PageSet

from _paper import FontMissingError  # isort: skip - `drawing` makes these two known
from _scanner import jpeg, scan  # isort: skip


def made(folder: Path, count: int, seed: int) -> PageSet:
    """Write `count` pages to `folder`: receipt, invoice, letter, each in English and in Chinese, and again.

    The same seed and library versions give the same bytes; the first pages do not depend on `count`. Raises `NoPages`
    where the font is missing.
    """
    try:
        return PageSet(f"made, seed {seed}", tuple(_page(folder, n, seed) for n in range(count)))
    except FontMissingError as error:
        raise NoPages(str(error)) from error


def _page(folder: Path, n: int, seed: int) -> Page:
    rng = Random(f"{seed}/{n}")
    chinese, kind = bool(n % 2), KINDS[n // 2 % len(KINDS)]
    dpi = rng.choice((150, 200))
    sheet = kind(rng, chinese, dpi)
    grey = rng.randint(236, 252)
    image = scan(
        sheet.image,
        rng.randrange(2**32),
        skew=rng.uniform(-1.0, 1.0),
        noise=rng.uniform(3.0, 8.0),
        tint=(grey, grey, grey - rng.randint(0, 8)),
        soft=rng.uniform(0.5, 1.1),
    )
    path = folder / f"{n:04}-{kind.__name__}-{'zh' if chinese else 'en'}.jpg"
    path.write_bytes(jpeg(image, rng.randint(35, 70), dpi))
    return Page(path, tuple(sheet.lines))
