"""The report in a few lines of at most 80 columns: for the terminal, and as the text of a mail."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterator

from pipeline.report.facts import AuditLine, Report

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
        "received": "收到",
        "done": "完成",
        "unwell": "部分完成或失败",
        "left": "剩余",
        "review": "待复核字段",
        "audit": "审计",
        "passed": "通过",
        "todo": "现在要做",
        "nothing": "无待办事项。",
    },
}


def lines(report: Report, language: str) -> Iterator[str]:
    """Verdict, the five numbers, the audit and what to do now."""
    words = _WORDS[language]
    yield f"{words['night']} {report.run_date}"
    yield from wrapped(report.verdict.sentences[language])
    yield ""
    size = max(map(columns, words.values()))
    for number in report.numbers:
        yield f"  {_padded(words[number.name], size)} {number.value:>12,}"
    yield from wrapped(_audit(report.audit, words), f"  {_padded(words['audit'], size)} ")
    yield ""
    if not report.todo:
        yield words["nothing"]
        return
    yield words["todo"]
    for one in report.todo:
        yield from wrapped(one.sentences[language], "- ")
        if one.example:
            yield from wrapped(one.example, "    ")
        if one.command:
            yield f"    {one.command}"  # never broken: it is copied


def _audit(audit: AuditLine, words: dict[str, str]) -> str:
    counts = (
        f"{audit.received:,} = {audit.done:,} + {audit.partial:,} + {audit.failed:,} + {audit.pending:,}"
        + (f" + {audit.forgotten:,}" if audit.forgotten else "")
    )
    kinds = ", ".join(f"{kind} {number:,}" for kind, number in audit.discrepancies.items())
    return f"{kinds or words['passed']} ({counts})"


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
