"""What is forgotten in a run, as the store sees it: plans of forgetting, and what processes write about their tasks."""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from tests.simulation.checker import base_of, day_of, task_id_of

if TYPE_CHECKING:
    from tests.simulation.run import Run

_LATE = 3600.0
"""Seconds after which no step runs any more, as the product has it; one that is paused longer may write more."""
_HASH = re.compile(r"[0-9a-f]{64}")
_TELL_HASHES = ("results/", "failed/", "pending/", "claims/")


class Forgetting:
    """Which submissions were forgotten.

    `seen`: by task id, when they were submitted. `hashes`: bytes that each task had. `late`: ids and hashes that a
    process wrote that began more than an hour before, and before they were forgotten: the product does not promise to
    delete these.
    """

    def __init__(self, run: Run) -> None:
        self.run, self.world = run, run.world
        self.seen: dict[str, set[str]] = {}
        self.hashes: dict[str, set[str]] = defaultdict(set)
        self.late: set[str] = set()
        self.removed: dict[str, set[str]] = {}
        self.last = -math.inf
        """When a plan was written or deleted last, seconds of the world's clock."""
        self._active: dict[str, set[str]] = {}
        self._freed: dict[str, list[float]] = defaultdict(list)

    def written(self, op: str, key: str) -> None:
        """Note a write."""
        if key.startswith("forgetting/"):
            self._planned(op, key)
            return
        if op == "put" and key.endswith("/removed.json"):
            self.removed[day_of(key)] = set(json.loads(self.world.raw.get(key))["at"])
        if op == "delete" or key.startswith(("forgotten/", "control/")):
            return
        task_id = task_id_of(key.removesuffix(key.rsplit("/", 1)[-1])[:-1] if _in_folder(key) else key)
        if key.startswith(_TELL_HASHES):
            sha = _json(self.world.raw.get(key)).get("sha256")
            self.hashes[task_id] |= {sha} if sha else set()
        if self._freed:
            self._note_late(key, task_id)

    def _note_late(self, key: str, task_id: str) -> None:
        began = self.world.running.began
        names = {task_id, *_HASH.findall(key)}
        for forgotten, times in self._freed.items():
            if began < self.world.now - _LATE and began < max(times):
                self.late |= names & {forgotten, *self.hashes[forgotten]}

    def _planned(self, op: str, key: str) -> None:
        self.last = self.world.now
        plan = json.loads(self.world.raw.get(key)) if op == "put" else {}
        if plan.get("stage", "") != "planned":
            for task_id in self._active.pop(key, ()):
                self._freed[task_id].append(self.world.now)
            return
        targets = {target["task_id"]: target for target in plan["targets"]}
        self._active[key] = set(targets)
        for task_id, target in targets.items():
            self.seen.setdefault(task_id, set()).update(target.get("seen", ()))
            self.run.good.pop(task_id, None)
            self.run.producers.forget(base_of(task_id))

    def is_forgotten(self, task_id: str, since: str) -> bool:
        """Whether a submission was forgotten."""
        return since in self.seen.get(task_id, ())

    def covers(self, task_id: str, begun: float) -> bool:
        """Whether something submitted under an id then may have been forgotten since, or accepted as the same."""

        def about(other: str) -> bool:
            return base_of(other) == task_id

        return any(about(other) for ids in self._active.values() for other in ids) or any(
            about(other) and begun <= max(times) for other, times in self._freed.items()
        )

    def gone(self) -> dict[str, set[str]]:
        """Ids that were forgotten, and the bytes of each, but for what was written late."""
        return {
            task_id: self.hashes[task_id] - self.late for task_id in self.seen if task_id not in self.late
        }


def _in_folder(key: str) -> bool:
    """Whether the folder of a key is that of a task."""
    return key.startswith(("claims/", "attempts/", "outputs/"))


def _json(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
