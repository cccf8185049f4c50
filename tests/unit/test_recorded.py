"""What earlier versions have written (`tests.upgrade.record`): messages, markers, results and tables of each schema."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline import results
from pipeline.ledger.audit import audit
from pipeline.messages import Message
from pipeline.models import SCHEMA_VERSION, Task, from_json
from pipeline.night.flow import Flow
from pipeline.settings import Settings
from pipeline.storage import keys
from pipeline.tables.schemas import SCHEMAS
from pipeline.tables.summary import summarise
from tasks import incoming
from tests.conftest import ROOT
from tests.support.command import FAKES
from tests.support.flows import drain, flow_of, records_of

RECORDED = ROOT / "tests" / "recorded"
VERSIONS = range(1, SCHEMA_VERSION + 1)
TEXT = "colour 112233"


def opened(version: int, state: str, tmp_path: Path) -> Flow:
    """A copy of a recorded store, and a worker of this version for it."""
    folder = tmp_path / "store"
    shutil.copytree(RECORDED / f"v{version}" / state, folder)
    return flow_of(
        Settings.from_env({"NIGHTSHIFT_STORE_URL": str(folder), "NIGHTSHIFT_WINDOW": "always", **FAKES})
    )


def delivered(version: int) -> Message:
    """The recorded message, as a worker of this version takes it from its queue."""
    kept = json.loads((RECORDED / f"v{version}" / "message.json").read_text())
    message: Any = SimpleNamespace(
        headers=kept["headers"],
        body=kept["body"].encode(),
        content_type=kept["content_type"],
        delivery_info={},
    )
    incoming.check(message, kept["queue"], {"nightshift.ocr"})
    (args, work, _), headers = json.loads(message.body), message.headers
    return Message(
        step="ocr",
        task_id=args[0],
        id=headers["id"],
        trace_id=headers["trace_id"],
        priority=headers["lane"],
        generation=headers["generation"] or 0,
        **work,
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_a_document_in_progress_is_continued(version: int, tmp_path: Path) -> None:
    flow = opened(version, "waiting", tmp_path)
    (key,) = flow.store.list(keys.PENDING)
    assert from_json(flow.store.get(key), Task).schema_version == version
    drain(flow, [delivered(version)])
    (record,) = records_of(flow).values()
    assert (record.status, record.schema_version) == ("done", SCHEMA_VERSION)
    assert record.pages[0].text == TEXT
    assert not list(flow.store.list(keys.PENDING))
    (received,) = keys.run_dates(flow.store.folders(keys.RECEIPTS))
    assert audit(flow.store, received).adds_up


@pytest.mark.parametrize("version", VERSIONS)
def test_a_result_and_its_tables_are_read(version: int, tmp_path: Path) -> None:
    flow = opened(version, "done", tmp_path)
    (record,) = records_of(flow).values()
    assert (record.schema_version, record.status, record.pages[0].text) == (version, "done", TEXT)
    assert [entity.text for entity in record.entities] == [TEXT.split()[1]]
    assert audit(flow.store, record.run_date).adds_up

    url = flow.settings.store_url
    assert list(results.load(url, "documents")["status"]) == ["done"]
    assert list(results.load(url, "pages")["text"]) == [TEXT]
    (entity,) = results.load(url, "entities").itertuples()
    assert entity.text == "112233"
    assert entity.x0 == pytest.approx(record.entities[0].boxes[0][0][0])  # float32

    summarise(flow.store, record.run_date)  # by this version
    for table, schema in SCHEMAS.items():
        found = pq.read_schema(pa.BufferReader(flow.store.get(keys.summary(table, record.run_date))))
        assert (found.names, found.metadata) == (schema.names, schema.metadata)
    assert list(results.load(url, "documents")["task_id"]) == [record.task_id]


def test_the_recorded_tables_say_their_version() -> None:
    for version in VERSIONS:
        for path in (RECORDED / f"v{version}").rglob("*.parquet"):
            said = (pq.read_schema(path).metadata or {}).get(b"nightshift_schema_version")
            assert said == b"%d" % version, path


def test_a_result_of_a_later_version_is_not_replaced(tmp_path: Path) -> None:
    """An older worker that fails a document must not take a good result for missing."""
    from pipeline.errors import Newer
    from pipeline.ledger import records

    flow = opened(SCHEMA_VERSION, "done", tmp_path)
    (key,) = flow.store.list(keys.RESULTS)
    later = json.loads(flow.store.get(key)) | {
        "schema_version": SCHEMA_VERSION + 1,
        "pages": "in another form",
    }
    data = json.dumps(later).encode()
    flow.store.put(key, data)
    task = Task(task_id=later["task_id"], sha256=None, source="s", run_date=later["run_date"], generation=1)
    error = Newer("whatever")
    with pytest.raises(Newer, match=f"schema version {SCHEMA_VERSION + 1}.*upgrade this installation"):
        records.fail(flow.store, task, error, run_date=later["run_date"], settings_digest="")
    assert flow.store.get(key) == data
    assert not list(flow.store.list(keys.FAILED))
