"""What `nightshift forget` prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pipeline.cli import screen

if TYPE_CHECKING:
    from pipeline.ledger.forgetting import Plan
    from pipeline.night.search import Found

_SHOWN = 20


def show_plan(plan: Plan, figures: dict[str, Any], as_json: bool) -> None:
    """Print what would be deleted."""
    names = [target.task_id for target in plan.targets]
    found = {
        "tasks": names,
        "documents": len(plan.hashes),
        "nights": plan.nights,
        "receipts": len(plan.receipts),
        "containers": plan.containers,
    }
    if as_json:
        screen.as_json(figures | found)
        return
    show_tasks(plan, "would forget")
    screen.say(size(plan) + " would be forgotten.")
    show_containers(plan.containers)


def show_tasks(plan: Plan, verb: str) -> None:
    """Print the ids of the first tasks."""
    names = [target.task_id for target in plan.targets]
    for name in names[:_SHOWN]:
        screen.say(f"{verb}  {name}")
    if len(names) > _SHOWN:
        screen.say(f"{verb}  … and {len(names) - _SHOWN} more: --dry-run --json lists all.")


def show_containers(names: Sequence[str]) -> None:
    """Print which other tasks have the documents in their bytes."""
    if names:
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        screen.say(
            f"The bytes of other tasks have these documents inside, forget them too: {', '.join(names[:_SHOWN])}{more}."
        )


def size(plan: Plan) -> str:
    """How much that is."""
    tasks, nights_ = len(plan.targets), len(plan.nights)
    return (
        f"{tasks} task{'s' * (tasks != 1)} of {nights_} night{'s' * (nights_ != 1)}, with up to "
        f"{len(plan.hashes)} document{'s' * (len(plan.hashes) != 1)},"
    )


def show(figures: dict[str, Any]) -> None:
    """Print what was deleted, and what the search has found."""
    screen.say(
        f"Forgotten: {figures['tasks']} tasks, {figures['documents']} documents, {figures['objects']} other objects, "
        f"{figures['rows']} rows of tables, {figures['receipts']} lines of receipts, "
        f"{figures['dead_letters']} dead letters."
    )
    if figures["kept"]:
        screen.say(f"The bytes of {figures['kept']} documents stay: other tasks have them as well.")
    show_containers(figures["containers"])
    if figures["working"]:
        screen.say(
            "Some were in progress: in an hour, beat or the next `nightshift forget` deletes what their last steps may "
            "have written since."
        )
    if figures["broker"]:
        screen.say(f"Dead letters may be left: {figures['broker']} Use --no-broker if there is none.")
    if figures["versions"] == "unknown":
        screen.say(
            "Whether the bucket keeps earlier versions is not known: its server did not say. Delete them."
        )
    if figures["locked"]:
        screen.say(
            f"{figures['locked']} earlier versions of objects are locked: have a lifecycle rule delete them."
        )
    found: Found | None = figures["search"]
    if found is None:
        screen.say("The store was not searched.")
        return
    screen.say(
        f"Searched {found.objects} objects ({screen.size(found.bytes)}; {found.by_key} by their key): "
        f"{len(found.hits)} hits."
    )
    if found.shared:
        screen.say(f"{found.shared} lines of text or sources are other documents' own, too.")
    if found.unread:
        screen.say(f"{len(found.unread)} objects are damaged and could not be searched:")
    for key in [*found.hits, *found.unread][:_SHOWN]:
        screen.say(f"  {key}")
