"""What a command is about to do, written to the log of actions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.storage import Store


def record(store: Store, action: str, task_id: str | None = None, **detail: object) -> None:
    """Record an action on one task, or on what `detail` chooses; details without a value are left out."""
    from pipeline.ledger import actions

    given = {name: str(value) for name, value in detail.items() if value not in (None, "", False)}
    subject = actions.of_task(store, task_id) if task_id else ""
    actions.record(store, action, subject=subject, detail=given)
