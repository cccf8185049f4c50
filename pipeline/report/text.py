"""The report in a few lines of at most 80 columns: for the terminal, and as the text of a mail."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterator

from pipeline.report.facts import AuditLine, Report
from pipeline.report.page.words import words

WIDTH = 80
_WORDS = {
    "en": {
        "night": "Night",
        "received": "Received",
        "done": "Done",
        "unwell": "Partial or failed",
        "left": "Left",
        "review": "Fields to review",
        "audit": "Audit",
        "passed": "passed",
        "todo": "Do this now",
        "nothing": "Nothing to do.",
    },
    "zh": {
        "night": "夜晚",
        "received": "接收",
        "done": "完成",
        "unwell": "部分完成或失败",
        "left": "剩余",
        "review": "待复核字段",
        "audit": "审计",
        "passed": "通过",
        "todo": "现在要做的事",
        "nothing": "没有需要处理的事项。",
    },
}


def lines(report: Report, language: str) -> Iterator[str]:
    """Verdict, the five numbers, the audit and what to do now."""
    own = _WORDS[language]
    yield f"{own['night']} {report.run_date}"
    yield from wrapped(report.verdict.sentences[language])
    yield ""
    size = max(columns(text) for name, text in own.items() if name not in ("todo", "nothing"))
    for number in report.numbers:
        yield f"  {_padded(own[number.name], size)} {number.value:>12,}"
    if report.due:
        known = words(language)("numbers.deadlines", late=f"{report.late:,}", due=f"{report.due:,}")
        yield from wrapped(known, "  ")
    yield from wrapped(_audit(report.audit, language), f"  {_padded(own['audit'], size)} ")
    yield ""
    if not report.todo:
        yield own["nothing"]
        return
    yield own["todo"]
    for one in report.todo:
        yield from wrapped(one.sentences[language], "- ")
        if one.example:
            yield from wrapped(one.example, "    ")
        if one.command:
            yield f"    {one.command}"  # never broken: it is copied


def _audit(audit: AuditLine, language: str) -> str:
    known = words(language)
    counts = (
        f"{audit.received:,} = {audit.done:,} + {audit.partial:,} + {audit.failed:,} + {audit.pending:,}"
        + (f" + {audit.forgotten:,}" if audit.forgotten else "")
    )
    kinds = known("comma").join(
        f"{known.name('gaps', kind) or kind} {number:,}" for kind, number in audit.discrepancies.items()
    )
    read = f"; {known('audit.unread', n=f'{audit.unread:,}')}" if audit.unread else ""
    return f"{kinds or _WORDS[language]['passed']} ({counts}{read})"


def wrapped(text: str, first: str = "") -> Iterator[str]:
    """A text in lines of at most `WIDTH` columns; those after the first are indented as far as its beginning."""
    indent = " " * columns(first)
    if columns(text) == len(text):
        yield from textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=indent) or [first]
        return
    line = first  # Chinese has no blanks at which to break
    for char in text:
        if columns(line + char) > WIDTH:
            yield line
            line = indent
        line += char
    yield line


def columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _padded(text: str, size: int) -> str:
    return text + " " * (size - columns(text))
