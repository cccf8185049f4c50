"""Programs of others, as commands. Each is started by `sh`, which waits for its parts one after the other."""

from __future__ import annotations

import shlex
import shutil
import subprocess

from .pages.page_set import Page
from .run import Run

INSTALL = "apt-get install tesseract-ocr tesseract-ocr-chi-sim"
LANGUAGES = ("eng", "chi_sim")


def language(page: Page) -> str:
    """Tesseract's languages for a page."""
    return "chi_sim+eng" if page.is_chinese else "eng"


def no_tesseract() -> str | None:
    """Why Tesseract cannot run here."""
    if shutil.which("tesseract") is None:
        return f"tesseract is not installed: {INSTALL}"
    listed = subprocess.run(["tesseract", "--list-langs"], capture_output=True, text=True, check=False).stdout
    if lacking := [name for name in LANGUAGES if name not in listed.split()]:
        return f"tesseract lacks {' and '.join(lacking)}: {INSTALL}"
    return None


def tesseract(run: Run) -> list[str]:
    """One process per language, with a list of images."""
    parts = []
    for name, pages in _by_language(run).items():
        listed = run.folder / f"{name}.list"
        listed.write_text("".join(f"{page.path}\n" for page in pages))
        parts.append(shlex.join(["tesseract", str(listed), str(run.folder / name), "-l", name]))
    return ["sh", "-c", " && ".join(parts)]


def tesseract_lines(run: Run) -> list[list[str]]:
    """The text of each page ends with a form feed."""
    found: dict[Page, list[str]] = {}
    for name, pages in _by_language(run).items():
        texts = (run.folder / f"{name}.txt").read_text(encoding="utf-8").split("\f")
        found |= {page: text.splitlines() for page, text in zip(pages, texts, strict=False)}
    return [found[page] for page in run.pages]


def no_ocrmypdf() -> str | None:
    """Why OCRmyPDF cannot run here."""
    if shutil.which("ocrmypdf") is None:
        return "ocrmypdf is not installed: apt-get install ocrmypdf"
    return no_tesseract()


def ocrmypdf(run: Run) -> list[str]:
    """One process per page: it takes one image and makes one PDF; the text is asked for as well."""
    parts = []
    for page in run.pages:
        text = run.folder / f"{page.path.stem}.txt"
        options = ["-l", language(page), "--jobs", "1", "--optimize", "0", "--output-type", "pdf", "--quiet"]
        options += ["--image-dpi", "200", "--sidecar", str(text)]
        parts.append(shlex.join(["ocrmypdf", *options, str(page.path), str(run.folder / "out.pdf")]))
    return ["sh", "-c", " && ".join(parts)]


def ocrmypdf_lines(run: Run) -> list[list[str]]:
    """The sidecar of each page."""
    texts = ((run.folder / f"{page.path.stem}.txt").read_text(encoding="utf-8") for page in run.pages)
    return [text.splitlines() for text in texts]


def no_docling() -> str | None:
    """Why docling cannot be started; whether its models are there, only it knows."""
    if shutil.which("docling") is None:
        return "docling is not installed: pipx install docling && docling-tools models download"
    return None


def docling(run: Run) -> list[str]:
    """All pages in one process."""
    options = ["--from", "image", "--to", "text", "--device", "cpu", "--num-threads", "1"]
    return ["docling", *options, "--output", str(run.folder), *run.paths]


def docling_lines(run: Run) -> list[list[str]]:
    """The text file of each page."""
    texts = ((run.folder / f"{page.path.stem}.txt").read_text(encoding="utf-8") for page in run.pages)
    return [text.splitlines() for text in texts]


def _by_language(run: Run) -> dict[str, list[Page]]:
    found: dict[str, list[Page]] = {}
    for page in run.pages:
        found.setdefault(language(page), []).append(page)
    return found
