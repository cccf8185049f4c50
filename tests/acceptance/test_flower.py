"""Flower as the operator starts it, with a real broker and a real worker: who may look, and what is seen."""

import base64
import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from kombu import Connection

from tasks import topology
from tests.conftest import ROOT
from tests.support.command import grey, pages
from tests.support.night import CELERY, Night, Process, night, steady
from tests.support.servers import free_port, start, wait_for
from tests.support.servers.rabbit import Rabbit

LOGIN = {"NIGHTSHIFT_FLOWER_USER": "operator", "NIGHTSHIFT_FLOWER_PASSWORD": "a long pass:word"}
TLS = LOGIN | {"NIGHTSHIFT_REQUIRE_TLS": "true", "NIGHTSHIFT_BROKER_URL": "amqps://localhost"}
SECRET = "peppercorn"


class Flower:
    """A running Flower, asked over HTTP."""

    def __init__(self, process: Process, port: int) -> None:
        self.process, self.port = process, port

    def get(
        self, path: str, login: str = ":".join(LOGIN.values()), method: str = "GET", host: str = ""
    ) -> tuple[int, str]:
        """Status and body; no login is sent when it is empty. `host`: the Host header."""
        headers = {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"} if login else {}
        headers |= {"Host": host} if host else {}
        data = b"{}" if method == "POST" else None
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def json(self, path: str) -> Any:
        status, body = self.get(path)
        assert status == 200, (status, body)
        return json.loads(body)

    def tasks(self) -> list[dict[str, Any]]:
        """All tasks it knows, in the order in which a worker received them."""
        return sorted(self.json("/api/tasks").values(), key=lambda t: t["received"] or 0)


@contextmanager
def flower(
    nights: Night, *options: str, env: Mapping[str, str] | None = None, folder: Path = ROOT
) -> Iterator[Flower]:
    port = free_port()
    log = nights.folder / "flower.log"
    command = ["env", f"--chdir={folder}", CELERY, "-A", "tasks", "flower", f"--port={port}", *options]
    process = Process("flower", log, start(command, log, {**nights.env, **(env or {})}))
    nights.processes.append(process)
    found = Flower(process, port)
    wait_for(lambda: _answers(found), "Flower")
    yield found
    process.stop()


def _answers(found: Flower) -> bool:
    assert found.process.main.poll() is None, found.process.tail()
    try:
        return found.get("/healthcheck", "")[0] == 200
    except OSError:
        return False


@pytest.fixture
def nights(rabbit: Rabbit, tmp_path: Path) -> Iterator[Night]:
    with night(rabbit, tmp_path) as it:
        yield it


def test_it_lists_the_chain_of_a_document_to_who_may_see_it(nights: Night) -> None:
    worker = nights.ready(nights.worker())
    with flower(nights, env=LOGIN) as it:
        assert _listens_on(it) == {"127.0.0.1"}
        for path in ("/", "/tasks", "/workers", "/api/tasks", "/api/workers", "/broker"):
            assert it.get(path, "")[0] == 401, path
            assert it.get(path, "operator:wrong")[0] == 401, path
        wait_for(lambda: any(it.json("/api/workers?status=1").values()), "Flower to hear of the worker")

        (message,) = nights.documents(1, "scan")
        nights.publish([message])
        wait_for(lambda: [t["state"] for t in it.tasks()] == ["SUCCESS"] * 4, "the chain to be listed", 30)
        chain = [(task["name"], task["args"]) for task in it.tasks()]
        assert chain == [
            (f"nightshift.{step}", "('scan_00000',)") for step in ("accept", "ingest", "ocr", "ner")
        ]
        assert {task["worker"].partition("@")[0] for task in it.tasks()} == {worker.name}
        status, page = it.get("/tasks")
        assert status == 200
        assert "nightshift" in page or "Flower" in page
        assert it.get("/api/task/async-apply/nightshift.tick", method="POST")[0] == 403, "it only shows"


@pytest.mark.long
def test_documents_that_are_not_done_are_not_green(nights: Night) -> None:
    nights.ready(nights.worker())
    management = f"http://127.0.0.1:{nights.rabbit.management_port}"
    with flower(nights, env=LOGIN | {"NIGHTSHIFT_MANAGEMENT_URL": management}) as it:
        wait_for(lambda: any(it.json("/api/workers?status=1").values()), "Flower to hear of the worker")
        torn = nights.inbox / "torn.png"
        torn.write_bytes(b"\x89PNG\r\n\x1a\n torn")
        nights.publish(
            [
                *nights.documents(1, "fine"),
                nights.document(
                    "some", pages(nights.inbox / "some.pdf", [grey(10), (255, 0, 255), grey(30)])
                ),
                nights.document("torn", torn),
                b'{"task_id": "broken", "task_type": "none"}',
            ]
        )
        nights.settle(4)

        def ends() -> dict[str, list[tuple[str, str]]]:
            found: dict[str, list[tuple[str, str]]] = {}
            for task in it.tasks():
                step, name = task["name"].removeprefix("nightshift."), str(task["args"])
                if task["state"] != "SUCCESS":
                    found.setdefault(name, []).append((step, f"{task['state']} {task['exception']}"))
            return found

        expected = {
            "('some',)": [("result", "FAILURE DocumentPartial('out_of_memory')")],
            "('torn',)": [("ingest", "FAILURE DocumentFailed('unreadable')")],
            "('broken',)": [("accept", "FAILURE DocumentFailed('unknown_task_type')")],
        }

        def have_ended() -> bool:
            found = [state for one in ends().values() for _, state in one]
            return len(found) == 3 and all(state.startswith("FAILURE") for state in found)

        wait_for(have_ended, "Flower to show how each ended", 30)
        assert ends() == expected
        assert sum(task["state"] == "SUCCESS" for task in it.tasks()) >= 9
        queues = it.get("/broker")[1]
        assert "inference_tasks" in queues
        assert "management API call failed" not in it.process.text()
    assert {headers["code"] for headers, _ in nights.dead(2)} == {"unreadable", "unknown_task_type"}
    assert steady(lambda: nights.depth("dead")) == 2, "no message of a task was rejected"
    for queue in ("inference_tasks", "ingest", "ocr", "ner", "result"):
        assert nights.depth(queue) == 0, queue
    assert "Traceback" not in nights.processes[0].text()


def test_no_text_of_a_document_reaches_it(nights: Night) -> None:
    worker = nights.ready(nights.worker())
    message = {"task_id": "note", "task_type": "nlp", "text": f"colour 123456 {SECRET}"}
    broken = b'{"text": "' + SECRET.encode() * 9 + b'", "task_id": "cut", "task_type": "nl'
    bodies = [json.dumps(message).encode(), broken]
    with flower(nights, env=LOGIN) as it:
        wait_for(lambda: any(it.json("/api/workers?status=1").values()), "Flower to hear of the worker")
        (name,) = it.json("/api/workers?status=1")
        wait_for(lambda: len(worker.children()) == 2, "the pool")
        for pid in worker.children():
            os.kill(pid, signal.SIGSTOP)  # the messages stay in hand, where an inspection finds them
        try:
            nights.publish(bodies)
            wait_for(lambda: len(it.tasks()) == 2, "both to be received", 30)
            held = it.json(f"/api/workers?refresh=1&workername={name}")[name]
            assert len(held["active"]) + len(held["reserved"]) == 2, held
            seen = [json.dumps(held), it.get(f"/worker/{name}")[1]]
        finally:
            for pid in worker.children():
                os.kill(pid, signal.SIGCONT)
        nights.settle(2)
        wait_for(lambda: len(it.tasks()) == 4, "accept, ingest, ner; accept", 30)
        time.sleep(1)  # the last task's end is an event of its own
        tasks = it.json("/api/tasks")
        seen += [json.dumps(tasks), it.get("/metrics", "")[1], it.get("/tasks")[1]]
        seen += [it.get(f"/task/{uuid}")[1] for uuid in tasks]
        seen.append(
            it.get(
                "/tasks/datatable?draw=1&start=0&length=50&search[value]=&order[0][column]=0&order[0][dir]=asc"
            )[1]
        )
    assert "note" in seen[-1], "the table of tasks was there"
    encoded = [base64.b64encode(body).decode()[:40] for body in bodies]
    for text in (*seen, it.process.text(), worker.text()):
        for leak in (SECRET, *encoded):
            assert leak not in text, text[max(0, text.index(leak) - 300) :][:600]


def _listens_on(it: Flower) -> set[str]:
    connections = psutil.Process(it.process.main.pid).net_connections("inet")
    return {c.laddr.ip for c in connections if c.status == psutil.CONN_LISTEN}


def test_without_a_password_it_stays_at_home(nights: Night) -> None:
    with flower(nights) as it:
        assert _listens_on(it) == {"127.0.0.1"}
        assert it.get("/tasks", "")[0] == 200
        assert it.get("/api/tasks", "")[0] == 401, "pages of other origins could read it"
        for host in (
            "localhost",
            f"localhost:{it.port}",
            f"127.0.0.1:{it.port}",
            f"[::1]:{it.port}",
            "[::1]",
        ):
            assert it.get("/tasks", "", host=host)[0] == 200, host
        for host in (
            "evil.example",
            f"evil.example:{it.port}",
            "127.0.0.1.evil.example",
            "localhost.example",
        ):
            for path in ("/", "/tasks", "/metrics", "/api/tasks", "/static/favicon.ico"):
                status, said = it.get(path, "", host=host)
                assert (status, "only answers requests for localhost" in said) == (403, True), (host, path)


def test_a_login_lets_it_out(nights: Night) -> None:
    with flower(nights, "--address=0.0.0.0", env=LOGIN) as it:
        assert _listens_on(it) == {"0.0.0.0"}
        assert it.get("/tasks", "")[0] == 401
        assert it.get("/tasks", host="flower.example")[0] == 200


def test_it_reads_our_settings_in_any_folder(nights: Night, tmp_path_factory: pytest.TempPathFactory) -> None:
    with flower(nights, folder=tmp_path_factory.mktemp("elsewhere"), env=LOGIN) as it:
        assert _listens_on(it) == {"127.0.0.1"}
        assert it.get("/tasks", "")[0] == 401
        assert it.get("/tasks")[0] == 200
        assert it.get("/api/task/async-apply/nightshift.tick", method="POST")[0] == 403, "it only shows"


def test_a_configuration_of_the_operator_wins(nights: Night) -> None:
    conf, writable = nights.folder / "own.py", {"FLOWER_READ_ONLY": "0"}
    conf.write_text("basic_auth = ['someone:secret']\nmax_tasks = 7\n")
    with Connection(nights.settings.broker_url) as connection:
        topology.declare(connection)  # as the first worker does
    with flower(nights, "--address=0.0.0.0", f"--conf={conf}", folder=nights.folder, env=writable) as it:
        assert _listens_on(it) == {"0.0.0.0"}
        assert it.get("/tasks", "")[0] == 401
        assert it.get("/tasks", "someone:secret")[0] == 200
        status, _ = it.get("/api/task/async-apply/nightshift.tick", "someone:secret", method="POST")
        assert status == 200, "FLOWER_READ_ONLY=0 allows it"


@pytest.mark.parametrize(
    ("options", "env", "sentence"),
    [
        (["--address=0.0.0.0"], {}, "will not listen on 0.0.0.0 without a login"),
        (["--address="], {}, "will not listen on every address without a login"),
        ([], {"FLOWER_ADDRESS": "::"}, "will not listen on :: without a login"),
        (["--address=192.0.2.1"], {}, "will not listen on 192.0.2.1"),
        (["--basic-auth=operator:"], {}, "without a password"),
        ([], {"NIGHTSHIFT_FLOWER_USER": "operator"}, "Set both"),
        (["--address=0.0.0.0"], TLS, "will not listen on 0.0.0.0 without TLS"),
        ([], LOGIN | {"NIGHTSHIFT_FLOWER_USER": "a:b"}, "without a colon"),
    ],
)
@pytest.mark.parametrize("elsewhere", [False, True])
def test_it_refuses_to_stand_open(
    options: list[str], env: dict[str, str], sentence: str, elsewhere: bool, tmp_path: Path
) -> None:
    done = subprocess.run(
        [CELERY, "-A", "tasks", "flower", f"--port={free_port()}", *options],
        cwd=tmp_path if elsewhere else ROOT,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert LOGIN["NIGHTSHIFT_FLOWER_PASSWORD"] not in done.stderr


def test_a_configuration_file_does_not_open_it_either(tmp_path: Path) -> None:
    (tmp_path / "flowerconfig.py").write_text("address = '0.0.0.0'\n")
    done = subprocess.run(
        [CELERY, "-A", "tasks", "flower", f"--port={free_port()}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "will not listen on 0.0.0.0 without a login" in done.stderr
