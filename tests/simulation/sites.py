"""Which calls of the code should be hit: every call of a store, and every publish, found in the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.simulation.faults import POINTS, Coverage

_PIPELINE = Path(__file__).resolve().parent.parent.parent / "pipeline"
_STORE = {"put", "put_new", "put_file", "get", "exists", "list", "folders", "delete"}
_PUBLISH = {"publish", "publish_later", "publish_raw_later", "publish_dead"}
_READ = {"read", "read_or_none"}
SIMULATED = ("ledger", "night", "steps", "submission", "tables")
"""Rooms whose calls are all simulated, but for those of `LEFT_OUT`."""
OTHER_ROOMS = {
    "cli": "prints; `operators.py` gives the same commands",
    "doctor": "asked by `nightshift doctor` alone, which looks at an installation",
    "documents": "reading documents is replaced",
    "exporter": "reads only, for Prometheus",
    "ner": "reading documents is replaced; what is found here are no calls to a store",
    "report": "written from what is in the store, by a task of its own; no step reads it",
    "run": "has no broker, and no messages; its kills are tested with real processes",
    "storage": "the store itself",
}
LEFT_OUT = {
    "ledger/attempts.py:counted": "noted by a process that gives up for want of memory or time",
    "ledger/counters.py:_all": "reads what threads have written, see `_put`",
    "ledger/counting.py:_put": "written by a thread of its own, every few seconds; nothing simulated has one",
    "ledger/folding.py:drop": "deletes what threads have written, see `_put`",
    "ledger/reported.py:marks": "asked by the task of the morning report, which is not simulated",
    "ledger/reported.py:unmark": "done by the task of the morning report",
    "ledger/reported.py:read": "reads a morning report",
    "ledger/reported.py:without_pictures": "changes a morning report",
    "ledger/timeline.py:samples": "asked by the morning report and on the screen, which read only",
    "ledger/actions.py:entries": "asked by `nightshift actions` alone, which reads only",
    "ledger/named.py:_claim": "asked about documents whose receipts were deleted, which nothing simulated does",
    "ledger/pending.py:newest_keys": "asked by `nightshift status` alone, which reads only",
    "ledger/records.py:ended": "asked by `nightshift run` alone",
    "ledger/retries.py:of_task": "asked by `nightshift why` alone, which reads only",
    "night/rotation.py": "encrypts again with another key; nothing simulated is encrypted",
    "night/status.py": "reads only, for the screen",
    "night/why/facts.py": "reads only, for the screen",
    "night/why/find.py": "reads only, for the screen",
}
"""Files and functions that don't belong to what is simulated, and why."""


def _imported(tree: ast.Module) -> set[str]:
    """Names of `pipeline.storage.objects` in a module, and that of an argument that publishes."""
    sources = (node for node in tree.body if isinstance(node, ast.ImportFrom))
    names = {one.name for node in sources if node.module == "pipeline.storage.objects" for one in node.names}
    return names & _READ | {"publish"}


def _is_call(node: ast.AST, names: set[str]) -> bool:
    if not isinstance(node, ast.Call):
        return False
    target = node.func
    if isinstance(target, ast.Name):
        return target.id in names
    if not isinstance(target, ast.Attribute):
        return False
    owner = ast.unparse(target.value)
    if target.attr in _PUBLISH:
        return owner.endswith(("broker", "self"))
    if target.attr in _READ:
        return owner == "objects"
    return target.attr in _STORE and owner.endswith("store")


def _calls(node: ast.AST, names: set[str], function: str = "") -> Iterator[tuple[str, int]]:
    """The outermost function and the line of each call below a node."""
    for child in ast.iter_child_nodes(node):
        name = function
        if not name and isinstance(child, ast.FunctionDef):
            name = child.name
        if _is_call(child, names):
            yield name, child.lineno  # type: ignore[attr-defined] # it is an `ast.Call`
        yield from _calls(child, names, name)


@cache
def found() -> frozenset[str]:
    """All sites, as `World.call` names them: `night/flow.py:57`; raises `KeyError` for a room that is not listed."""
    sites = set()
    for path in sorted(_PIPELINE.rglob("*.py")):
        name = path.relative_to(_PIPELINE).as_posix()
        room = name.partition("/")[0]
        tree = ast.parse(path.read_text())
        for function, line in _calls(tree, _imported(tree)):
            if room not in SIMULATED:
                _ = OTHER_ROOMS[room]
            elif name not in LEFT_OUT and f"{name}:{function}" not in LEFT_OUT:
                sites.add(f"{name}:{line}")
    return frozenset(sites)


def not_reached(coverage: Coverage, known: frozenset[str]) -> list[str]:
    """Each site that no run has reached, with its line of source."""
    lines = []
    for site in sorted(known - coverage.reached):
        name, _, line = site.partition(":")
        source = (_PIPELINE / name).read_text().splitlines()[int(line) - 1]
        lines.append(f"not reached: {site}: {source.strip()[:80]}")
    return lines


def show(coverage: Coverage, known: frozenset[str]) -> None:
    """Print the faults that did not hit a site that was reached, and sites that the scan misses."""
    for site in sorted(known & coverage.reached):
        missing = [str(point) for point in POINTS if (site, point) not in coverage.hit]
        if missing:
            print(f"no {', '.join(missing)}: {site}")
    for site in sorted(coverage.reached - known - {""}):
        print(f"reached, not in the scan: {site}")
