"""Everything is killed again and again, the broker loses its disk, documents crash workers: nothing is lost."""

import http.server
import json
import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread

import kombu
import pika
import pytest

from tasks.topology import declare
from tests.support.command import BLUE, MAGENTA, RED, grey, nightshift, page, pages
from tests.support.hostile import nested_forms
from tests.support.night import Message, Night, Process, night, spelled
from tests.support.servers import wait_for
from tests.support.servers.rabbit import Rabbit, start_rabbit
from tests.support.servers.swift import Swift

DOCUMENTS = int(os.environ.get("NIGHT_DOCUMENTS", "240"))  # through the storm: `make soak` takes 500
ROUNDS = ["child", "worker", "child", "broker", "child", "worker", "child"] * (DOCUMENTS // 120)
OUTAGE = float(os.environ.get("NIGHT_OUTAGE", "5"))  # seconds without a store: `make soak` takes a minute


@pytest.fixture
def own_rabbit(tmp_path: Path) -> Iterator[Rabbit]:
    """A broker that may be killed."""
    (tmp_path / "rabbit").mkdir()
    node = start_rabbit(tmp_path / "rabbit")
    yield node
    node.kill()


def audit(it: Night, *options: str) -> tuple[int, str]:
    done = nightshift("audit", it.flow.schedule.run_date(), "--json", *options, **it.env)
    return done.returncode, done.stdout + done.stderr


def insist(it: Night, messages: list[Message]) -> None:
    """Publish like a producer that repeats what was not confirmed, whatever happens to the broker."""
    left = list(messages)
    while left:
        with suppress(pika.exceptions.AMQPError, OSError), it.channel() as channel:
            while left:
                it.send(channel, left[0])
                left.pop(0)
        time.sleep(0.1)


@pytest.mark.long
def test_documents_through_a_storm_of_kills(own_rabbit: Rabbit, tmp_path: Path) -> None:
    chance = random.Random(22)
    started = time.monotonic()
    with night(own_rabbit, tmp_path, NIGHTSHIFT_FAKE_SECONDS="0.02") as it:
        workers = {name: it.worker(name) for name in ("w1", "w2")}
        messages = it.documents(DOCUMENTS)
        producer = Thread(target=insist, args=(it, messages), daemon=True)
        producer.start()
        for turn, what in enumerate(ROUNDS):
            before = len(it.ended())
            with suppress(pytest.fail.Exception):  # the storm goes on if it stops progress
                wait_for(lambda before=before: len(it.ended()) >= min(DOCUMENTS, before + 15), "progress", 6)  # type: ignore[misc]
            _strike(it, what, workers, chance, turn)
        struck = time.monotonic() - started
        producer.join(60)
        assert not producer.is_alive()
        records = it.settle(DOCUMENTS, 90)
        ended = it.ended()
        assert set(ended) == {message["task_id"] for message in messages}
        assert set(ended.values()) == {1}, "a task has one end"
        assert {r.status for r in records.values()} == {"done"}
        for n in range(DOCUMENTS):
            assert records[f"ocr_{n:05}"].pages[0].text == f"colour {spelled(n)}"
        code, text = audit(it)
        assert code == 0, text
        assert it.depth("dead") == 0
        read = it.pages_read()
        print(  # noqa: T201
            f"{len(ROUNDS)} kills in {struck:.0f} s, {DOCUMENTS} done after {time.monotonic() - started:.0f} s; "
            f"{sum(read.values())} page reads for {len(read)} pages"
        )


def _strike(it: Night, what: str, workers: dict[str, Process], chance: random.Random, turn: int) -> None:
    name = chance.choice(sorted(workers))
    if what == "child":
        children = workers[name].children()
        if children:
            os.kill(chance.choice(children), signal.SIGKILL)
    elif what == "worker":
        workers[name].kill()
        workers[name] = it.worker(name)
    else:
        it.rabbit.kill()
        it.rabbit.run()


def test_documents_that_kill_or_hang_their_worker_fail_alone(rabbit: Rabbit, tmp_path: Path) -> None:
    # what hangs is stopped after 6 s: a second for its page, 5 for a process to start
    with night(rabbit, tmp_path, NIGHTSHIFT_TIME_LIMIT="1") as it:
        killers = {"dies": RED, "hangs": BLUE, "bloats": MAGENTA}
        bad = [it.document(n, page(it.inbox / f"{n}.png", c)) for n, c in killers.items()]
        neighbours = it.documents(30)
        it.publish([*neighbours[:10], *bad, *neighbours[10:]])
        it.worker()
        records = it.settle(33, 90)
        dead = {headers["task_id"]: headers for headers, _ in it.dead(3)}
        codes = {name: dead[name]["code"] for name in killers}
        assert codes == {"dies": "poison", "hangs": "poison", "bloats": "out_of_memory"}
        assert all(dead[name]["reason"] for name in killers)
        assert [records[m["task_id"]].status for m in neighbours] == ["done"] * 30
        read = it.pages_read()
        assert (read["ff0000"], read["0000ff"], read["ff00ff"]) == (3, 3, 1)
        assert it.depth("dead") == 3


@pytest.mark.long
def test_a_page_that_kills_its_worker_costs_itself(rabbit: Rabbit, tmp_path: Path) -> None:
    with night(rabbit, tmp_path) as it:
        long = it.document("long", pages(it.inbox / "long.pdf", [grey(10), RED, grey(30), grey(40)]))
        it.publish([long, *it.documents(3)])
        it.worker()
        records = it.settle(4, 90)
        result = records["long"]
        assert (result.status, [page.number for page in result.pages if page.error]) == ("partial", [2])
        assert result.error is not None
        assert result.error.code == "poison"
        assert {entity.page for entity in result.entities} == {1, 3, 4}
        assert sum(r.status == "done" for r in records.values()) == 3
        day = result.run_date
        report = json.loads(nightshift("audit", day, "--json", **it.env).stdout)
        assert (report["received"], report["done"], report["partial"], report["failed"]) == (4, 3, 1, 0)
        listed = json.loads(nightshift("failed", "list", "--json", **it.env).stdout)
        assert [d["status"] for d in listed["documents"]] == ["partial"]
        done = nightshift("failed", "redrive", "--task-id", "long", **it.env)
        assert done.returncode == 0, done.stderr
        wait_for(lambda: not it.pending(), "the redriven document to end", 90)
        assert it.records()["long"].status == "partial", (
            "it crashes as before, and its result is there throughout"
        )
        assert it.depth("dead") == 0


def test_the_brokers_disk_is_lost_and_the_store_is_enough(own_rabbit: Rabbit, tmp_path: Path) -> None:
    with night(own_rabbit, tmp_path, NIGHTSHIFT_WINDOW="never") as it:
        it.publish(it.documents(60))
        it.worker()
        wait_for(lambda: it.depth("ocr") == 60, "the backlog to wait for the window")
        own_rabbit.kill()
        own_rabbit.wipe()
        own_rabbit.run()
        it.add_vhost()
        it.serving()
        it.window("open")
        assert it.depth("ocr") == 0
        code, text = audit(it, "--repair")
        assert code == 0, text
        records = it.settle(60)
        assert {r.status for r in records.values()} == {"done"}
        assert set(it.ended().values()) == {1}
        assert set(it.pages_read().values()) == {1}


@pytest.mark.long
def test_messages_that_wait_survive_a_broker_that_is_killed(own_rabbit: Rabbit, tmp_path: Path) -> None:
    with night(own_rabbit, tmp_path) as it:
        with kombu.Connection(it._url(own_rabbit.port)) as connection:
            declare(connection)
        for _ in range(2):
            with it.channel() as channel:
                for n in range(60):
                    it.send(channel, b"%d" % n, "nightshift.retry-10", "step.ingest")
            time.sleep(9)  # some of their time is over before the broker is there again
            own_rabbit.kill()
            own_rabbit.run()
        wait_for(lambda: it.depth("ingest") >= 120, "all messages to come back")


@pytest.mark.long
def test_the_store_goes_away_in_the_night(rabbit: Rabbit, swift: Swift, bucket: str, tmp_path: Path) -> None:
    env = {**swift.environ, "NIGHTSHIFT_STORE_URL": f"s3://{bucket}/night", "NIGHTSHIFT_FAKE_SECONDS": "0.1"}
    with night(rabbit, tmp_path, **env) as it:
        messages = it.documents(24)
        it.publish(messages[:16])
        worker = it.ready(it.worker())
        wait_for(lambda: len(it.ended()) > 1, "the night to be under way")
        swift.stop_proxy()
        try:
            it.publish(messages[16:])
            wait_for(lambda: worker.text().count("store") >= 3, "the workers to notice")
            away = time.monotonic() + OUTAGE
            wait_for(lambda: time.monotonic() > away, "the outage to last", OUTAGE + 5)
        finally:
            swift.run_proxy()
        records = it.settle(24, 120)
        assert {r.status for r in records.values()} == {"done"}
        assert set(it.ended()) == {m["task_id"] for m in messages}
        assert set(it.ended().values()) == {1}
        assert it.depth("dead") == 0


def test_a_document_that_kills_its_worker_while_it_is_taken_in(rabbit: Rabbit, tmp_path: Path) -> None:
    workers: list[Process] = []
    asked: list[str] = []

    class Deadly(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            for pid in workers[0].children():
                os.kill(pid, signal.SIGKILL)

        def log_message(self, *args: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Deadly)
    Thread(target=server.serve_forever, daemon=True).start()
    source = f"http://127.0.0.1:{server.server_port}/"
    env = {
        "NIGHTSHIFT_ALLOWED_SOURCES": f"{tmp_path.as_uri()},{source}",
        "NIGHTSHIFT_ALLOW_PRIVATE_HOSTS": "true",
    }
    try:
        with night(rabbit, tmp_path, **env) as it:
            workers.append(it.ready(it.worker("w1", "-c", "1")))
            deadly = {"task_id": "deadly", "task_type": "document", "image_url": f"{source}deadly.png"}
            it.publish([deadly, *it.documents(5)])
            records = it.settle(6, 90)
            assert {n: r.status for n, r in records.items() if r.status != "done"} == {"deadly": "failed"}
            ((headers, _),) = it.dead(1)
            assert (headers["code"], headers["task_id"]) == ("poison", "deadly")
            assert "in step ingest" in headers["reason"]
            assert asked == ["/deadly.png"] * 3
            code, text = audit(it)
            assert code == 0, text
    finally:
        server.shutdown()
        server.server_close()


def test_a_page_that_needs_too_much_memory_costs_itself(rabbit: Rabbit, tmp_path: Path) -> None:
    with night(rabbit, tmp_path, NIGHTSHIFT_WORKER_MEMORY="400") as it:
        bomb = it.document("bomb", nested_forms(it.inbox / "bomb.pdf"))
        it.publish([bomb, *it.documents(3)])
        it.worker()
        records = it.settle(4, 90)
        result = records["bomb"]
        assert result.status == "partial"
        assert [page.error and page.error.code for page in result.pages] == [None, "out_of_memory", None]
        assert result.error
        assert result.error.message.startswith(
            "Page 2 of 3 could not be read: The document needs more memory"
        )
        assert it.depth("dead") == 0
