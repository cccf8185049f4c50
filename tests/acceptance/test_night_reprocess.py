"""A better model has come: `nightshift reprocess` with a real broker, an S3 store and real workers."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.errors import ExitCode
from pipeline.models import DocumentResult
from pipeline.storage import keys
from tests.support.command import GREEN, nightshift, page
from tests.support.night import Night, night
from tests.support.servers import free_port, wait_for
from tests.support.servers.rabbit import Rabbit
from tests.support.servers.swift import Swift

STALE = "ner_model != current"


@pytest.mark.long
def test_a_better_model_reads_old_nights_anew(
    rabbit: Rabbit, swift: Swift, bucket: str, tmp_path: Path
) -> None:
    env = {**swift.environ, "NIGHTSHIFT_STORE_URL": f"s3://{bucket}/night"}
    with night(rabbit, tmp_path, **env) as it:
        first = it.ready(it.worker("first"))
        it.publish([*it.documents(3), it.document("bad", page(it.inbox / "bad.png", GREEN))])
        before = it.settle(4)
        read, dead = it.pages_read(), it.depth("dead")
        day = before["bad"].run_date
        first.stop()
        json_of(it, "summarise", day)
        assert json_of(it, "reprocess", "--where", STALE)["stale"] == 0

        it.env["NIGHTSHIFT_FAKE_NER"] = "SHADE"
        shown = json_of(it, "reprocess", "--where", STALE, "--dry-run")
        assert (shown["stale"], shown["pages"], shown["queued"]) == (3, 3, 0)
        assert [(part["run_date"], part["reason"]) for part in shown["nights"]] == [(day, "ner model")]
        assert [row["task_id"] for row in shown["examples"]] == ["ocr_00000", "ocr_00001", "ocr_00002"]
        assert not it.pending()

        where = f"{STALE} and mean_confidence <= 0.9 and run_date >= {day}"
        assert json_of(it, "reprocess", "--where", where, "--limit", "1")["queued"] == 1
        done = nightshift("reprocess", "--where", where, **it.env)
        assert done.returncode == 0, done.stderr
        assert "1 skipped: already in progress." in done.stdout
        assert "2 documents, 2 pages queued as backfill." in done.stdout
        assert it.depth("filler-3") == 3
        sums = json_of(it, "status", code=ExitCode.NO_WORKER)
        assert (sums["pending"], sums["reprocessing"]) == (0, 3)
        assert audited(it, day) == (4, 3, 1, 0)
        assert it.records() == before, "the old results stand"

        it.ready(it.worker("second"))
        wait_for(lambda: not it.pending(), "all to be read again")
        wait_for(lambda: it.depth("filler-3") == 0, "no message to be left")
        after = it.records()
        assert {types(after[f"ocr_{n:05}"]) for n in range(3)} == {("SHADE",)}
        assert it.pages_read() == read, "OCR ran once"
        assert it.depth("dead") == dead
        assert set(it.ended().values()) == {1}
        assert audited(it, day) == (4, 3, 1, 0)
        assert json_of(it, "reprocess", "--where", where)["up_to_date"] == 3

        it.tick()
        wait_for(lambda: not list(it.store.list(keys.CHANGED)), "the night to be summarised again")
        entities = pd.read_parquet(f"s3://{bucket}/night/summary/entities")
        assert list(entities["type"]) == ["SHADE"] * 3
        nothing = json_of(it, "reprocess", "--where", where)
        assert (nothing["stale"], nothing["up_to_date"]) == (0, 0)


def test_wrong_usage_and_a_broker_away(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    nowhere = {
        "NIGHTSHIFT_BROKER_URL": f"amqp://guest:guest@127.0.0.1:{free_port()}//",
        "NIGHTSHIFT_STORE_URL": str(tmp_path / "out"),
    }
    for args, code, words in (
        (("--where", STALE), 1, "does not answer"),
        (("--where", STALE, "--dry-run"), 1, "nightshift summarise"),
        (("--where", "ocr_modle = x", "--dry-run"), 2, "did you mean ocr_model"),
        (("--dry-run",), 2, "Name the documents"),
    ):
        done = nightshift("reprocess", *args, **nowhere)
        assert (done.returncode, words in done.stderr, "Traceback" in done.stderr) == (code, True, False), (
            done.stderr
        )


def json_of(it: Night, *args: str, code: int = 0) -> dict[str, Any]:
    """What a command prints as JSON."""
    done = nightshift(*args, "--json", **it.env)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def audited(it: Night, day: str) -> tuple[int, int, int, int]:
    """Received, done, failed and pending; it must add up."""
    report = json_of(it, "audit", day)
    assert report["adds_up"]
    return report["received"], report["done"], report["failed"], report["pending"]


def types(record: DocumentResult) -> tuple[str, ...]:
    return tuple(entity.type for entity in record.entities)
