"""From a plain AMQP message to a result: the chain with a real broker and real workers, fake engines."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pika
import pytest

from pipeline.remote.signing import SIGNATURE_HEADER, verify
from pipeline.storage import keys
from tests.support.command import GREEN, nightshift, page
from tests.support.night import RAW, Night, night, spelled, steady
from tests.support.servers import wait_for
from tests.support.servers.rabbit import Rabbit
from tests.support.servers.receiver import calling, receiver


@pytest.fixture
def nights(rabbit: Rabbit, tmp_path: Path) -> Iterator[Night]:
    with night(rabbit, tmp_path) as it:
        yield it


def test_messages_of_any_producer_become_results(nights: Night) -> None:
    before, after = nights.documents(3, "before"), nights.documents(3, "after")
    nights.publish(before)  # the producer's own plain queue, when Nightshift has never run here
    worker = nights.ready(nights.worker())
    nights.publish(after)
    (both,) = nights.documents(1, "both", trace_id="trace-document", priority=9, tenant="bank", colour="x")
    nights.publish([both], "nightshift", "task_type.document")
    (only,) = nights.documents(1, "only", trace_id="trace-ocr")
    nights.publish([only | {"task_type": "ocr"}], "nightshift", "task_type.ocr")
    text = {"task_id": "text", "task_type": "nlp", "text": "colour 123456", "trace_id": "trace-nlp"}
    nights.publish([text], "nightshift", "task_type.nlp")

    records = nights.settle(9)
    assert {r.status for r in records.values()} == {"done"}
    for prefix in ("before", "after"):
        for n in range(3):
            record = records[f"{prefix}_{n:05}"]
            assert record.pages[0].text == f"colour {spelled(n)}"
            assert [e.value for e in record.entities] == [spelled(n)]
            assert record.trace_id, "a task without a trace id is given one"
    assert records["both_00000"].metadata == {"colour": "x"}
    assert (records["both_00000"].priority, records["both_00000"].tenant) == (9, "bank")
    assert records["only_00000"].ner is None
    assert records["only_00000"].pages[0].text == f"colour {spelled(0)}"
    assert [e.value for e in records["text"].entities] == ["123456"]
    for name, trace in {"both_00000": "document", "only_00000": "ocr", "text": "nlp"}.items():
        assert records[name].trace_id == f"trace-{trace}"
        lines = [x for x in worker.text().splitlines() if f"trace=trace-{trace} " in x]
        steps = {"document": ("ocr", "ner"), "ocr": ("ocr", "result"), "nlp": ("ner",)}[trace]
        for step in ("ingest", *steps):
            assert any(
                f"task={name} step={step} " in x and f"Task nightshift.{step}[" in x and "succeeded" in x
                for x in lines
            ), step
    assert "123456" not in worker.text(), "a document's text got into the log"


def test_bad_messages_go_to_the_dead_with_their_reason(nights: Night, tmp_path: Path) -> None:
    outside = page(tmp_path / "elsewhere" / "a.png", (1, 100, 100))
    (good, gone) = nights.documents(2)
    (nights.inbox / "ocr_1.png").unlink()
    raises = nights.document("raises", page(nights.inbox / "raises.png", GREEN), trace_id="trace-raises")
    (nights.inbox / "text.png").write_bytes(b"\x00no image at all")
    bad: list[bytes | dict[str, object]] = [
        b"{not json",
        b"\xff\xfe",
        {"task_id": "typo", "task_type": "documnet", "image_url": outside.as_uri()},
        {"task_id": "no_url", "task_type": "document"},
        nights.document("outside", outside, trace_id="trace-outside"),
        nights.document("private", outside) | {"image_url": "http://169.254.169.254/latest"},
        {"task_id": "huge", "task_type": "nlp", "text": "x" * (3 << 20)},
        nights.document("no_image", nights.inbox / "text.png"),
        raises,
        gone,
    ]
    nights.publish([*bad, good])
    worker = nights.ready(nights.worker())
    records = nights.settle(len(bad) + 1)
    dead = nights.dead(len(bad))
    by_id = {headers["task_id"].partition("#")[0]: headers for headers, _ in dead}
    assert all(headers["reason"] for headers in by_id.values())
    codes = {name: headers["code"] for name, headers in by_id.items()}
    assert codes == {
        "message": "bad_message",  # twice: neither has an id
        "typo": "unknown_task_type",
        "no_url": "bad_message",
        "outside": "source_refused",
        "private": "source_refused",
        "huge": "bad_message",
        "no_image": "unsupported_type",
        "raises": "internal",
        "ocr_00001": "not_found",
    }
    assert by_id["raises"]["trace_id"] == "trace-raises"
    assert by_id["outside"]["trace_id"] == "trace-outside"
    assert "trace=trace-outside task=outside " in worker.text()
    assert [r.task_id for r in records.values() if r.status == "done"] == ["ocr_00000"]
    assert {body for _, body in dead} >= {b"{not json", b"\xff\xfe"}, "a refused message is kept as it came"
    assert nights.depth("inference_tasks") == 0
    assert "Traceback" not in worker.text().replace(_of_the_raiser(worker.text()), "")


def test_an_encoding_that_a_message_claims_stops_nothing(nights: Night) -> None:
    odd = pika.BasicProperties(delivery_mode=2, content_encoding="utf-7")
    named = pika.BasicProperties(delivery_mode=2, content_encoding="latin-1")
    text = json.dumps({"task_id": "票", "task_type": "nlp", "text": "colour 123456"}, ensure_ascii=False)
    with nights.channel() as channel:
        channel.basic_publish("", RAW, b'{"task_id":"+2AA-","task_type":"nlp"}', odd, mandatory=True)
        channel.basic_publish("", RAW, text.encode(), named, mandatory=True)
    worker = nights.ready(nights.worker())
    records = nights.settle(2)
    assert records["票"].status == "done"
    assert nights.depth("dead") == 1
    assert worker.main.poll() is None


def test_messages_far_over_the_limit_stop_nothing(nights: Night) -> None:
    with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="larger than configured max size"):
        nights.publish([b"x" * (300 << 20)])  # RabbitMQ's own limit: the producer is notified
    (good,) = nights.documents(1)
    start = b'{"task_id": "vast", "task_type": "nlp", "text": "'
    nights.publish([start + b"x" * (100 << 20), good])
    worker = nights.ready(nights.worker())
    records = nights.settle(2)
    ((headers, body),) = nights.dead(1)
    assert (headers["task_id"].partition("#")[0], headers["code"]) == ("vast", "bad_message")
    assert "larger than 1024 KiB" in headers["reason"]
    assert len(body) <= 2 << 20, "its beginning is enough to know it by"
    assert sorted(r.status for r in records.values()) == ["done", "failed"]
    assert "Traceback" not in worker.text()


def test_another_pool_is_refused(nights: Night) -> None:
    worker = nights.worker("threads", "-P", "threads")
    assert worker.main.wait(60) != 0
    assert "needs the prefork pool" in worker.text()
    assert "Traceback" not in worker.text()


def _of_the_raiser(log: str) -> str:
    """The one traceback that belongs there."""
    start = log.index("unexpected error on page 1")
    return log[start : log.index("made to raise", start)]


def test_an_id_stands_for_one_document(nights: Night) -> None:
    nights.ready(nights.worker())
    (first,) = nights.documents(1, "one")
    copy = nights.document("one_00000", nights.inbox / "copy.png")
    (nights.inbox / "copy.png").write_bytes((nights.inbox / "one_0.png").read_bytes())
    other = nights.document("one_00000", page(nights.inbox / "other.png", (200, 100, 100)))
    nights.publish([first, first, copy, other, first])
    records = nights.settle(2)
    (refused,) = [r for r in records.values() if r.status == "failed"]
    assert refused.error is not None
    assert refused.error.code == "id_conflict"
    assert refused.task_id.startswith("one_00000#")
    assert records["one_00000"].pages[0].text == f"colour {spelled(0)}"
    read = nights.pages_read()
    assert set(read) == {spelled(0)}, "the refused one is never read"
    nights.publish([first])
    wait_for(lambda: nights.depth("inference_tasks") == 0, "the repetition to be taken in")
    assert steady(nights.pages_read) == read
    assert len(nights.ended()) == 2


@pytest.mark.long
def test_a_delayed_task_waits_for_its_time_and_two_beats_double_nothing(nights: Night) -> None:
    nights.ready(nights.worker())
    nights.beat("one")
    nights.beat("two")
    moment = datetime.now(UTC) + timedelta(seconds=20)
    (later,) = nights.documents(1, "later", not_before=moment.isoformat())
    (now,) = nights.documents(1, "now")
    nights.publish([later, now])
    wait_for(lambda: list(nights.store.list(keys.DELAYED)), "it to wait, not in the broker")
    wait_for(lambda: "now_00000" in nights.ended(), "the other to end")
    records = nights.settle(2, 90)  # beat ticks every 30 s
    assert datetime.fromisoformat(records["later_00000"].done_at) >= moment
    assert nights.ended() == {"later_00000": 1, "now_00000": 1}
    assert nights.pages_read() == {spelled(0): 1}, "both are of the same bytes"


def test_a_producer_may_route_by_an_exchange_and_keys_of_its_own(nights: Night) -> None:
    with nights.channel() as channel:
        channel.exchange_declare("scanners", "topic", durable=True)
        channel.queue_bind(RAW, "scanners", "#")
    nights.window("closed")
    nights.ready(nights.worker())
    nights.publish(nights.documents(1), "scanners", "ocr")
    nights.publish([b"hello"], "scanners", "docs.new")
    wait_for(lambda: nights.depth("ocr") == 1, "the document to be taken in by day")
    nights.window("open")
    records = nights.settle(2)
    assert records.pop("ocr_00000").status == "done"
    ((headers, body),) = nights.dead(1)
    assert (headers["code"], body) == ("bad_message", b"hello")


def test_a_message_whose_id_has_a_damaged_marker_is_recorded(nights: Night) -> None:
    nights.store.put(keys.pending("ocr_00000"), b"{")
    (message,) = nights.documents(1)
    nights.ready(nights.worker())
    nights.publish([message])
    ((headers, body),) = nights.dead(1)
    assert (headers["code"], json.loads(body)) == ("damaged", message)
    assert "pending/ocr_00000.json" in headers["reason"]
    wait_for(nights.records, "the record, which comes after the dead letter")
    assert [r.error and r.error.code for r in nights.records().values()] == ["damaged"]


def test_a_step_whose_marker_is_damaged_waits_for_the_operator(nights: Night) -> None:
    nights.env |= {
        "NIGHTSHIFT_RECENT_MB": "0"
    }  # or a process of this host goes on by the marker that it has seen
    nights.window("closed")
    nights.publish(nights.documents(2))
    nights.ready(nights.worker())
    wait_for(lambda: nights.depth("ocr") == 2, "both to be taken in")
    whole = nights.store.get(keys.pending("ocr_00000"))
    nights.store.put(keys.pending("ocr_00000"), b"{")
    nights.window("open")
    wait_for(lambda: nights.ended() == {"ocr_00001": 1}, "its neighbour to be done")
    ((headers, _),) = nights.dead(1)
    assert (headers["code"], headers["task_id"]) == ("damaged", "ocr_00000")
    assert "damaged" in nightshift("status", **nights.env).stdout
    day = nights.flow.schedule.run_date()
    assert nightshift("audit", day, **nights.env).returncode == 4
    nights.store.put(keys.pending("ocr_00000"), whole)  # out of a backup
    assert nightshift("audit", day, "--repair", **nights.env).returncode == 0
    nights.settle(2)


def test_callbacks_are_signed_and_repeated(rabbit: Rabbit, tmp_path: Path) -> None:
    with receiver([500, 200]) as (url, received), night(rabbit, tmp_path, **calling(url)) as it:
        it.ready(it.worker())
        (message,) = it.documents(1, callback_url=f"{url}/hooks", trace_id="trace-1")
        it.publish([message])
        wait_for(lambda: len(received) == 2, "the second try, 10 s after the first", 30)
        (refused,) = it.documents(1, "refused", callback_url="https://elsewhere.example.org/")
        it.publish([refused])
        assert it.dead(1)[0][0]["code"] == "callback_refused"
    for post in received:
        signature = post.headers[SIGNATURE_HEADER]
        assert verify(post.body, signature, "a shared secret", time.time())
        assert not verify(post.body + b" ", signature, "a shared secret", time.time())
    body = json.loads(received[1].body)
    assert (body["task_id"], body["trace_id"], body["status"]) == ("ocr_00000", "trace-1", "done")
    key = body["result"].removeprefix(it.store.url + "/")
    assert json.loads(it.store.get(key))["pages"][0]["text"] == f"colour {spelled(0)}"
    assert b"colour" not in received[1].body, "a callback carries no document text"


@pytest.mark.long
def test_callbacks_that_were_given_up_are_sent_once_more(rabbit: Rabbit, tmp_path: Path) -> None:
    with receiver([410, 410, 200]) as (url, received), night(rabbit, tmp_path, **calling(url)) as it:
        it.ready(it.worker())
        it.publish(it.documents(2, callback_url=f"{url}/hooks"))
        assert {headers["code"] for headers, _ in it.dead(2)} == {"not_found"}
        wait_for(lambda: len(list(it.store.list(keys.UNDELIVERED))) == 2, "both to be given up")
        assert "Callbacks  2 undelivered" in nightshift("status", **it.env).stdout
        listed = nightshift("callbacks", "list", **it.env).stdout
        assert all(name in listed for name in ("2 undelivered", "ocr_00000", "ocr_00001", "410"))
        sent = nightshift("callbacks", "resend", "--task-id", "ocr_00001", **it.env)
        assert (sent.returncode, sent.stdout) == (0, f"Store  {it.store.url}\n1 queued for sending.\n")
        wait_for(lambda: len(received) == 3, "the callback sent once more")
        wait_for(lambda: len(list(it.store.list(keys.UNDELIVERED))) == 1, "it to be off the list")
        assert json.loads(received[2].body)["task_id"] == "ocr_00001"
        assert not list(it.store.list(keys.CALLBACKS))
        asked = nightshift("callbacks", "resend", **it.env)
        assert (asked.returncode, "Name the callbacks" in asked.stderr) == (2, True)
