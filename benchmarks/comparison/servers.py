"""A real RabbitMQ and a real S3 server for the contenders that use them: one pair for the whole comparison.

They run next to the contenders, not below them, so what they use is not part of any contender's processor time; it
is measured apart.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from subprocess import CalledProcessError

import pytest

from tests.support.servers.rabbit import _SERVER as RABBIT
from tests.support.servers.rabbit import NodeDied, Rabbit, start_rabbit
from tests.support.servers.swift import BIN as SWIFT
from tests.support.servers.swift import Swift, start_swift

from .supervise import descendants


class NotStarted(Exception):
    """A server could not be started; the message says why."""


@dataclass(frozen=True)
class Servers:
    """Where they are: what a contender's process reads from a file. `processes`: their own, for their CPU time."""

    broker_port: int
    management_port: int
    s3: dict[str, str]
    processes: list[int]

    @classmethod
    def load(cls, path: Path) -> Servers:
        """Read what `running` wrote."""
        return cls(**json.loads(path.read_text()))

    def cpu(self) -> float:
        """Processor seconds that they have used until now."""
        ticks = 0
        for pid in {pid for one in self.processes for pid in (one, *descendants(one))}:
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            ticks += sum(map(int, fields[11:15]))  # user and system time, its own and of children that ended
        return ticks / os.sysconf("SC_CLK_TCK")

    def bucket(self) -> str:
        """Create a bucket, and have this process use the S3 server; returns the bucket's name."""
        import boto3

        os.environ.update(self.s3)
        name = f"b-{uuid.uuid4().hex[:12]}"
        boto3.session.Session().client("s3").create_bucket(Bucket=name)
        return name

    def rabbit(self, folder: Path) -> Rabbit:
        """The broker, as the tests' helpers know it."""
        return Rabbit(folder, port=self.broker_port, management_port=self.management_port)


def missing() -> str | None:
    """Why the servers cannot be started, and what to do."""
    if RABBIT is None or not (SWIFT / "swift-proxy-server").exists():
        return "RabbitMQ or the S3 server is not installed: make services"
    return None


@contextmanager
def running(folder: Path) -> Iterator[Path]:
    """Start both below `folder`, and stop them at the end; yields the file that says where they are.

    Raises `NotStarted`.
    """
    with ExitStack() as stack:
        try:
            rabbit, swift = _started(folder, stack)
        except (pytest.fail.Exception, NodeDied, OSError, CalledProcessError) as error:
            raise NotStarted(f"The servers did not start: {error}") from error
        assert rabbit.process is not None
        pids = [rabbit.process.pid, *(process.pid for process in swift.processes)]
        found = Servers(rabbit.port, rabbit.management_port, swift.environ, pids)
        (folder / "servers.json").write_text(json.dumps(asdict(found)))
        yield folder / "servers.json"


def _started(folder: Path, stack: ExitStack) -> tuple[Rabbit, Swift]:
    """Both servers, which `stack` stops."""
    for name in ("rabbit", "swift"):
        (folder / name).mkdir()
    rabbit = start_rabbit(folder / "rabbit")
    stack.callback(rabbit.kill)
    swift = start_swift(folder / "swift")
    stack.callback(swift.stop)
    return rabbit, swift
