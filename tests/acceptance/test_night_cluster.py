"""A night on three nodes of RabbitMQ: it goes on without one, says what it lacks without two, and then goes on."""

import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cluster_night import ClusterNight
from tests.support.command import nightshift
from tests.support.servers import free_port, wait_for
from tests.support.servers.cluster import Cluster, start_cluster

MAJORITY = "majority of their nodes"
PATIENCE = 25.0
"""Seconds within which a command says it: ten for the broker, the rest for Python on a busy machine."""


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    it = start_cluster(tmp_path / "cluster", partitions="ignore")
    yield it
    it.end()


@pytest.mark.long
def test_one_node_may_be_missing_and_two_are_named(cluster: Cluster, tmp_path: Path) -> None:
    port = free_port()
    it = ClusterNight(cluster, tmp_path, {"NIGHTSHIFT_METRICS_ADDRESS": f"127.0.0.1:{port}"})
    try:
        it.ready(it.worker("w1", "-c", "1"))
        documents = it.documents(9)
        it.publish(documents[:3])
        first, second, third = cluster.nodes
        it.ask(second)
        first.kill()
        it.publish(documents[3:6])
        it.settle(6)

        third.kill()
        new = tmp_path / "new.txt"
        new.write_text("colour 000123")
        for command in (("status",), ("doctor",), ("submit", str(new), "--task-type", "nlp")):
            began = time.monotonic()
            done = nightshift(*command, **it.env)
            assert MAJORITY in " ".join((done.stdout + done.stderr).split()), (command, done)
            assert done.returncode == 1, (command, done)
            assert "Traceback" not in done.stderr
            assert time.monotonic() - began < PATIENCE, command
        wait_for(lambda: MAJORITY in _health(port), "the worker's health to say so")
        assert not it.pending(), "what could not be published was not accepted"

        for node in (first, third):
            node.start()
        for node in (first, third):
            node.await_answer()
        it.publish(documents[6:])
        records = it.settle(9)
        assert {record.status for record in records.values()} == {"done"}
        assert set(it.ended().values()) == {1}
        assert not it.depth("dead")
        wait_for(lambda: _health(port) == "ok\n", "the worker to be well")
    except BaseException:
        it.explain()
        raise
    finally:
        it.end()


def _health(port: int) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return error.read().decode()
    except OSError:
        return ""
