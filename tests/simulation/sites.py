"""Which calls of the code should be hit: every call of a store, and every publish, found in the source."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from tests.simulation.faults import KINDS, Coverage

_PIPELINE = Path(__file__).resolve().parent.parent.parent / "pipeline"
_STORE = {"put", "put_file", "get", "exists", "list", "folders", "delete"}
_PUBLISH = {"publish", "publish_later", "publish_dead"}
_READ = {"read", "read_or_none"}
ROOMS = ("night", "ledger", "submission", "steps")
NOT_SIMULATED = {
    "night/status.py": "reads only, for the screen",
    "night/reprocess.py:rows": "reads tables that the simulation does not write",
}


def _is_call(node: ast.Call) -> bool:
    target = node.func
    if isinstance(target, ast.Name):
        return target.id in (*_READ, "publish")
    if not isinstance(target, ast.Attribute):
        return False
    owner = ast.unparse(target.value)
    if target.attr in _PUBLISH:
        return owner.endswith(("broker", "self"))
    if target.attr in _READ:
        return owner == "objects"
    return target.attr in _STORE and owner.endswith("store")


@cache
def found() -> frozenset[str]:
    """All sites, as `World.call` names them: `night/flow.py:57`."""
    sites = set()
    for room in ROOMS:
        for path in sorted((_PIPELINE / room).rglob("*.py")):
            name = path.relative_to(_PIPELINE).as_posix()
            if name in NOT_SIMULATED:
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and _is_call(node):
                    sites.add(f"{name}:{node.lineno}")
    return frozenset(sites)


def show(coverage: Coverage, known: frozenset[str]) -> None:
    """Print the sites that were not reached or not hit, and those reached that the source scan does not know."""
    for site in sorted(known - coverage.reached):
        print(f"not reached: {site}")
    for kind in KINDS:
        for site in sorted((known & coverage.reached) - coverage.hit[kind]):
            print(f"no {kind}: {site}")
    for site in sorted(coverage.reached - known - {""}):
        print(f"reached, not in the scan: {site}")
