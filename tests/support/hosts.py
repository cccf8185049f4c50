"""Machines of one's own on this one: each host is a network, a process tree and a host name, on a switch in between.

Namespaces of Linux, by `unshare`, `nsenter` and `ip`; root is needed. A host ends with its first process, and with it
all others and its network, as by a power cut. A cut cable drops packets silently: nothing is refused, and the ARP
entries stay, so that a connection hangs as it does behind a firewall.
"""

import json
import os
import random
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.support.servers import unavailable, wait_for

_HOST = ("unshare", "--net", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc", "sleep", "infinity")
_FIRST = 10


@dataclass
class Host:
    """A machine: `address` on the network, `port` is its end at the switch."""

    name: str
    address: str
    port: str
    holder: subprocess.Popen[bytes]
    init: int

    @property
    def inside(self) -> tuple[str, ...]:
        """What a command begins with that is to run on this host."""
        return ("nsenter", "--target", str(self.init), "--net", "--uts", "--pid", "--mount")

    def processes(self, word: str) -> set[int]:
        """Processes of this host with this word in their command line, by their ids here."""
        found = set()
        for process in psutil.process_iter():
            try:
                here = Path(f"/proc/{process.pid}/ns/pid").readlink() == self._namespace
                if here and word in " ".join(process.cmdline()):
                    found.add(process.pid)
            except (OSError, psutil.Error):
                continue
        return found

    def __post_init__(self) -> None:
        self._namespace = Path(f"/proc/{self.init}/ns/pid").readlink()

    def kill(self) -> None:
        """Cut the power: every process is gone, and nobody says goodbye."""
        os.kill(self.init, 9)
        self.holder.wait()


@dataclass
class Network:
    """Hosts on one switch, which this machine is on, too, as `.1`."""

    net: str
    switch: Host
    hosts: list[Host] = field(default_factory=list)

    def host(self, name: str) -> Host:
        """Add a machine."""
        number = _FIRST + len(self.hosts)
        made = _new(name, f"{self.net}.{number}", f"p{number}")
        _ip(
            "link",
            "add",
            made.port,
            "netns",
            self.switch.init,
            "type",
            "veth",
            "peer",
            "name",
            "eth0",
            "netns",
            made.init,
        )
        _ip("link", "set", made.port, "master", "br0", "up", inside=self.switch.inside)
        _ip("addr", "add", f"{made.address}/24", "dev", "eth0", inside=made.inside)
        _ip("link", "set", "eth0", "up", inside=made.inside)
        for other in self.hosts:
            _know(made, other)
            _know(other, made)
        self.hosts.append(made)
        return made

    def cut(self, host: Host) -> None:
        """Take a host off the switch: what it sends, and what is sent to it, is lost without a word."""
        _ip("link", "set", host.port, "nomaster", inside=self.switch.inside)

    def heal(self, host: Host) -> None:
        """Put it back."""
        _ip("link", "set", host.port, "master", "br0", inside=self.switch.inside)

    def end(self) -> None:
        for host in [*self.hosts, self.switch]:
            if host.holder.poll() is None:
                host.kill()


@contextmanager
def network() -> Iterator[Network]:
    """A network that ends with the block, with all that runs on its hosts."""
    if not all(map(shutil.which, ("ip", "unshare", "nsenter"))):
        unavailable("iproute2")
    switch = None
    try:
        switch = _new("switch", "", "")
        net = f"198.18.{random.SystemRandom().randrange(1, 255)}"  # for tests of networks: RFC 2544
        made = Network(net, switch)
        uplink = f"ns{switch.init}"
        _ip("link", "add", uplink, "type", "veth", "peer", "name", "up0", "netns", switch.init)
        for command in (("link", "add", "br0", "type", "bridge"), ("link", "set", "br0", "up")):
            _ip(*command, inside=switch.inside)
        _ip("link", "set", "up0", "master", "br0", "up", inside=switch.inside)
        _ip("addr", "add", f"{net}.1/24", "dev", uplink)
        _ip("link", "set", uplink, "up")
    except (OSError, subprocess.CalledProcessError) as error:
        if switch is not None:
            switch.kill()
        _not_allowed(error)
        raise
    try:
        yield made
    finally:
        made.end()


def _not_allowed(error: Exception) -> None:
    """Skip where one may not make networks, such as on a laptop; not in CI, where it runs as root."""
    if os.geteuid() != 0:
        import pytest

        pytest.skip(f"network namespaces need root ({error})")


def _new(name: str, address: str, port: str) -> Host:
    holder = subprocess.Popen(
        _HOST, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    children = Path(f"/proc/{holder.pid}/task/{holder.pid}/children")

    def running() -> bool:
        if holder.poll() is not None:
            raise OSError(f"unshare ended with {holder.returncode}")
        pids = children.read_text().split()
        return bool(pids) and Path(f"/proc/{pids[0]}/comm").read_text().strip() == "sleep"

    wait_for(running, "a host", 20)
    made = Host(name, address, port, holder, int(children.read_text().split()[0]))
    subprocess.run([*made.inside, "hostname", name], check=True)
    _ip("link", "set", "lo", "up", inside=made.inside)
    return made


def _know(host: Host, other: Host) -> None:
    """Have a host know the other's hardware address for good: a cut must not show as an unknown neighbour."""
    shown: str = json.loads(_ip("-json", "link", "show", "eth0", inside=other.inside))[0]["address"]
    _ip("neigh", "replace", other.address, "lladdr", shown, "dev", "eth0", inside=host.inside)


def _ip(*words: object, inside: Sequence[str] = ()) -> bytes:
    return subprocess.run([*inside, "ip", *map(str, words)], check=True, capture_output=True).stdout
