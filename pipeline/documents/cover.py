"""Whether the only page of a portfolio is nothing but a cover, asked in a process of its own.

Places are listed by processes that no guard may end, and a page made to exhaust a machine does so as soon as PDFium
opens it.
"""

from __future__ import annotations

import re
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pypdfium2 as pdfium

from pipeline import guard
from pipeline.sandbox import confine, environment, readable

COVER_CHARS = 1500
_VIEWER = re.compile(
    r"acrobat|adobe|foxit|portfolio|portafolio|portefeuille|porte-documents|viewer|reader", re.I
)
_MEMORY = 1024
"""MiB, for one page of little text."""
_SECONDS = 30.0
_NOT_ONLY = 3
"""Exit code for a page that says more."""


def is_cover(pdf: pdfium.PdfDocument) -> bool:
    """Whether the first page is blank, or about its viewer, or can't be read."""
    try:
        with closing(pdf[0]) as page, closing(page.get_textpage()) as text:
            chars = text.count_chars()
            return chars < 20 or (chars <= COVER_CHARS and bool(_VIEWER.search(text.get_text_range())))
    except (pdfium.PdfiumError, IndexError):
        return True


def is_cover_apart(file: Path | bytes) -> bool:
    """The same in a process of its own, about 0.3 s.

    A page that takes too much memory or time there is none: a worker reads it, so that its failure is recorded.
    """
    command = [sys.executable, "-m", "pipeline.documents.cover"]
    with suppress(subprocess.TimeoutExpired):
        data = file if isinstance(file, bytes) else file.read_bytes()
        ended = subprocess.run(  # noqa: S603 - no input in the command
            command,
            input=data,
            env=environment(),
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
        return ended.returncode == 0
    return False


def main() -> int:
    """Answer by the exit code for the PDF that standard input is."""
    statm = guard.open_statm()
    confine(readable())
    guard.start(_MEMORY, statm=statm)
    with closing(pdfium.PdfDocument(sys.stdin.buffer.read())) as pdf:
        return 0 if is_cover(pdf) else _NOT_ONLY


if __name__ == "__main__":
    sys.exit(main())
