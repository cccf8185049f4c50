"""The figures of `nightshift run`: as JSON, and as sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from pipeline.run.outcome import Outcome


def status_of(outcome: Outcome) -> str:
    """`done`, `reused` (neither OCR nor NER ran) or `failed`."""
    return "reused" if outcome.nothing_computed and outcome.status == "done" else outcome.status


def totals(outcomes: Sequence[Outcome], seconds: float) -> dict[str, Any]:
    """The figures of the run; `reused`: documents for which neither OCR nor NER ran, `pages_reused`: NER alone ran."""
    states = Counter(map(status_of, outcomes))
    kinds: Counter[str] = Counter()
    for outcome in outcomes:
        kinds.update(outcome.entities)
    return {
        "documents": len(outcomes),
        "done": states["done"],
        "reused": states["reused"],
        "pages_reused": sum(o.reused == "pages" for o in outcomes),
        "failed": states["failed"],
        "pages": sum(o.pages for o in outcomes),
        "entities": dict(sorted(kinds.items())),
        "seconds": round(seconds, 2),
        "peak_worker_mib": max((o.peak_mib for o in outcomes if not o.nothing_computed), default=0),
    }


def as_json(outcomes: Sequence[Outcome]) -> dict[str, object]:
    """One object per document; `reused`: neither OCR nor NER ran for it."""
    return {
        "outcomes": [
            {
                "task_id": o.task_id,
                "source": o.source,
                "status": status_of(o),
                "pages": o.pages,
                "reused": o.nothing_computed,
            }
            | ({"error": {"code": o.error.code, "message": o.error.message}} if o.error else {})
            for o in outcomes
        ]
    }


def totals_line(figures: dict[str, Any]) -> str:
    """The figures of the run as sentences."""
    found = ", ".join(f"{kind} {n}" for kind, n in figures["entities"].items()) or "none"
    return (
        f"{figures['documents']} documents: {figures['done']} done, {figures['reused']} reused, "
        f"{figures['failed']} failed; {figures['pages']} pages in {figures['seconds']} s.\n"
        f"Entities: {found}."
    )


def stopped_line(figures: dict[str, Any]) -> str:
    """What is done of a run that was stopped."""
    failed = f", {figures['failed']} failed" if figures["failed"] else ""
    done = figures["done"] + figures["reused"]
    return (
        f"Stopped: {done} of {figures['found']} documents are done{failed}; "
        "run the same command again to continue."
    )


def reused_line(outcomes: Sequence[Outcome]) -> str:
    """What of the results was in the store before, as one sentence; empty where nothing was."""
    if outcomes and all(o.reused == "result" for o in outcomes):
        return "Nothing was computed: every document already had its result."
    if outcomes and all(o.nothing_computed for o in outcomes):
        return "Nothing was computed: all pages and entities were already in the store."
    if count := sum(o.reused == "pages" for o in outcomes):
        return f"OCR did not run for {count} of them: their pages were already in the store."
    return ""
