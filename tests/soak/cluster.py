"""`make soak-cluster`: histories of a night on three real RabbitMQ nodes, of which one fails in each history.

Documents come, a node fails at a seeded moment while more of them come, it is healed, all must end. The last word has
the checker that the other soak tests use: nothing lost, nothing twice. Runs in a network namespace of its own, where a
node can be cut off.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

import msgspec
import pytest

from pipeline.night.summaries import nights
from pipeline.tables.summary import summarise
from tests.simulation.checker import Evidence, check, folder
from tests.soak.fleet import Fleet
from tests.soak.load import Load, Sent
from tests.soak.round import _audited, _dead_letters, _queues, _table
from tests.support.cluster_night import ClusterNight
from tests.support.servers.cluster import Cluster, Node, start_cluster

log = logging.getLogger("soak")
INSIDE = "SOAK_NAMESPACE"
DOCUMENTS = 8
SETTLE = 240.0

Fault = Callable[[Node, random.Random], Iterator[None]]


class Outcome(msgspec.Struct, kw_only=True):
    """What came of a history. `normal`: seconds from the end of the fault until all its documents had ended."""

    number: int
    fault: str
    node: int
    documents: int
    normal: float
    unsettled: list[str] = []
    helped: str = ""
    """What had to be done by hand until each queue had all its members again."""


class Histories:
    """One cluster, one night, many histories in a row."""

    def __init__(self, cluster: Cluster, place: Path, count: int, seed: str) -> None:
        self.cluster, self.seed = cluster, seed
        zone = {"NIGHTSHIFT_TIMEZONE": "UTC"}
        self.night = ClusterNight(cluster, place, zone)
        self.load = Load(self.night.inbox, count * DOCUMENTS, seed)
        self.messages = self.load.messages()
        self.fleet = Fleet(self.night, 2, None)
        for name in self.fleet.names:  # which have declared all queues then, on three nodes
            self.night.ready(self.fleet.running[name])
        self.sent: set[str] = set()
        self.faults: dict[str, Fault] = {
            "killed (SIGKILL)": self._kill,
            "frozen (SIGSTOP)": self._freeze,
            "cut off (packets dropped)": self._cut,
            "leaders moved (drain, revive)": self._drain,
            "rolling restart of all nodes": self._rolling,
        }

    def run(self, number: int) -> Outcome:
        """One history."""
        rng = random.Random(f"{self.seed}-{number}")
        name = list(self.faults)[number % len(self.faults)]
        node = rng.choice(self.cluster.nodes)
        self.night.ask(rng.choice([one for one in self.cluster.nodes if one is not node]))
        chunk = list(islice(self.messages, DOCUMENTS))
        cut = rng.randint(1, len(chunk) - 1)
        log.info("history %d: node %d %s", number, node.number, name)
        self._send(chunk[:cut])
        time.sleep(rng.uniform(0, 2))
        fault = self.faults[name](node, rng)
        next(fault)
        self._send(chunk[cut:])
        time.sleep(rng.choice((0.5, 2, 5, 12)) * rng.uniform(0.5, 1.5))
        with suppress(pytest.fail.Exception):  # a node that hangs while it starts: it is restarted below
            next(fault, None)
        healed = time.monotonic()
        left = self._settle(healed + SETTLE)
        normal = round(time.monotonic() - healed, 1)
        helped = "" if left else self._make_whole(node)
        return Outcome(
            number=number,
            fault=name,
            node=node.number,
            documents=len(chunk),
            normal=normal,
            unsettled=left,
            helped=helped,
        )

    def _make_whole(self, node: Node) -> str:
        """Wait for all members of all queues; restart nodes, as an operator would, where members do not come back."""
        done: list[str] = []
        missing: dict[str, list[str]] = {}
        for what, nodes in (("", []), (f"node {node.number}", [node]), ("all nodes", self.cluster.nodes)):
            for one in nodes:
                one.kill()
            for one in nodes:
                one.start()
            with suppress(pytest.fail.Exception):  # one that hangs while it starts
                for one in nodes:
                    one.await_answer()
            if what:
                done.append(f"{what} restarted, as members were missing: {missing}")
            if self._is_whole_within(45 if node not in nodes else 120):
                return "; ".join(done)
            missing = self.cluster.missing()
            log.info("still missing: %s", missing)
        pytest.fail(f"the cluster did not become whole: {missing}")

    def _is_whole_within(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not (whole := self.cluster.whole()) and time.monotonic() < end:
            time.sleep(0.5)
        return whole

    def _send(self, messages: list[Sent]) -> None:
        """Publish them all."""
        for sent in messages:
            self.sent.add(json.loads(sent.body)["task_id"])
            self.night.publish([sent.body] * (1 + sent.again))

    def _settle(self, end: float) -> list[str]:
        """Wait until all that was sent has ended; what has not."""
        while time.monotonic() < end:
            left = sorted((self.sent - set(self.night.ended())) | set(self.night.pending()))
            if not left:
                return []
            time.sleep(0.2)
        return left

    # faults: what is before `yield` begins it, what is after it heals

    def _kill(self, node: Node, _: random.Random) -> Iterator[None]:
        node.kill()
        yield
        node.run()

    def _freeze(self, node: Node, _: random.Random) -> Iterator[None]:
        node.freeze()
        yield
        node.thaw()

    def _cut(self, node: Node, _: random.Random) -> Iterator[None]:
        self.cluster.cut(node)
        yield
        self.cluster.join(node)

    def _drain(self, node: Node, _: random.Random) -> Iterator[None]:
        node.ctl("drain", program="rabbitmq-upgrade")
        yield
        node.ctl("revive", program="rabbitmq-upgrade")

    def _rolling(self, node: Node, _: random.Random) -> Iterator[None]:
        first = node.number - 1
        for one in [*self.cluster.nodes[first:], *self.cluster.nodes[:first]]:
            others = [other for other in self.cluster.nodes if other is not one]
            self.night.ask(others[0])
            one.stop()
            if one is node:
                yield
            one.run()
            self._make_whole(one)

    # the end

    def verdict(self) -> list[str]:
        """What the checker finds in the store and the queues, when everything has ended; empty is good."""
        self.fleet.stop()
        store = self.night.store
        for day in (days := nights(store)):
            summarise(store, day)
        evidence = Evidence(
            offers=[offer for offer in self.load.offers if offer.task_id in self.sent],
            good={},
            dead=_dead_letters(self.night),
            queues={
                name: n for name, n in _queues(self.night).items() if name not in ("dead", "nightshift.probe")
            },
            audits={day: _audited(store, day) for day in days},
            tables={day: _table(store, day) for day in days},
        )
        return [str(one) for one in check(folder(self.night.folder / "store"), evidence)]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak.cluster", description=__doc__)
    parser.add_argument("--histories", type=int, default=200)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--minutes", type=float, default=120.0, help="no history begins after that")
    parser.add_argument("--folder", type=Path, default=Path("out/soak-cluster"))
    given = parser.parse_args()
    if INSIDE not in os.environ:
        _enter()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    log.setLevel(logging.INFO)
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    given.folder.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + 60 * given.minutes
    outcomes: list[Outcome] = []
    work = given.folder.resolve() / "work"
    shutil.rmtree(work, ignore_errors=True)
    (work / "night").mkdir(parents=True)
    cluster = start_cluster(work / "cluster")
    version = cluster.nodes[0]._ask("overview")["rabbitmq_version"]
    it = Histories(cluster, work / "night", given.histories, given.seed)
    try:
        with (given.folder / f"histories-{version}.jsonl").open("ab") as file:
            for number in range(given.histories):
                if time.monotonic() > until:
                    break
                outcomes.append(it.run(number))
                file.write(msgspec.json.encode(outcomes[-1]) + b"\n")
                file.flush()
        findings = it.verdict()
    finally:
        it.night.end()
        cluster.end()
    show(version, outcomes, findings)
    return 1 if findings or any(one.unsettled for one in outcomes) else 0


def show(version: str, outcomes: list[Outcome], findings: list[str]) -> None:
    """Print what came of all histories."""
    print(
        f"RabbitMQ {version}: {len(outcomes)} histories, {sum(one.documents for one in outcomes)} documents"
    )
    print(
        "| fault | histories | seconds until all had ended: median | longest |\n| --- | ---: | ---: | ---: |"
    )
    for fault in sorted({one.fault for one in outcomes}):
        seconds = [one.normal for one in outcomes if one.fault == fault]
        print(f"| {fault} | {len(seconds)} | {statistics.median(seconds):.1f} | {max(seconds):.1f} |")
    for one in outcomes:
        if one.helped:
            print(f"history {one.number} ({one.fault}): {one.helped}")
        if one.unsettled:
            print(f"history {one.number} ({one.fault}): not ended after {SETTLE:.0f} s: {one.unsettled}")
    print(f"lost, doubled or otherwise wrong: {len(findings)}", *findings, sep="\n")


def _enter() -> None:
    """Run again in a network namespace of its own, with a loopback interface."""
    for program, package in (("unshare", "util-linux"), ("ip", "iproute2"), ("iptables", "iptables")):
        if shutil.which(program) is None:
            sys.exit(f"The cluster needs the program {program}: install the package {package}.")
    root = [] if os.getuid() == 0 else ["--map-root-user"]
    command = 'ip link set lo up && exec "$@"'
    again = [sys.executable, "-m", "tests.soak.cluster", *sys.argv[1:]]
    os.environ[INSIDE] = "1"
    os.execvp("unshare", ["unshare", "--net", *root, "sh", "-c", command, "sh", *again])


if __name__ == "__main__":
    sys.exit(main())
