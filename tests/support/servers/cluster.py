"""A RabbitMQ cluster of one's own: three nodes on one host, each with a loopback address, that form it at start."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.servers import free_port
from tests.support.servers.rabbit import NodeDied, Rabbit, require

SIZE = 3
ADDRESSES = tuple(f"127.0.0.{11 + n}" for n in range(SIZE))


@dataclass
class Node(Rabbit):
    """One of them. Its name is `rabbit1@n1`; only `inetrc` knows the address of `n1`."""

    number: int = 1
    partitions: str = "pause_minority"

    @property
    def name(self) -> str:
        return f"rabbit{self.number}@n{self.number}"

    @property
    def more(self) -> str:
        """The members, that the smaller part of them pauses, and how soon a silent one counts as gone."""
        members = "".join(
            f"cluster_formation.classic_config.nodes.{n} = rabbit{n}@n{n}\n" for n in range(1, SIZE + 1)
        )
        return (
            f"cluster_formation.peer_discovery_backend = classic_config\n{members}"
            f"cluster_partition_handling = {self.partitions}\nnet_ticktime = 8\n"
        )

    def queues(self) -> list[dict[str, Any]]:
        """Members of each queue, and those of them that are online."""
        found: Any = self._ask("queues?columns=vhost,name,leader,members,online")
        return list(found)

    def stop(self) -> None:
        """End it as a service manager does, and wait."""
        assert self.process is not None
        self.ctl("stop")
        self.process.wait(60)
        self.kill()

    def _end_epmd(self) -> None:
        """Leave it to the others."""

    def _environ(self) -> dict[str, str]:
        """Its own places; the home, with the cookie, is that of all nodes."""
        home = self.folder.parent / "home"
        (home / ".erlang.cookie").parent.mkdir(exist_ok=True)
        if not (cookie := home / ".erlang.cookie").exists():
            cookie.write_text("nightshift-tests")
            cookie.chmod(0o400)
        known = self.folder / "inetrc"
        hosts = (f'{{host, {{{a.replace(".", ",")}}}, ["n{n}"]}}.\n' for n, a in enumerate(ADDRESSES, 1))
        known.write_text("".join(hosts) + "{lookup, [file, native]}.\n")
        own = f"{{{self.host.replace('.', ',')}}}"
        return {
            **super()._environ(),
            "HOME": str(home),
            "ERL_INETRC": str(known),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"-kernel inet_dist_use_interface {own} "
            f"-kernel inet_dist_connect_options [{{ip,{own}}}]",
            "ERL_EPMD_ADDRESS": ",".join(ADDRESSES),
        }


@dataclass
class Cluster:
    """Its nodes under `folder`, and what can happen to them."""

    folder: Path
    partitions: str = "pause_minority"
    """What nodes do that do not see a majority: this, or `ignore`."""
    epmd_port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        require()
        self.nodes = [self._node(n) for n in range(1, SIZE + 1)]

    def _node(self, number: int) -> Node:
        folder = self.folder / f"n{number}"
        folder.mkdir(parents=True, exist_ok=True)
        return Node(
            folder, ADDRESSES[number - 1], epmd_port=self.epmd_port, number=number, partitions=self.partitions
        )

    def run(self) -> None:
        """Start all nodes at once, and wait until they are one cluster."""
        for node in self.nodes:
            node.start()
        for node in self.nodes:
            node.await_answer()

    def whole(self) -> bool:
        """Whether each queue has all its members online, as each node says."""
        return self.missing() == {}

    def missing(self) -> dict[str, list[str]]:
        """Queues without some of their members, each with those that it has; all, where a node does not answer."""
        try:
            queues = [queue for node in self.nodes for queue in node.queues()]
        except OSError as error:
            return {str(error): []}
        return {q["name"]: q["online"] for q in queues if len(q.get("online", ADDRESSES)) < SIZE}

    def cut(self, node: Node) -> None:
        """Drop all packets from and to a node; for a network namespace of its own, as it needs the right to."""
        self._drop("-A", node)

    def join(self, node: Node) -> None:
        """Drop them no more."""
        self._drop("-D", node)

    @staticmethod
    def _drop(what: str, node: Node) -> None:
        for end in ("-s", "-d"):
            subprocess.run(["iptables", what, "INPUT", end, node.host, "-j", "DROP"], check=True)

    def end(self) -> None:
        """Kill all of it."""
        for node in self.nodes:
            node.kill()
        Rabbit._end_epmd(self.nodes[0])


def start_cluster(folder: Path, partitions: str = "pause_minority") -> Cluster:
    """Start a cluster under `folder`; once more with other ports should one of them have been taken."""
    cluster = Cluster(folder, partitions)
    try:
        cluster.run()
    except NodeDied:
        cluster.end()
        shutil.rmtree(folder)
        cluster = Cluster(folder, partitions)
        cluster.run()
    return cluster
