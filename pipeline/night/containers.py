"""Which tasks have the bytes of another one inside: a PDF and the files in it are documents of their own.

`nightshift run` names what is inside by `outer!inner`, and makes ids of source and bytes: so the id of the outer one
can be computed for each document that there is.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

from pipeline.ledger import pending
from pipeline.night import inventory
from pipeline.storage import Store

_DIGEST = 13  # characters at the end of such an id


def around(store: Store, sources: Iterable[str], chosen: Container[str]) -> set[str]:
    """Ids of the tasks, but those `chosen`, whose bytes have documents of these sources inside; raises `Damaged`."""
    outer = {source[:at] for source in sources for at, char in enumerate(source) if char == "!"}
    begins: dict[str, list[tuple[str, bool]]] = {}
    for name in outer:
        for named in (True, False):
            begin = pending.task_id_for(name, None, named=named)[:-_DIGEST]
            begins.setdefault(begin, []).append((name, named))
    found = set()
    for item in inventory.items(store) if begins else ():
        known = begins.get(item.task_id[:-_DIGEST], ()) if item.task_id not in chosen else ()
        if any(pending.task_id_for(name, item.sha256, named=named) == item.task_id for name, named in known):
            found.add(item.task_id)
    return found
