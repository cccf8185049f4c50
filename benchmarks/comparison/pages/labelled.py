"""Labelled pages of a folder: `sroie/img` with `sroie/box`, or `img` with `text`."""

from __future__ import annotations

from pathlib import Path

from .page_set import NoPages, Page, PageSet

_IMAGES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp")


def labelled(data: Path, count: int) -> PageSet:
    """Up to `count` pages, spread evenly over those that are there.

    `sroie/box/NAME.csv`: x1,y1..x4,y4,TRANSCRIPT per line (ICDAR 2019 SROIE). `text/NAME.txt`: the page's lines,
    UTF-8. Raises `NoPages`.
    """
    sroie = data / "sroie" / "img"
    images = sroie if sroie.is_dir() else data / "img"
    found = sorted(path for path in images.glob("*") if path.suffix.lower() in _IMAGES)
    pages = [Page(path, transcript(path)) for path in found if _labels(path).exists()]
    if not pages:
        raise NoPages(
            f"No labelled pages in {data}: expected sroie/img with sroie/box, or img/NAME.jpg with text/NAME.txt."
        )
    step = max(1, len(pages) // count)
    return PageSet("sroie" if images == sroie else "own", tuple(pages[::step][:count]))


def transcript(image: Path) -> tuple[str, ...]:
    """The lines printed on a page, by the file of labels next to its folder."""
    rows = _labels(image).read_text(encoding="utf-8", errors="replace").splitlines()
    if _labels(image).suffix == ".txt":
        return tuple(rows)
    return tuple(row.split(",", 8)[8] for row in rows if row.count(",") >= 8)


def _labels(image: Path) -> Path:
    text = image.parent.parent / "text" / f"{image.stem}.txt"
    return text if text.exists() else image.parent.parent / "box" / f"{image.stem}.csv"
