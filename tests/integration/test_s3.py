import os
from pathlib import Path

import boto3
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from pipeline.documents.sources import find
from pipeline.encryption.keyring import new_line
from pipeline.errors import NotFound, PermanentError, RunError, StoreUnavailable, UsageError
from pipeline.ledger import pending, receipts, records
from pipeline.ledger.audit import audit
from pipeline.models import Task
from pipeline.night import forget, selection
from pipeline.night.search import Search
from pipeline.night.selection import Selector
from pipeline.settings import Settings
from pipeline.storage import Store, open_backend, open_store
from pipeline.tables.summary import summarise
from tests.support.servers import free_port
from tests.support.servers.swift import Swift
from tests.support.stores import StoreContract


class TestS3Store(StoreContract):
    in_one_step = False  # Swift looks, then writes

    @pytest.fixture
    def store(self, bucket: str) -> Store:
        return open_store(f"s3://{bucket}/some/prefix", Settings.from_env())


class TestEncryptedS3Store(StoreContract):
    in_one_step = False  # Swift looks, then writes

    @pytest.fixture
    def store(self, bucket: str) -> Store:
        settings = Settings.from_env(encryption_keys=new_line("k1"), encryption_required=True)
        return open_store(f"s3://{bucket}/some/prefix", settings)


def test_the_beginning_of_an_object(bucket: str) -> None:
    store = open_backend(f"s3://{bucket}/a", Settings.from_env())
    store.put("x", bytes(range(100)))
    store.put("empty", b"")
    assert store.head("x", 10) == bytes(range(10))
    assert store.head("x", 1000) == bytes(range(100))
    assert store.head("empty", 10) == b""
    with pytest.raises(NotFound):
        store.head("y", 10)


def test_prefixes_are_separate(bucket: str) -> None:
    settings = Settings.from_env()
    one, other = open_store(f"s3://{bucket}/a", settings), open_store(f"s3://{bucket}/ab", settings)
    one.put("x", b"1")
    other.put("y", b"2")
    assert list(one.list("")) == ["x"]
    assert sorted(open_store(f"s3://{bucket}", settings).list("")) == ["a/x", "ab/y"]


def test_wrong_credentials_are_reported_clearly(
    bucket: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    (tmp_path / "table").write_bytes(b"x")
    store = open_store(f"s3://{bucket}", Settings.from_env())
    for attempt in (store.check, lambda: store.put_file("table", tmp_path / "table")):
        with pytest.raises(RunError, match="refuses access") as caught:
            attempt()
        assert caught.value.code == "store_refused"


def test_missing_credentials_are_reported_clearly(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    with pytest.raises(RunError, match="No credentials"):
        open_store(f"s3://{bucket}", Settings.from_env()).check()


def test_a_missing_bucket_is_reported_clearly(s3: Swift) -> None:
    with pytest.raises(RunError, match="bucket no-such-bucket does not exist"):
        open_store("s3://no-such-bucket", Settings.from_env()).check()


def test_an_unavailable_server_is_transient(s3: Swift, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTSHIFT_S3_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(StoreUnavailable, match="does not answer"):
        open_store("s3://anything", Settings.from_env()).get("x")


def test_documents_come_from_a_prefix(bucket: str) -> None:
    client = boto3.session.Session().client("s3")
    for key in ("in/a.jpg", "in/deep/b.pdf", "in/", "inbox/c.jpg"):
        client.put_object(Bucket=bucket, Key=key, Body=key.encode())
    settings = Settings.from_env()
    found = list(find([f"s3://{bucket}/in"], settings))
    assert [(s.url, s.read()) for s in found] == [
        (f"s3://{bucket}/in/a.jpg", b"in/a.jpg"),
        (f"s3://{bucket}/in/deep/b.pdf", b"in/deep/b.pdf"),
    ]
    assert [s.url for s in find([f"s3://{bucket}/inbox/c.jpg"], settings)] == [f"s3://{bucket}/inbox/c.jpg"]
    with pytest.raises(UsageError, match="Nothing found at"):
        list(find([f"s3://{bucket}/nowhere/"], settings))


def test_analysts_read_the_summary_directly(bucket: str) -> None:
    from pipeline.tables.schemas import SCHEMAS
    from pipeline.tables.summary import summarise

    store = open_store(f"s3://{bucket}/night", Settings.from_env())
    summarise(store, "2026-11-22")
    entities = f"s3://{bucket}/night/summary/entities"
    assert "confidence" in pd.read_parquet(entities).columns
    schema = SCHEMAS["entities"].append(pa.field("run_date", pa.string()))
    assert ds.dataset(entities, schema=schema, partitioning="hive").to_table().num_rows == 0
    options = {
        "aws_access_key_id": os.environ["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": os.environ["AWS_SECRET_ACCESS_KEY"],
        "aws_endpoint_url": os.environ["AWS_ENDPOINT_URL"],
        "aws_region": os.environ.get("AWS_DEFAULT_REGION", "us-east-1"),
        "aws_allow_http": "true",
    }
    lazy = pl.scan_parquet(
        f"{entities}/run_date=2026-11-22/*.parquet", hive_partitioning=True, storage_options=options
    )
    assert {"amount", "run_date"} <= set(lazy.collect().columns)


def test_a_document_is_forgotten_in_a_bucket(bucket: str) -> None:
    store = open_store(f"s3://{bucket}/night", Settings.from_env())
    for name in ("mueller-1", "meier-2"):
        source = f"s3://inbox/{name}.pdf"
        task = Task(task_id=name, sha256=pending.store_document(store, name.encode()), source=source)
        receipts.write(store, "2026-11-22", [task])
        records.fail(store, task, PermanentError("No.", code="x"), run_date="2026-11-22", settings_digest="")
    summarise(store, "2026-11-22")
    plan = selection.plan(store, Selector(task_id="mueller-1"), actor="alice")
    assert plan is not None
    done = forget.carry_out(store, plan)
    forget.finish(store, plan, done)
    assert (done.tasks, done.documents, done.rows, done.receipts) == (1, 1, 1, 1)
    assert Search(store, plan).run().hits == []
    report = audit(store, "2026-11-22")
    assert (report.adds_up, report.received, report.forgotten) == (True, 2, 1)
    assert store.is_versioned in (False, None)
