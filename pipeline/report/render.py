"""The morning report as one HTML file: without scripts, and without a request to anywhere."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from typing import TYPE_CHECKING, Any

from pipeline.report.facts import Report
from pipeline.report.page import svg
from pipeline.report.page.bounds import LARGEST, MOST, PICTURES, within
from pipeline.report.page.course import Course
from pipeline.report.page.night import Night
from pipeline.report.page.parts import Parts
from pipeline.report.page.shown import Shown, command, split, text
from pipeline.report.page.troubles import translated
from pipeline.report.page.words import Words, words

if TYPE_CHECKING:
    from jinja2 import Environment

TONES = {
    "done": "good",
    "left": "warn",
    "partial": "warn",
    "stopped": "bad",
    "failed": "bad",
    "running": "run",
    "pending": "run",
    "empty": "calm",
}
_INSTEAD = 8_000  # for what is written in the place of pictures
_FAVICONS = {"good": "2e9e68", "warn": "d18f1f", "bad": "d23b30", "run": "3b82c4", "calm": "8a8f98"}
_LANGUAGES = {"en": "en", "zh": "zh-Hans"}


def render(report: Report, language: str) -> str:
    """The page of a report, in `en` or `zh`: below 1 MB, the same for the same report.

    Raises `ValueError` for another language.
    """
    page = _page(report, language, PICTURES)
    over = len(page.encode()) - LARGEST
    return page if over <= 0 else _page(report, language, max(0, PICTURES - over - _INSTEAD))


def _page(report: Report, language: str, room: int) -> str:
    """The page with pictures of at most `room` characters together."""
    w = words(language)
    shown = Shown(w, report.timezone)
    style, style_hash = _style()
    with svg.style():
        return (
            _environment()
            .get_template("page.html")
            .render(
                **_parts(report, w, shown, room),
                report=report,
                w=w,
                shown=shown,
                most=MOST,
                split=split,
                tones=TONES,
                style=style,
                style_hash=style_hash,
                favicon=_FAVICONS[TONES[report.verdict.word]],
                html_language=_LANGUAGES[language],
            )
        )


def _parts(report: Report, w: Words, shown: Shown, room: int) -> dict[str, Any]:
    parts, course = Parts(w, shown), Course(report)
    looks, room = within(report.looks[: MOST["looks"]], room)
    documents, _ = within(report.documents[: MOST["documents"]], room)
    slowest = sorted(report.released.items(), key=lambda one: (-one[1], one[0]))
    memory = course.most_memory
    return {
        "zone": _zone(report, shown),
        "window": _window(report, w, shown),
        "policy": w.name("mask", report.masked) or text(report.masked),
        "numbers": parts.numbers(report.numbers),
        "audit": parts.audit(report.audit),
        "night": Night(report, course, w, shown) if course else None,
        "memory": f"{shown.number(memory / 1024, 1)} GiB" if memory is not None else shown.number(None),
        "steps": parts.steps(report.steps),
        "slowest": slowest[: MOST["workers"]],
        "released": shown.duration(slowest[0][1] if slowest else None),
        "came": {name: parts.shares(getattr(report, name)) for name in ("kinds", "tenants", "media")},
        "documents": documents,
        "sure": parts.confidence(report.confidence),
        "looks": looks,
        "reason": parts.reason,
        "trouble": lambda sentence: translated(w, sentence),
        "cost": parts.cost(report.cost),
        "conditions": list(report.conditions.items())[: MOST["conditions"]],
    }


def _zone(report: Report, shown: Shown) -> str:
    """The time zone with its distance from UTC; both distances, where the clocks were changed in the night."""
    first, last = (shown.offset(moment or report.made) for moment in (report.opened, report.closed))
    offset = first if first == last else f"{first} → {last}"
    return report.timezone if offset == report.timezone else f"{report.timezone} ({offset})"


def _window(report: Report, w: Words, shown: Shown) -> str:
    if report.opened and report.closed:
        return w("window", opened=shown.clock(report.opened), closed=shown.clock(report.closed))
    return (
        w("window_open", opened=shown.clock(report.opened, report.made))
        if report.opened
        else w("window_unknown")
    )


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("pipeline.report.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(text=text, command=command)
    return environment


@cache
def _style() -> tuple[Any, str]:
    """The style sheet, and its hash for the policy that allows only this one."""
    from markupsafe import Markup

    source, _, _ = _environment().loader.get_source(_environment(), "style.css")  # type: ignore[union-attr]
    inks = "".join(f".f-{ink}{{fill:var(--{ink})}}.s-{ink}{{stroke:var(--{ink})}}" for ink in svg.INKS)
    sheet = source + inks
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    return Markup(sheet), digest  # noqa: S704 - a file of this package
