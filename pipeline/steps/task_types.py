"""Task types: the steps of a task between ingest and result.

Built in are `document`, `ocr` and `nlp` (alias `ner`). A package adds another one by an entry point in the group
`nightshift.task_types` that loads a `TaskType`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import metadata

import msgspec

from pipeline.errors import PermanentError, RunError
from pipeline.models import Entity, Page, Task

ENTRY_POINTS = "nightshift.task_types"
BUILT_IN_STEPS = ("ocr", "ner")


class StepInput(msgspec.Struct, frozen=True):
    """Input of a further step: the task, the pages read so far and, after `ner`, their entities."""

    task: Task
    pages: tuple[Page, ...]
    entities: tuple[Entity, ...]


class Step(msgspec.Struct, frozen=True):
    """A custom step: `run` returns names and values, which the result holds under `outputs[name]`.

    `run` may be called twice for the same task. It raises a `PermanentError` for a document that it can't process,
    and a `TransientError` to be retried later. With `gpu` it runs only inside the window.
    """

    name: str
    run: Callable[[StepInput], dict[str, str]]
    gpu: bool = False


class TaskType(msgspec.Struct, frozen=True):
    """Name of a task type, as messages give it, and its steps in order: `ocr`, `ner`, or a `Step`."""

    name: str
    steps: tuple[str | Step, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the steps."""
        return tuple(step if isinstance(step, str) else step.name for step in self.steps)


_BUILT_IN = (
    TaskType("document", ("ocr", "ner")),
    TaskType("ocr", ("ocr",)),
    TaskType("nlp", ("ner",)),
    TaskType("ner", ("ner",)),
)


@cache
def registered() -> dict[str, TaskType]:
    """All task types by name; raises `RunError` for an entry point that is not a `TaskType`."""
    found = {kind.name: kind for kind in _BUILT_IN}
    for point in metadata.entry_points(group=ENTRY_POINTS):
        kind = point.load()
        if not isinstance(kind, TaskType):
            raise RunError(
                f"The entry point {point.name} of {ENTRY_POINTS} is not a TaskType: correct the package that has it."
            )
        found[kind.name] = kind
    return found


def task_type(name: str) -> TaskType:
    """The task type of this name; raises `PermanentError` (`unknown_task_type`)."""
    try:
        return registered()[name]
    except KeyError:
        known = ", ".join(sorted(registered()))
        raise PermanentError(
            f"Unknown task type {name!r}: use one of {known}, or install the package that provides it.",
            code="unknown_task_type",
        ) from None


def further_steps() -> dict[str, Step]:
    """The steps that are not built in, by name."""
    return {
        step.name: step for kind in registered().values() for step in kind.steps if isinstance(step, Step)
    }


def after(kind: str, step: str) -> str:
    """Name of the step that follows `step` of task type `kind`; `ingest` is first, `result` last."""
    names = ("ingest", *task_type(kind).names, "result")
    return names[names.index(step) + 1]
