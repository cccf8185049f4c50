"""Rotation: everything ends under the first key, and nothing that workers do meanwhile is undone."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.encryption.keyring import keyring, new_line
from pipeline.errors import UsageError
from pipeline.ledger import generations, pending
from pipeline.models import Task
from pipeline.night import rotation
from pipeline.settings import Settings
from pipeline.storage import EncryptedStore, keys
from pipeline.storage.memory import MemoryStore

OLD, NEW, LOST = new_line("old"), new_line("new"), new_line("lost")
DAY = "2026-11-22"
RESULT, DOCUMENT = keys.result(DAY, "t"), keys.document("ab" * 32)


def _around(inner: MemoryStore, lines: str = f"{NEW},{OLD}", **more: bool) -> EncryptedStore:
    return EncryptedStore.around(inner, Settings.from_env({}, encryption_keys=lines, **more))


def _rotate(store: EncryptedStore) -> dict[str, str]:
    return {one.key: one.kind for one in rotation.rotate(store) if one.kind != "current"}


def _counts(store: EncryptedStore) -> dict[str, int]:
    return dict(list(rotation.count(store))[-1])


@pytest.fixture
def inner() -> MemoryStore:
    return MemoryStore("test")


def test_everything_ends_under_the_first_key(inner: MemoryStore, tmp_path: Path) -> None:
    table = keys.summary("documents", DAY)
    (tmp_path / "f").write_bytes(b"PAR1")
    inner.put("nights/a", b"plain")
    old = _around(inner, OLD)
    for key in (RESULT, DOCUMENT, "claims/t/abcdefgh.json", "control/window.json"):
        old.put(key, key.encode())
    old.put(keys.discarded(RESULT), b"")
    old.put_file(table, tmp_path / "f")
    store = _around(inner)
    store.put("ocr/new", b"{}")
    assert _counts(store) == {"old": 4, "new": 1, "plain": 2, "empty": 1}
    looked = rotation.summed(rotation.rotate(store))
    assert looked.counts == {"rewritten": 5, "current": 3}
    assert not looked.remaining
    assert _counts(store) == {"new": 6, "plain": 1, "empty": 1}
    alone = _around(inner, NEW)
    assert alone.get(RESULT) == RESULT.encode()
    assert alone.get("nights/a") == b"plain"
    assert inner.get(table) == b"PAR1"
    assert _rotate(alone) == {}


def test_it_continues_where_it_was_killed(inner: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(20):
        _around(inner, OLD).put(f"ocr/{n:02}", bytes([n]) * 9)
    store, whole = _around(inner), inner.put
    written: list[str] = []

    def killed(key: str, data: bytes) -> None:
        if len(written) >= 7:
            raise KeyboardInterrupt
        written.append(key)
        whole(key, data)

    monkeypatch.setattr(inner, "put", killed)
    with pytest.raises(KeyboardInterrupt):
        _rotate(store)
    monkeypatch.undo()
    assert _counts(store) == {"old": 20 - len(written), "new": len(written)}
    assert set(_rotate(store)) == {f"ocr/{n:02}" for n in range(20)} - set(written)
    assert [_around(inner, NEW).get(f"ocr/{n:02}") for n in range(20)] == [bytes([n]) * 9 for n in range(20)]


def test_what_belongs_to_a_task_in_progress_is_left_alone(inner: MemoryStore) -> None:
    store, old = _around(inner), _around(inner, OLD)
    for task_id in ("t", "scan.json", "a/b@1"):
        task = Task(task_id=task_id, sha256="ab" * 32, source="s", generation=2)
        pending.mark_next(old, task)
        own = {
            keys.result(DAY, task_id),
            keys.failed(DAY, task_id, 1),
            keys.claim(task_id, "abcdef012345"),
            keys.attempts(task_id, "ocr"),
            keys.output(task_id, "classify", 1),
            keys.callback_url(task_id),
            keys.undelivered(DAY, task_id),
        }
        for key in own:
            old.put(key, b"x")
        own |= {keys.pending(task_id, 2), keys.generation(task_id, 2)}
        assert set(_rotate(store)) == own
        assert generations.latest(store, task_id) == 2
        pending.remove(store, task_id, 2)
        assert set(_rotate(store).values()) == {"rewritten"}


@pytest.mark.parametrize(
    ("key", "do", "after"),
    [
        (RESULT, lambda store, key: store.put(key, b"newer"), b"newer"),
        (RESULT, lambda store, key: store.delete(key), None),
        ("control/window.json", lambda store, key: store.put(key, b"newer"), b"newer"),
        (DOCUMENT, lambda store, key: store.delete(key), None),
    ],
)
def test_what_others_do_between_reading_and_writing_is_kept(
    inner: MemoryStore,
    monkeypatch: pytest.MonkeyPatch,
    key: str,
    do: Callable[[EncryptedStore, str], None],
    after: bytes | None,
) -> None:
    store, old, read = _around(inner), _around(inner, OLD), inner.get
    old.put(key, b"older")

    def get(name: str) -> bytes:
        data = read(name)
        monkeypatch.undo()
        do(old, name)
        return data

    monkeypatch.setattr(inner, "head", lambda name, size: read(name)[:size])
    monkeypatch.setattr(inner, "get", get)
    assert _rotate(store) == {key: "changed"}
    assert (store.get(key) if store.exists(key) else None) == after


def test_what_cannot_be_decrypted_is_named_and_kept(inner: MemoryStore) -> None:
    store = _around(inner)
    _around(inner, LOST).put("ocr/lost", b"1")
    _around(inner, OLD).put("ocr/moved", b"1")
    inner.put("ocr/cut", inner.get("ocr/moved")[:12])
    inner.put("ocr/here", inner.get("ocr/moved"))
    before = {key: inner.get(key) for key in inner.list("")}
    rotated = rotation.summed(rotation.rotate(store))
    assert rotated.counts == {"locked": 1, "damaged": 2, "rewritten": 1}
    assert rotated.remaining == 3
    assert len(rotated.problems) == 3
    assert any(
        'ocr/lost in memory://test is encrypted with the key "lost"' in one for one in rotated.problems
    )
    assert [key for key in before if inner.get(key) != before[key]] == ["ocr/moved"]
    assert _counts(store) == {"lost": 1, "old": 1, "new": 1, "damaged": 1}


def test_plain_objects_are_not_made_genuine_where_encryption_is_required(inner: MemoryStore) -> None:
    inner.put("results/x", b"forged")
    assert _rotate(_around(inner, encryption_required=True)) == {"results/x": "damaged"}
    assert inner.get("results/x") == b"forged"


def test_tables_follow_their_setting(inner: MemoryStore) -> None:
    table = keys.summary("documents", DAY)
    inner.put(table, b"PAR1")
    assert _rotate(_around(inner, encryption_summary=True)) == {table: "rewritten"}
    assert inner.get(table) != b"PAR1"
    _around(inner, OLD, encryption_summary=True).put(table, b"PAR1")
    assert _rotate(_around(inner)) == {table: "rewritten"}
    assert inner.get(table) == b"PAR1"


def test_without_keys_there_is_nothing_to_rotate_to(inner: MemoryStore) -> None:
    with pytest.raises(UsageError, match="set NIGHTSHIFT_ENCRYPTION_KEYS"):
        rotation.rotate(_around(inner, ""))
    assert list(keyring(Settings())) == []
