"""Known defects that can be put into the code, to prove that the simulation would find them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any
from unittest import mock

from pipeline.errors import PermanentError
from pipeline.ledger import claims, pending, records
from pipeline.messages import Message
from pipeline.models import DocumentResult, Task, to_json
from pipeline.night import callbacks, housekeeping, interrupted
from pipeline.night.delivery import Delivery
from pipeline.storage import Store, keys
from tasks.publish import BROKER_ERRORS


def _finish_deletes(store: Store, result: DocumentResult, *_: Any, **__: Any) -> None:
    """A failure replaces whatever there is, as the first version of the ledger had it."""
    failed = result.status == "failed"
    good, bad = keys.result(result.run_date, result.task_id), keys.failed(result.run_date, result.task_id)
    store.put(bad if failed else good, to_json(result))
    store.delete(good if failed else bad)
    store.delete(keys.pending(result.task_id))


def _marker_first(store: Store, result: DocumentResult, *args: Any, **options: Any) -> Any:
    """The marker is deleted before the record is written."""
    store.delete(keys.pending(result.task_id))
    return _finish(store, result, *args, **options)


def _resume_nothing(*_: Any) -> list[Task]:
    """What was received and is nowhere stays so."""
    return []


def _update_blindly(store: Store, task: Task) -> None:
    """A marker is written whether or not its task has ended."""
    pending.mark(store, task)


def _always_mine(store: Store, task_id: str, origin: str, *args: Any, **options: Any) -> Any:
    """An id belongs to everyone who asks for it, unless one was refused: its place would be asked for for ever."""
    taken = _take(store, task_id, origin, *args, **options)
    refused = any(claims.get(store, task_id, other).refused for other in claims.origins(store, task_id))
    return taken if refused else taken._replace(mine=True)


def _no_dead_letter(self: Delivery, message: Message, reason: PermanentError) -> None:
    """A dead letter that the broker did not confirm is not published again."""
    with suppress(*BROKER_ERRORS):
        _dead_letter(self, message, reason)


def _no_repair(*_: Any) -> None:
    """Lost messages are never published again."""


def _no_note(store: Store, task: Task) -> list[Message]:
    """A callback has a message, and no note in the store."""
    if not task.callback_url or task.reprocess:
        return []
    return [Message(step="callback", task_id=task.task_id, run_date=task.run_date, trace_id=task.trace_id)]


_finish, _take, _dead_letter = records.finish, claims.take, Delivery._dead_letter

PATCHES: dict[str, list[tuple[Any, str, Callable[..., Any]]]] = {
    "failure-replaces-result": [(records, "finish", _finish_deletes)],
    "marker-deleted-first": [
        (records, "finish", _marker_first),
        (interrupted, "resume", _resume_nothing),  # which would make it good
    ],
    "marker-revived": [(pending, "update", _update_blindly)],
    "id-of-everyone": [(claims, "take", _always_mine)],
    "dead-letter-unconfirmed": [(Delivery, "_dead_letter", _no_dead_letter)],
    "no-repair": [(housekeeping, "repair", _no_repair)],
    "no-note-of-callbacks": [(callbacks, "note_due", _no_note)],
    "no-resumption": [(interrupted, "resume", _resume_nothing)],
}


@contextmanager
def applied(name: str | None) -> Iterator[None]:
    """Put one of them into the code, or none."""
    with ExitStack() as stack:
        for target, attribute, defect in PATCHES[name] if name else ():
            stack.enter_context(mock.patch.object(target, attribute, defect))
        yield
