"""Lines of a name and a text, which is wrapped at the width of the terminal, at most 80 columns."""

from __future__ import annotations

import textwrap

from pipeline.cli import screen

_WIDTH = 80


def paragraph(name: str, text: str, *, width: int = 9) -> None:
    """Print a name, then the text in a column of its own; words that are longer than a line are not broken."""
    columns = min(screen.console().width, _WIDTH)
    lines = textwrap.wrap(
        text, max(columns - width - 1, 20), break_long_words=False, break_on_hyphens=False
    ) or [""]
    for number, line in enumerate(lines):
        screen.say(f"{name if number == 0 else '':<{width}} {line}".rstrip())
