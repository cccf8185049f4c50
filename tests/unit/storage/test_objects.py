import pytest

from pipeline.errors import Damaged, Newer
from pipeline.models import SCHEMA_VERSION, Task
from pipeline.storage import objects
from pipeline.storage.memory import MemoryStore

DAMAGED = (
    b"",
    b"null",
    b"[]",
    b'{"task_id": "a", "sha256": null}',
    b'{"task_id": "a", "sha256": null, "source": "\xff"}',
    b'{"task_id": "\xc3", "sha256": null, "source": "b"}',
    b'{"task_id": "a", "sha256": "..", "source": "b"}',
    b'{"task_id": "a", "sha256": null, "source": "b", "not_before": "soon"}',
    b'{"task_id": "a", "sha256": null, "source": "b", "submitted_at": "2026-11-22T16:05:00"}',
    b'{"task_id": "a", "sha256": null, "source": "b", "run_date": "2026-02-30"}',
    b'{"task_id": "a", "sha256": null, "source": "b", "more": ' + b"[" * 100_000,
)


@pytest.mark.parametrize("data", DAMAGED)
def test_whatever_is_no_such_object_is_damaged(data: bytes) -> None:
    store = MemoryStore("objects")
    store.put("pending/a.json", data)
    with pytest.raises(Damaged, match=r"pending/a\.json in memory://objects is damaged"):
        objects.read(store, "pending/a.json", Task)
    assert objects.read_or_none(store, "pending/a.json", Task) is None


@pytest.mark.parametrize("more", ["", ', "sha256": 7', ', "priority": {"of": 5}'])
def test_what_a_later_version_wrote_is_neither_damaged_nor_missing(more: str) -> None:
    store = MemoryStore("later")
    data = f'{{"task_id": "a", "source": "b", "schema_version": {SCHEMA_VERSION + 1}, "sha256": null{more}}}'
    store.put("pending/a.json", data.encode())
    for read in (objects.read, objects.read_or_none):
        with pytest.raises(Newer, match=r"pending/a\.json in memory://later was written by a later version"):
            read(store, "pending/a.json", Task)
