"""A night with real processes: RabbitMQ, workers and beat as a user starts them, messages by plain pika."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import pika
import pytest

from pipeline.models import DocumentResult, from_json, to_json
from pipeline.night.flow import Flow
from pipeline.night.window import Override
from pipeline.settings import Settings
from pipeline.storage import Store, keys, open_store
from tests.conftest import ROOT
from tests.support.command import FAKES, page
from tests.support.flows import flow_of
from tests.support.servers import start, wait_for
from tests.support.servers.rabbit import Rabbit

CELERY = Path(sys.executable).parent / "celery"
RAW = "inference_tasks"
PLAIN = pika.BasicProperties(delivery_mode=2)

Message = bytes | dict[str, Any]


@dataclass
class Process:
    """A worker or beat, and every process it ever had."""

    name: str
    log: Path
    main: subprocess.Popen[bytes]

    def children(self) -> list[int]:
        """Pool processes: those that Celery spawned, not the resource tracker of multiprocessing."""
        return [pid for pid in _children(self.main.pid) if b"spawn_main" in _command(pid)]

    def readers(self) -> list[int]:
        """The processes that parse documents for them."""
        inner = [pid for child in self.children() for pid in _children(child)]
        return [pid for pid in inner if b"pipeline.reader" in _command(pid)]

    def kill(self) -> None:
        """SIGKILL to the main process and then to its children, as an out-of-memory killer does."""
        family = [self.main.pid, *_children(self.main.pid)]
        for pid in family:
            _kill(pid)
        self.main.wait()
        wait_for(lambda: not any(Path(f"/proc/{pid}/exe").exists() for pid in family), "processes to die")

    def stop(self) -> None:
        """SIGTERM, as a service manager does."""
        self.main.terminate()
        try:
            self.main.wait(40)
        except subprocess.TimeoutExpired:
            self.kill()
            pytest.fail(f"{self.name} did not stop:\n{self.tail()}")

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def tail(self, lines: int = 60) -> str:
        return "\n".join(self.text().splitlines()[-lines:])


@dataclass
class Night:
    """One test's night: a virtual host of its own at the broker, a store, an inbox, its processes."""

    rabbit: Rabbit
    folder: Path
    env: dict[str, str]
    broker_port: int = 0
    """Where the night's processes find the broker, as behind a proxy; the test itself always asks it directly."""
    vhost: str = field(default_factory=lambda: f"n{uuid.uuid4().hex[:10]}")
    processes: list[Process] = field(default_factory=list)
    places: dict[str, Sequence[str]] = field(default_factory=dict)
    """By name of a process: what its command begins with, on a host of its own (`tests.support.hosts`)."""

    def __post_init__(self) -> None:
        self.inbox = self.folder / "inbox"
        self.inbox.mkdir(exist_ok=True)
        self.fake_log = self.folder / "pages.log"
        self.env = {
            "NIGHTSHIFT_STORE_URL": str(self.folder / "store"),
            "NIGHTSHIFT_WINDOW": "always",
            "NIGHTSHIFT_ALLOWED_SOURCES": self.inbox.as_uri(),
            "NIGHTSHIFT_FAKE_LOG": str(self.fake_log),
            "OMP_NUM_THREADS": "1",
            **FAKES,
            **self.env,
            "NIGHTSHIFT_BROKER_URL": self._url(self.broker_port or self.rabbit.port),
        }
        self.settings = Settings.from_env(self.env)
        self.store: Store = open_store(self.settings.store_url, self.settings)
        self.add_vhost()

    def _url(self, port: int) -> str:
        return f"amqp://guest:guest@{self.rabbit.host}:{port}/{self.vhost}"

    def add_vhost(self) -> None:
        """Make the virtual host; needed again when the broker has lost its disk."""
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        wait_for(lambda: self._is_made(f"vhosts/{self.vhost}", {}), "a virtual host")
        wait_for(lambda: self._is_made(f"permissions/{self.vhost}/guest", everything), "its permissions")
        wait_for(self._runs_everywhere, "the virtual host to run on each node")

    def _runs_everywhere(self) -> bool:
        """Whether the virtual host runs on each node; one that joined meanwhile has to be asked to start it."""
        states: dict[str, str] = json.loads(self._manage("GET", f"vhosts/{self.vhost}", {}))["cluster_state"]
        stopped = [node for node, state in states.items() if state != "running"]
        for node in stopped:
            with suppress(urllib.error.HTTPError):
                self._manage("POST", f"vhosts/{self.vhost}/start/{quote(node)}", {})
        return not stopped

    def _is_made(self, path: str, body: dict[str, str]) -> bool:
        """Whether it could be put; a node that joins a cluster drops requests, or fails at them (500)."""
        try:
            self._manage("PUT", path, body)
        except ConnectionError:
            return False
        except urllib.error.HTTPError as error:
            error.close()
            if error.code < 500:
                raise
            return False
        return True

    def cut(self) -> None:
        """Close every connection of this night at the broker, as a network that drops them does."""
        found = json.loads(self._manage("GET", f"vhosts/{self.vhost}/connections", {}))
        for connection in found:
            self._manage("DELETE", f"connections/{quote(connection['name'])}", {})

    def _manage(self, method: str, path: str, body: dict[str, str]) -> bytes:
        request = urllib.request.Request(
            f"http://{self.rabbit.host}:{self.rabbit.management_port}/api/{path}",
            json.dumps(body).encode(),
            {"Authorization": "Basic Z3Vlc3Q6Z3Vlc3Q=", "Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            data: bytes = answer.read()
            return data

    # processes

    def worker(self, name: str = "w1", *options: str, **env: str) -> Process:
        """Start a worker as docs say; two processes unless `options` say otherwise."""
        return self._start("worker", name, "-c", "2", "-l", "INFO", "-n", f"{name}@%h", *options, **env)

    def beat(self, name: str = "beat") -> Process:
        return self._start("beat", name, "-l", "INFO", "--pidfile=")

    def tick(self) -> None:
        """Have a worker do what beat would start within half a minute."""
        command = ["env", f"--chdir={ROOT}", str(CELERY), "-A", "tasks", "call", "nightshift.tick"]
        subprocess.run(command, env={**os.environ, **self.env}, check=True, capture_output=True)

    def _start(self, kind: str, name: str, *options: str, **env: str) -> Process:
        log = self.folder / f"{name}.log"
        command = ["env", f"--chdir={ROOT}", CELERY, "-A", "tasks", kind, *options]
        command = [*self.places.get(name, ()), *command]
        main = start(command, log, {**self.env, **env})
        process = Process(name, log, main)
        self.processes.append(process)
        return process

    def ready(self, worker: Process) -> Process:
        """Wait until a new worker takes messages."""
        wait_for(lambda: " ready." in worker.text(), f"{worker.name} to be ready", 60)
        return worker

    def serving(self) -> None:
        """Wait until some worker consumes, as after a lost connection."""
        wait_for(lambda: self._state("ingest").consumer_count > 0, "a worker to consume again", 60)

    def end(self) -> None:
        for process in self.processes:
            process.kill()
        with suppress(OSError):
            self._manage("DELETE", f"vhosts/{self.vhost}", {})

    # messages

    @contextmanager
    def channel(self) -> Iterator[Any]:
        """A confirming channel; `inference_tasks` is declared the way any producer would."""
        parameters = pika.URLParameters(self._url(self.rabbit.port))
        connection = pika.BlockingConnection(parameters)
        try:
            channel = connection.channel()
            channel.queue_declare(queue=RAW, durable=True)
            channel.confirm_delivery()
            yield channel
        finally:
            with suppress(pika.exceptions.AMQPError):
                connection.close()

    def publish(self, messages: Iterable[Message], exchange: str = "", routing_key: str = RAW) -> None:
        """Publish raw messages, confirmed, once each; returned or refused ones raise."""
        with self.channel() as channel:
            for message in messages:
                self.send(channel, message, exchange, routing_key)

    @staticmethod
    def send(channel: Any, message: Message, exchange: str = "", routing_key: str = RAW) -> None:
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        channel.basic_publish(exchange, routing_key, body, PLAIN, mandatory=True)

    def depth(self, queue: str) -> int:
        """Messages ready in a queue; one that is not there holds none."""
        return int(self._state(queue).message_count)

    def consumers(self, queue: str) -> int:
        """Workers that take messages from a queue."""
        return int(self._state(queue).consumer_count)

    def _state(self, queue: str) -> Any:
        with self.channel() as channel:
            try:
                return channel.queue_declare(queue, passive=True).method
            except pika.exceptions.ChannelClosedByBroker:
                return pika.spec.Queue.DeclareOk(queue, 0, 0)

    def dead(self, count: int) -> list[tuple[dict[str, str], bytes]]:
        """Headers and bodies of the first `count` dead letters."""
        found: list[tuple[dict[str, str], bytes]] = []
        wait_for(lambda: self.depth("dead") >= count, f"{count} dead letters")
        with self.channel() as channel:
            while len(found) < count:
                method, properties, body = channel.basic_get("dead")
                if method is not None:
                    found.append((properties.headers, body))
        return found

    def document(self, task_id: str, path: Path, **fields: Any) -> dict[str, Any]:
        return {"task_id": task_id, "task_type": "document", "image_url": path.as_uri(), **fields}

    def documents(self, count: int, prefix: str = "ocr", **fields: Any) -> list[dict[str, Any]]:
        """Messages for `count` pages, each of a colour of its own that its text spells."""
        return [
            self.document(f"{prefix}_{n:05}", page(self.inbox / f"{prefix}_{n}.png", shade(n)), **fields)
            for n in range(count)
        ]

    # what came of them

    def window(self, state: Literal["open", "closed"]) -> None:
        """The operator's word, in force for a day."""
        until = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        self.store.put(keys.control("window"), to_json(Override(state, until)))

    @property
    def flow(self) -> Flow:
        return flow_of(self.settings)

    def ended(self) -> Counter[str]:
        """Task id -> number of records it has."""
        found = [*self.store.list(keys.RESULTS), *self.store.list(keys.FAILED)]
        return Counter(keys.task_id_of(key) for key in found)

    def records(self) -> dict[str, DocumentResult]:
        found = [*self.store.list(keys.RESULTS), *self.store.list(keys.FAILED)]
        return {keys.task_id_of(key): from_json(self.store.get(key), DocumentResult) for key in found}

    def pending(self) -> list[str]:
        return [keys.task_id_of(key) for key in self.store.list(keys.PENDING)]

    def settle(self, count: int, seconds: float = 60) -> dict[str, DocumentResult]:
        """Wait until `count` tasks have ended and none is pending, then give their records."""
        try:
            wait_for(
                lambda: len(self.ended()) >= count and not self.pending(), f"{count} tasks to end", seconds
            )
        except BaseException:
            self.explain()
            raise
        return self.records()

    def pages_read(self) -> Counter[str]:
        """Colour -> how often a page of it was read."""
        return Counter(self.fake_log.read_text().split() if self.fake_log.exists() else [])

    def explain(self) -> None:
        """Print what a failed wait needs to be understood."""
        print("ended", len(self.ended()), "pending", self.pending()[:20])  # noqa: T201
        for process in self.processes:
            print(f"--- {process.name}\n{process.tail()}")  # noqa: T201


def shade(n: int) -> tuple[int, int, int]:
    """The nth of 25,000 colours that mean nothing special to the fake engine."""
    return (n % 250, 100 + n // 250, 100)


def spelled(n: int) -> str:
    """What the fake engine reads on a page of `shade(n)`."""
    return "{:02x}{:02x}{:02x}".format(*shade(n))


@contextmanager
def night(rabbit: Rabbit, folder: Path, broker_port: int = 0, /, **env: str) -> Iterator[Night]:
    """A night whose processes end with it."""
    it = Night(rabbit, folder, env, broker_port)
    try:
        yield it
    except BaseException:
        it.explain()
        raise
    finally:
        it.end()


def steady(value: Callable[[], object], seconds: float = 2.0) -> object:
    """Wait until `value()` has stayed the same for `seconds`; returns it."""
    last, since = value(), time.monotonic()
    end = since + 60
    while time.monotonic() - since < seconds:
        time.sleep(0.2)
        if (now := value()) != last:
            last, since = now, time.monotonic()
        assert time.monotonic() < end, "it never settled"
    return last


def _children(pid: int) -> list[int]:
    try:
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
