"""The store whose objects are encrypted: what it promises, and what it notices."""

import hashlib
from io import BytesIO
from pathlib import Path

import pytest
from botocore.stub import Stubber

from pipeline.encryption import header
from pipeline.encryption.header import Locked
from pipeline.encryption.keyring import keyring, new_line
from pipeline.errors import Damaged, NotFound, UsageError
from pipeline.models import Task
from pipeline.settings import Settings
from pipeline.steps.verdict import verdict
from pipeline.storage import EncryptedStore, exists, keys, open_backend, open_store
from pipeline.storage.base import Backend
from pipeline.storage.local import LocalStore
from pipeline.storage.memory import MemoryStore
from pipeline.storage.objects import read_or_none
from pipeline.storage.s3 import S3Store
from tests.support.stores import StoreContract

OLD, NEW = new_line("old"), new_line("new")
TABLE = "summary/documents/run_date=2026-11-22/part-00000.parquet"


def _around(inner: Backend, lines: str = NEW, **more: bool) -> EncryptedStore:
    return EncryptedStore.around(inner, Settings.from_env({}, encryption_keys=lines, **more))


@pytest.fixture
def inner() -> MemoryStore:
    return MemoryStore("test")


class TestEncryptedMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> EncryptedStore:
        return _around(MemoryStore("test"))


class TestEncryptedLocalStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> EncryptedStore:
        return _around(LocalStore(tmp_path / "store"), encryption_required=True)


class TestStoreWithoutKeys(StoreContract):
    @pytest.fixture
    def store(self) -> EncryptedStore:
        return _around(MemoryStore("test"), "")


def test_nothing_readable_is_stored(inner: MemoryStore, tmp_path: Path) -> None:
    store = _around(inner)
    (tmp_path / "f").write_bytes(b"Ada Example" * 300_000)
    store.put("results/a", b"Ada Example")
    store.put_file("results/b", tmp_path / "f")
    store.put("discarded/a", b"")
    assert store.get("results/a") == b"Ada Example"
    assert store.get("results/b") == b"Ada Example" * 300_000
    assert b"Ada Example" not in inner.get("results/a") + inner.get("results/b")
    assert inner.get("discarded/a") == b""


def test_tables_stay_readable_for_other_programs_unless_the_setting_says_otherwise(
    inner: MemoryStore, tmp_path: Path
) -> None:
    (tmp_path / "f").write_bytes(b"PAR1")
    _around(inner).put_file(TABLE, tmp_path / "f")
    assert inner.get(TABLE) == b"PAR1"
    assert _around(inner, encryption_required=True).get(TABLE) == b"PAR1"
    secretive = _around(inner, encryption_summary=True)
    assert secretive.get(TABLE) == b"PAR1"
    secretive.put_file(TABLE, tmp_path / "f")
    assert header.is_sealed(inner.get(TABLE))
    assert _around(inner).get(TABLE) == b"PAR1", "whatever the reader's setting"


def test_what_was_written_before_is_read_until_encryption_is_required(inner: MemoryStore) -> None:
    inner.put("results/a", b"{}")
    assert _around(inner).get("results/a") == b"{}"
    with pytest.raises(
        Damaged, match=r"results/a in memory://test is not encrypted, which NIGHTSHIFT_ENCRYPTION_REQ"
    ):
        _around(inner, encryption_required=True).get("results/a")


def test_older_keys_still_decrypt(inner: MemoryStore) -> None:
    _around(inner, OLD).put("a", b"1")
    store = _around(inner, f"{NEW},{OLD}")
    assert store.get("a") == b"1"
    store.put("a", b"2")
    assert _around(inner, NEW).get("a") == b"2"


@pytest.mark.parametrize("lines", ["", NEW, new_line("old")], ids=["none", "missing", "wrong"])
def test_without_the_key_no_document_is_at_fault(inner: MemoryStore, lines: str) -> None:
    _around(inner, OLD).put("pending/a.json", b"{}")
    store = _around(inner, lines)
    said = r'pending/a.json in memory://test is encrypted with .*"old".*: \w+ that key.$'
    with pytest.raises(Locked, match=said) as caught:
        store.get("pending/a.json")
    assert verdict(caught.value).action == "wait"
    with pytest.raises(Locked):
        read_or_none(store, "pending/a.json", Task)


def test_an_object_that_was_changed_is_damaged(inner: MemoryStore) -> None:
    store = _around(inner)
    store.put("ocr/a", b'{"x": 1}')
    sealed = inner.get("ocr/a")
    for changed in (sealed[:-1] + bytes([sealed[-1] ^ 1]), sealed[:-1], sealed + b"x", sealed[:20]):
        inner.put("ocr/a", changed)
        with pytest.raises(Damaged, match=r"ocr/a in memory://test .*: restore it from a back") as caught:
            store.get("ocr/a")
        assert verdict(caught.value).action == "set_aside"
        assert read_or_none(store, "ocr/a", Task) is None


def test_two_objects_cannot_be_swapped(inner: MemoryStore) -> None:
    store = _around(inner)
    store.put("results/a", b"1")
    inner.put("results/b", inner.get("results/a"))
    with pytest.raises(Damaged, match="written under another name"):
        store.get("results/b")


@pytest.mark.parametrize("lines", ["", NEW], ids=["plain", "encrypted"])
def test_a_document_that_begins_like_an_encrypted_object_is_a_document(
    inner: MemoryStore, lines: str
) -> None:
    """Else its sender could make its step wait for a key that does not exist."""
    _around(inner, OLD).put("x", b"1")
    for data in (inner.get("x"), header.MAGIC, header.MAGIC + b"\x09", header.MAGIC + b"\x01" * 99):
        key = keys.document(hashlib.sha256(data).hexdigest())
        inner.put(key, data)
        assert _around(inner, lines).get(key) == data
        store = _around(inner)
        store.put(key, data)
        assert inner.get(key) != data
        assert store.get(key) == data


def test_the_first_bytes_are_enough_to_know_the_key(inner: MemoryStore, tmp_path: Path) -> None:
    local = LocalStore(tmp_path)
    for backend in (inner, local):
        _around(backend).put("a", bytes(1000))
        assert header.parse(backend.head("a", header.LONGEST)).key_id == "new"
        backend.put("b", b"")
        assert backend.head("b", 9) == b""


def test_a_store_is_opened_with_the_keys_of_the_settings(tmp_path: Path) -> None:
    settings = Settings(encryption_keys=NEW)
    store = open_store(str(tmp_path / "s"), settings)
    assert not exists(store)
    store.put("a", b"1")
    assert exists(store)
    assert open_backend(str(tmp_path / "s"), settings).get("a") != b"1"
    assert store.get("a") == b"1"
    with pytest.raises(UsageError, match="key 1 is not a key"):
        open_store(str(tmp_path / "s"), Settings(encryption_keys="k1:short"))


def test_keys_are_read_once(inner: MemoryStore) -> None:
    settings = Settings(encryption_keys=NEW)
    assert [key.id for key in keyring(settings)] == [key.id for key in _around(inner).keyring] == ["new"]


def test_the_beginning_of_an_object_in_a_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    store = S3Store("bucket", "p", Settings(s3_region="eu-central-1", s3_endpoint="https://s3.example.org"))
    with Stubber(store._client) as server:
        asked = {"Bucket": "bucket", "Key": "p/a", "Range": "bytes=0-9"}
        server.add_response("get_object", {"Body": BytesIO(bytes(10))}, asked)
        assert store.head("a", 10) == bytes(10)
        server.add_response("get_object", {"Body": BytesIO(bytes(99))}, asked)  # it does not heed a range
        assert store.head("a", 10) == bytes(10)
        server.add_client_error("get_object", "InvalidRange", http_status_code=416, expected_params=asked)
        assert store.head("a", 10) == b"", "it is empty"
        server.add_client_error("get_object", "NoSuchKey", http_status_code=404, expected_params=asked)
        with pytest.raises(NotFound):
            store.head("a", 10)
