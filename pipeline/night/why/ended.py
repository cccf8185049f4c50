"""How a task ended, what is still due for it, and what could be done."""

from __future__ import annotations

import shlex

import msgspec

from pipeline import clock
from pipeline.ledger.discarded import DISCARDED
from pipeline.models import DocumentResult
from pipeline.night.checks import CHECK_PERIOD
from pipeline.night.why.facts import Facts
from pipeline.night.why.model import State
from pipeline.night.why.moment import Moment
from pipeline.storage import keys
from pipeline.tables.masking import masked_sentence


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How it ended; the fields are those of `Why`."""

    state: State
    sentence: str
    following: str = ""
    command: str = ""
    since: str = ""
    until: object = None


def of(facts: Facts, moment: Moment) -> Ending | None:
    """How a task that is not pending ended; `None` for one that the store does not know."""
    if facts.record:
        return _of_record(facts, facts.record, moment)
    if facts.gone:
        return Ending(
            state="removed",
            sentence=f"Ended in the night of {facts.gone}; retention has removed its record since.",
            following="The tables of that night still have its row.",
            since=facts.gone,
        )
    if facts.tombstones:
        stone = facts.tombstones[-1]
        return Ending(
            state="forgotten",
            sentence=f"Forgotten {moment.local(stone.at)} by {stone.actor} (run {stone.run}).",
            following="Nothing is left of it. The same id may be submitted again, as a new document.",
            since=stone.at,
        )
    if facts.claimed.origins and not (facts.marker or facts.damaged):
        return Ending(
            state="lost_message",
            sentence="Its id was claimed, but no marker and no record of it exists: its producer died before it was "
            "accepted, or the store has lost objects.",
            following="The audit finds out which: it restores what was accepted.",
            command=f"nightshift audit {min(facts.claimed.dates, default='last')} --repair",
            since=min(facts.claimed.dates, default=""),
        )
    return None


def _of_record(facts: Facts, record: DocumentResult, moment: Moment) -> Ending:
    named = shlex.quote(facts.task_id)
    night = f"in the night of {record.run_date}"
    if record.status == "failed":
        return _failed(facts, record, moment)
    if facts.undelivered:
        why = masked_sentence(facts.undelivered.message, moment.mask, source=record.source)
        return Ending(
            state="callback_undelivered",
            sentence=f"{_said(record)} {night}; its callback could not be delivered ({facts.undelivered.code}).",
            following=why,
            command=f"nightshift callbacks resend --task-id {named}",
            since=record.done_at,
        )
    if facts.due:
        return _callback_due(facts, record, moment)
    if facts.failed_again:
        return Ending(
            state="failed_again",
            sentence=f"{_said(record)} {night}; it could not be reprocessed ({_code(facts.failed_again)}), and its "
            "previous result is kept.",
            following=_message(facts.failed_again, moment),
            command=f"nightshift failed redrive --task-id {named}",
            since=facts.failed_again.done_at,
        )
    if record.status == "partial":
        return Ending(
            state="partial",
            sentence=f"Partly read {night} ({_code(record)}); the rest is in the tables.",
            following=_message(record, moment),
            command=f"nightshift failed redrive --task-id {named}",
            since=record.done_at,
        )
    return Ending(
        state="done",
        sentence=f"Done {night}, {moment.local(record.done_at) or 'at an unknown time'}.",
        following=f"Nothing is due. Its result is {keys.result(record.run_date, facts.task_id)}.",
        since=record.done_at,
    )


def _failed(facts: Facts, record: DocumentResult, moment: Moment) -> Ending:
    named, code = shlex.quote(facts.task_id), _code(record)
    undelivered = "; its callback could not be delivered" if facts.undelivered else ""
    if facts.discarded or code == DISCARDED:
        return Ending(
            state="discarded",
            sentence=f"Failed in the night of {record.run_date}, and discarded by an operator since{undelivered}.",
            following=_message(record, moment),
            command=f"nightshift failed redrive --code {DISCARDED} --task-id {named}",
            since=record.done_at,
        )
    return Ending(
        state="failed",
        sentence=f"Failed in the night of {record.run_date} ({code}){undelivered}.",
        following=_message(record, moment),
        command=_redrive(facts, record, named),
        since=record.done_at,
    )


def _redrive(facts: Facts, record: DocumentResult, named: str) -> str:
    """The command that may help; a limit that was hit is raised with it."""
    if facts.task_id != record.task_id or record.error is None:
        return ""
    if record.error.code == "id_conflict":
        return ""  # other bytes under a used id: they need another one
    return f"nightshift failed redrive --task-id {named}"


def _callback_due(facts: Facts, record: DocumentResult, moment: Moment) -> Ending:
    due = facts.due
    assert due is not None
    again = next((one for one in facts.retries if one.step == "callback" and one.due > moment.now), None)
    at = again.due if again else due.at + CHECK_PERIOD
    why = f" ({again.code})" if again else ""
    how = "tried again" if again else "sent again by housekeeping, if it was lost, after"
    failing = clock.age(due.since, moment.now)
    since = f" It has failed since {moment.local(due.since)}." if failing else ""
    return Ending(
        state="callback_due",
        sentence=f"{_said(record)} in the night of {record.run_date}; its callback is not delivered yet{why}: "
        f"{how} {moment.local(at)}.",
        following=f"After a day of failures it is abandoned and listed.{since}",
        since=record.done_at,
        until=at,
    )


def _said(record: DocumentResult) -> str:
    return "Done" if record.status == "done" else "Partly read"


def _code(record: DocumentResult) -> str:
    return record.error.code if record.error else "unknown"


def _message(record: DocumentResult, moment: Moment) -> str:
    text = record.error.message if record.error else ""
    return masked_sentence(text, moment.mask, source=record.source, sha256=record.sha256)
