import os
from pathlib import Path

import pytest

from pipeline.errors import NotFound, RunError, UsageError
from pipeline.settings import Settings
from pipeline.storage import open_store
from pipeline.storage.local import LocalStore
from tests.support.stores import StoreContract


class TestLocalStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> LocalStore:
        return LocalStore(tmp_path / "store")


def test_a_partial_write_is_never_visible(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store.put("a/b", b"old")

    def explode(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store._write("a/b", explode)
    assert store.get("a/b") == b"old"
    assert list(store.list("")) == ["a/b"]
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["b"]


def test_left_over_temporary_files_are_not_listed(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store.put("a/b", b"1")
    (tmp_path / "a" / ".tmp-killed").write_bytes(b"half")
    assert list(store.list("")) == ["a/b"]


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
    with pytest.raises(UsageError, match="no store for ftp"):
        open_store("ftp://host/x", settings)


def test_missing_objects_name_key_and_store(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"results/x\.json not found in the store"):
        LocalStore(tmp_path).get("results/x.json")
