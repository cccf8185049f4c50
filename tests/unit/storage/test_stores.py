import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.errors import NotFound, RunError, UsageError
from pipeline.settings import Settings
from pipeline.storage import open_store
from pipeline.storage.local import LocalStore
from pipeline.storage.memory import MemoryStore
from tests.support.stores import StoreContract


class TestLocalStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> LocalStore:
        return LocalStore(tmp_path / "store")


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore("test")


def test_one_name_is_one_memory_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MemoryStore, "_named", {})
    settings = Settings.from_env({})
    one, other = (open_store(f"memory://{name}", settings) for name in ("one", "other"))
    one.put("a", b"1")
    assert open_store("memory://one", settings).get("a") == b"1"
    assert not other.exists("a")
    with pytest.raises(NotFound, match="a not found in memory://other"):
        other.get("a")


CHILD = """
import multiprocessing
from pipeline.settings import Settings
from pipeline.storage import open_store

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    child = context.Process(target=open_store, args=("memory://one", Settings.from_env({})))
    child.start()
    child.join()
    raise SystemExit(child.exitcode)
"""


def test_a_child_process_is_not_given_an_empty_memory_store(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(CHILD)
    done = subprocess.run(
        [sys.executable, tmp_path / "main.py"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert "memory://one exists in one process only" in done.stderr


def test_a_partial_write_is_never_visible(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store.put("a/b", b"old")

    def explode(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store._write("a/b", explode)
    assert store.get("a/b") == b"old"
    assert list(store.list("")) == ["a/b"]
    assert not list((tmp_path / "a" / ".tmp").iterdir())


def test_left_over_temporary_files_are_not_listed(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store.put("a/b", b"1")
    (tmp_path / "a" / ".tmp" / "killed").write_bytes(b"half")
    assert list(store.list("")) == list(store.list("a/")) == ["a/b"]
    assert list(store.folders("a/")) == []


def test_what_killed_processes_left_is_removed_after_an_hour(tmp_path: Path) -> None:
    LocalStore(tmp_path).put("documents/b", b"1")
    old, new = (tmp_path / "documents" / ".tmp" / name for name in ("old", "new"))
    for left in (old, new):
        left.write_bytes(b"half of a document")
    os.utime(old, (time.time() - 4000,) * 2)
    LocalStore(tmp_path).put("results/r", b"1")
    assert (old.exists(), new.exists()) == (False, True)


@pytest.mark.parametrize("key", ["../x", "a/../../x", "/etc/passwd", "a//b", "", "a/./b", "a\0b"])
def test_keys_that_escape_the_store_are_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="unsafe key"):
        LocalStore(tmp_path).put(key, b"")


def test_a_file_in_place_of_the_folder_is_reported_clearly(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("")
    with pytest.raises(RunError, match="is a file; use a folder"):
        LocalStore(tmp_path / "f").check()
    with pytest.raises(RunError, match="Can't write to the store"):
        LocalStore(tmp_path / "f" / "deeper").check()


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_reported_clearly(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(RunError, match="Permission denied"):
        LocalStore(tmp_path / "store").check()


def test_urls(tmp_path: Path) -> None:
    settings = Settings.from_env({})
    spaced = tmp_path / "with space"
    assert open_store(spaced.as_uri(), settings).url == spaced.as_uri()
    assert open_store(str(spaced), settings).url == spaced.as_uri()
    assert open_store("s3://bucket/some/prefix/", settings).url == "s3://bucket/some/prefix"
    with pytest.raises(UsageError, match="names no bucket"):
        open_store("s3:///x", settings)
    with pytest.raises(UsageError, match="has no name: write memory://name"):
        open_store("memory://", settings)
    with pytest.raises(UsageError, match="no store for ftp"):
        open_store("ftp://host/x", settings)


def test_missing_objects_name_key_and_store(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"results/x\.json not found in the store"):
        LocalStore(tmp_path).get("results/x.json")


def test_a_store_that_is_no_longer_mounted_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "mnt")
    assert not store.exists("pending/a"), "it may be new"
    store.put("pending/a", b"1")
    assert store.get("pending/a") == b"1"
    (tmp_path / "mnt").rename(tmp_path / "away")
    for _ in range(2):
        for use in (
            lambda: store.get("pending/a"),
            lambda: store.exists("pending/a"),
            lambda: list(store.list("pending/")),
            lambda: list(store.folders("pending/")),
            lambda: store.put("pending/b", b"2"),
            lambda: store.delete("pending/a"),
        ):
            with pytest.raises(RunError, match="missing or empty, but was not before: mount it"):
                use()
        (tmp_path / "mnt").mkdir(exist_ok=True)  # the folder that something was mounted on
    assert not list((tmp_path / "mnt").iterdir())
    (tmp_path / "mnt").rmdir()
    (tmp_path / "away").rename(tmp_path / "mnt")
    assert store.get("pending/a") == b"1"
