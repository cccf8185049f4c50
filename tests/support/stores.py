"""What every store must do, local, S3 or memory: one contract, subclassed by each store's tests."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.errors import NotFound
from pipeline.storage import Store


class StoreContract:
    in_one_step = True
    """Whether `put_new` is safe against others at the same moment: not on a server that only seems to be."""

    @pytest.fixture
    def store(self) -> Store:
        raise NotImplementedError

    def test_round_trip_and_replace(self, store: Store) -> None:
        store.put("a/one", b"1")
        store.put("a/one", b"2")
        assert store.get("a/one") == b"2"
        assert store.exists("a/one")

    def test_an_object_that_exists_is_not_replaced(self, store: Store) -> None:
        assert store.put_new("a/one", b"1")
        assert not store.put_new("a/one", b"2")
        assert store.get("a/one") == b"1"
        assert store.put_new("a/empty", b"")
        assert not store.put_new("a/empty", b"2")
        assert list(store.list("")) == ["a/empty", "a/one"]
        store.delete("a/one")
        assert store.put_new("a/one", b"3")
        assert store.get("a/one") == b"3"

    def test_of_several_at_once_one_writes(self, store: Store) -> None:
        if not self.in_one_step:
            pytest.skip("this store is asked first")
        for turn in range(5):
            with ThreadPoolExecutor(4) as pool:
                wrote = list(pool.map(lambda n, at=turn: store.put_new(f"at/{at}", bytes([n])), range(4)))
            assert sum(wrote) == 1
            assert store.get(f"at/{turn}") == bytes([wrote.index(True)])

    def test_empty_object(self, store: Store) -> None:
        store.put("empty", b"")
        assert store.get("empty") == b""

    def test_missing(self, store: Store) -> None:
        assert not store.exists("nothing")
        with pytest.raises(NotFound):
            store.get("nothing")
        store.delete("nothing")

    def test_delete(self, store: Store) -> None:
        store.put("a/one", b"1")
        store.delete("a/one")
        assert not store.exists("a/one")
        assert list(store.list("a/")) == []

    def test_list_is_sorted_and_by_prefix(self, store: Store) -> None:
        for key in ("b/2", "b/10", "a/x", "b/1/deep", "bb/3"):
            store.put(key, b"")
        assert list(store.list("b/")) == ["b/1/deep", "b/10", "b/2"]
        assert list(store.list("b")) == ["b/1/deep", "b/10", "b/2", "bb/3"]
        assert list(store.list("")) == ["a/x", "b/1/deep", "b/10", "b/2", "bb/3"]
        assert list(store.list("nothing/")) == []

    def test_folders_right_below_a_prefix(self, store: Store) -> None:
        for key in ("a/two/1", "a/two/2", "a/one/deep/3", "a/loose", "ab/x/1"):
            store.put(key, b"")
        assert list(store.folders("a/")) == ["one", "two"]
        assert list(store.folders("nothing/")) == []
        assert list(store.folders("")) == ["a", "ab"]

    def test_put_file(self, store: Store, tmp_path: Path) -> None:
        path = tmp_path / "big"
        path.write_bytes(bytes(range(256)) * 4096 * 9)  # over 8 MiB: S3 uploads it in parts
        store.put_file("big", path)
        assert store.get("big") == path.read_bytes()

    def test_put_file_of_a_missing_file_changes_nothing(self, store: Store, tmp_path: Path) -> None:
        store.put("a/one", b"1")
        with pytest.raises(FileNotFoundError):
            store.put_file("a/one", tmp_path / "nothing")
        assert store.get("a/one") == b"1"

    def test_threads_see_whole_objects_only(self, store: Store) -> None:
        values = [bytes([n]) * 300_000 for n in range(4)]
        store.put("shared", values[0])

        def work(n: int) -> None:
            for turn in range(5):
                store.put("shared", values[n])
                store.put(f"own/{n}/{turn}", b"")
                assert store.get("shared") in values
                assert len(list(store.list(f"own/{n}/"))) == turn + 1

        with ThreadPoolExecutor(len(values)) as pool:
            list(pool.map(work, range(len(values))))
        assert len(list(store.list("own/"))) == 20

    def test_quoted_names_stay_as_they_are(self, store: Store) -> None:
        for key in ("pending/%2E%2E.json", "pending/a%2Fb.json", "results/run_date=2026-11-22/x.json"):
            store.put(key, key.encode())
            assert store.get(key) == key.encode()
        assert list(store.list("pending/")) == ["pending/%2E%2E.json", "pending/a%2Fb.json"]

    def test_check_leaves_nothing(self, store: Store) -> None:
        store.check()
        assert list(store.list("")) == []
