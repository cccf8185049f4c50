"""The answer, from the facts and the moment."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from pipeline.models import DocumentResult, Task
from pipeline.night.why import due, ended, history, reasons, waiting
from pipeline.night.why.facts import Facts
from pipeline.night.why.model import Why
from pipeline.night.why.moment import Moment
from pipeline.remote.urls import public_source
from pipeline.tables.masking import masked_source


def answer(facts: Facts, moment: Moment) -> Why | None:
    """Why a task is where it is; `None` if the store does not know its id."""
    ending = ended.of(facts, moment)
    if facts.damaged:
        found: dict[str, Any] = {
            "state": "damaged",
            "sentence": "Set aside: its marker is damaged, and no step can read it.",
            "following": facts.damaged,
            "command": "nightshift audit --repair",
        }
    elif facts.marker:
        found = _pending(facts, facts.marker, moment)
    elif ending:
        found = structs.asdict(ending)
    else:
        return None
    known = facts.marker or facts.record
    return Why(
        task_id=facts.task_id,
        **found,
        **(_about(known, moment.mask) if known else {}),
        **_deadline(facts, moment),
        pages_read=facts.pages_read if facts.marker else _pages_read(facts.record),
        generation=facts.claimed.generation,
        reprocess=bool(facts.marker and facts.marker.reprocess),
        notes=tuple(_notes(facts, moment, ending.sentence if ending and facts.marker else "")),
        history=history.of(facts, moment.broker, moment.mask),
    )


def _pending(facts: Facts, task: Task, moment: Moment) -> dict[str, Any]:
    it = waiting.of(facts, task, moment)
    found = structs.asdict(reasons.reason(it))
    if task.reprocess:
        record = facts.record
        before = f"Done in the night of {record.run_date}" if record else "Done before"
        found["sentence"] = f"{before}, and queued to be reprocessed. {found['sentence']}"
    return found | {"step": it.step, "queue": it.queue.name}


def _about(known: Task | DocumentResult, mask: str) -> dict[str, Any]:
    return {
        "source": masked_source(public_source(known.source), mask, known.sha256),
        "sha256": known.sha256,
        "task_type": known.task_type,
        "tenant": known.tenant,
        "priority": known.priority,
        "run_date": known.run_date,
        "pages": known.pages if isinstance(known, Task) else len(known.pages),
    }


def _deadline(facts: Facts, moment: Moment) -> dict[str, Any]:
    """Of a document that is processed again, the first time counts."""
    task, found = facts.marker, None
    if facts.record and (task is None or task.reprocess):
        found = due.of_record(facts.record, moment.local)
    elif task and task.deadline:
        found = due.of_task(task, moment.now, moment.outlooks(task), moment.local)
    if found is None:
        return {}
    return {
        "deadline": found.at.isoformat(),
        "deadline_state": found.state,
        "deadline_sentence": found.sentence,
    }


def _pages_read(record: DocumentResult | None) -> int:
    return sum(page.error is None for page in record.pages) if record else 0


def _notes(facts: Facts, moment: Moment, before: str) -> list[str]:
    """What else a person should know."""
    found = []
    if facts.other_ids:
        named = ", ".join(facts.other_ids[:5])
        found.append(
            f"The id was also sent with another document or source, which is a task of its own: {named}."
        )
    if facts.claimed.origins > 1:
        found.append(f"{facts.claimed.origins} submissions have claimed this id.")
    if facts.marker and before and not facts.marker.reprocess:
        found.append(f"An older record: {before}")
    if facts.marker and facts.marker.generation and facts.marker.overrides:
        found.append("It has settings of its own, given when it was redriven.")
    if facts.record and facts.record.sha256 and not facts.original and not facts.marker:
        found.append("Its bytes are not in the store any more: it cannot be processed again from there.")
    if facts.marker and not facts.damaged and moment.broker.workers == ():
        found.append("No worker answers at this moment.")
    return found
