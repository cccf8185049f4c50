import pytest

from pipeline.errors import Damaged
from pipeline.models import Task
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
