"""What is left of tasks that were forgotten: keys and objects that name them, and bytes that nobody else has."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from urllib.parse import unquote

_BYTES = ("documents/", "ocr/", "ner/", "spent/")
_NOT_READ = (*_BYTES, "summary/")
"""Named by hashes; or tables, whose rows are compared with the records."""


def find(
    keys: Iterable[str],
    get: Callable[[str], bytes],
    gone: Mapping[str, Collection[str]],
    used: Collection[str],
) -> Iterator[tuple[str, str]]:
    """A task id and a sentence for each thing that is left.

    `gone`: task ids of which nothing may be left, each with the hashes of its bytes. `used`: hashes that other tasks
    have.
    """
    owners = {sha: task_id for task_id, hashes in gone.items() for sha in hashes if sha not in used}
    names = {task_id: _name(task_id) for task_id in gone}
    for key in keys:
        if key.startswith(_BYTES):
            if (task_id := owners.get(key.split("/")[1].removesuffix(".json"))) is not None:
                yield task_id, f"{key} is left"
            continue
        lines = [] if key.startswith(_NOT_READ) else _lines(get, key)
        for task_id, name in names.items():
            if name.search(unquote(key)):
                yield task_id, f"{key} is left"
            elif not _is_of_derived(key, task_id) and any(
                name.search(line) and not _is_of_derived(line, task_id) for line in lines
            ):
                yield task_id, f"{key} names it"


def _lines(get: Callable[[str], bytes], key: str) -> list[str]:
    """The lines of an object; none of one that housekeeping, which goes on with real servers, has deleted meanwhile."""
    try:
        return get(key).decode(errors="replace").splitlines()
    except KeyError:
        return []


def _name(task_id: str) -> re.Pattern[str]:
    """The id as a whole: not as the beginning of another, nor of one that was derived from it."""
    return re.compile(rf"(?<![0-9A-Za-z]){re.escape(task_id)}(?![0-9A-Za-z#])")


def _is_of_derived(text: str, task_id: str) -> bool:
    """Whether a key or a line is about a task that was derived from this one, which names it."""
    return f"{task_id}#" in unquote(text)
