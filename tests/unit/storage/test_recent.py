"""What processes of a host keep for the next step."""

import os
import time
from pathlib import Path

import pytest

from pipeline import scratch
from pipeline.encryption.keyring import Keyring, new_line
from pipeline.settings import Settings
from pipeline.storage import EncryptedStore, recent
from pipeline.storage.memory import MemoryStore


@pytest.fixture(autouse=True)
def _no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent.Folder, "_tidy", lambda _: None)


def aged(folder: Path, seconds: float) -> None:
    for path in folder.iterdir():
        os.utime(path, (time.time() - seconds,) * 2)


def test_all_processes_that_use_a_folder_find_what_one_keeps(tmp_path: Path) -> None:
    one, other = recent.Folder(tmp_path, 1 << 20), recent.Folder(tmp_path, 1 << 20)
    one.keep("ocr/a", b"1")
    assert other.get("ocr/a", 60.0) == b"1"
    one.keep("ocr/a", b"2")
    assert other.get("ocr/a", 60.0) == b"2"
    other.drop("ocr/a")
    assert one.get("ocr/a", 60.0) is None
    assert [path.stat().st_mode & 0o077 for path in tmp_path.iterdir()] == []


@pytest.mark.parametrize(("age", "found"), [(5.0, True), (61.0, False), (-30.0, False)])
def test_what_is_older_than_asked_for_is_not_found(tmp_path: Path, age: float, found: bool) -> None:
    folder = recent.Folder(tmp_path, 1 << 20)
    folder.keep("ocr/a", b"1")
    aged(tmp_path, age)
    assert (folder.get("ocr/a", recent.LONGEST) is not None) == found
    assert folder.get("ocr/a", 2.0) is None
    assert folder.sweep() == int(found)
    assert len(list(tmp_path.iterdir())) == int(found)


def test_the_oldest_go_where_there_is_too_much(tmp_path: Path) -> None:
    folder = recent.Folder(tmp_path, 1000)
    for number in range(30):
        folder.keep(f"ocr/{number}", bytes(100))
        aged(tmp_path, 1.0) if number == 0 else None
    folder.sweep()
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 1000
    assert folder.get("ocr/0", 60.0) is None


def test_a_large_object_is_not_kept_and_no_older_one_instead(tmp_path: Path) -> None:
    folder = recent.Folder(tmp_path, 1000)
    folder.keep("documents/a", b"1")
    folder.keep("documents/a", bytes(2000))
    assert folder.get("documents/a", 60.0) is None


def test_a_folder_that_is_gone_costs_nothing(tmp_path: Path) -> None:
    folder = recent.Folder(tmp_path / "gone", 1000)
    folder.keep("ocr/a", b"1")
    assert folder.get("ocr/a", 60.0) is None
    assert folder.sweep() == 0


def test_what_is_encrypted_in_the_store_is_encrypted_here(tmp_path: Path) -> None:
    settings = Settings.from_env({}, encryption_keys=new_line("k1"))
    store = EncryptedStore.around(MemoryStore("recent"), settings)
    recent.use(store, recent.Folder(tmp_path, 1 << 20))
    recent.keep(store, "ocr/a", b"a secret of somebody")
    assert recent.get(store, "ocr/a") == b"a secret of somebody"
    assert b"secret" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    others = EncryptedStore(store.inner, Keyring([]))
    recent.use(others, recent.Folder(tmp_path, 1 << 20))
    assert recent.get(others, "ocr/a") is None, "a process without the key asks the store, which says so"


def test_a_store_for_which_nothing_is_kept() -> None:
    store = MemoryStore("plain")
    recent.keep(store, "ocr/a", b"1")
    assert recent.get(store, "ocr/a") is None


def test_a_shared_folder_stays_while_somebody_uses_it(tmp_path: Path) -> None:
    folder = scratch.shared("recent-1", str(tmp_path))
    assert scratch.shared("recent-1", str(tmp_path)) == folder
    scratch.clean(folder.parent)
    assert folder.is_dir()
    os.close(scratch._shared.pop(folder))
    scratch.clean(folder.parent)
    assert not folder.exists()
