"""A RabbitMQ of one's own: private ports, private data directory, no system service."""

import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.certificates import Authority
from tests.support.servers import free_port, listens, start, unavailable, wait_for

_PLACES = (
    os.environ.get("RABBITMQ_SERVER"),  # another version than the system's
    "/usr/lib/rabbitmq/bin/rabbitmq-server",  # itself, not the wrapper that insists on a system user
    shutil.which("rabbitmq-server"),
)
_SERVER = next((place for place in _PLACES if place and Path(place).exists()), None)


class NodeDied(Exception):
    """A broker ended while it started, such as when its port was taken meanwhile."""


@dataclass
class Rabbit:
    """One broker node under `folder`; it keeps its ports over restarts."""

    folder: Path
    host: str = "127.0.0.1"
    port: int = field(default_factory=free_port)
    dist_port: int = field(default_factory=free_port)
    management_port: int = field(default_factory=free_port)
    epmd_port: int = field(default_factory=free_port)
    tls_port: int = field(default_factory=free_port)
    """Where it speaks TLS, with a certificate for 127.0.0.1 and nothing else, and asks for one of its `authority`."""
    process: subprocess.Popen[bytes] | None = None
    inside: Sequence[str] = ()
    """What its command begins with, on a host of its own (`tests.support.hosts`)."""
    options: str = ""

    def __post_init__(self) -> None:
        (self.folder / "tls").mkdir(exist_ok=True)
        self.authority = Authority(self.folder / "tls", "broker-authority")
        self.certify()

    def certify(self, **more: Any) -> None:
        """Give it a certificate, another one if it is running."""
        self.authority.issue("127.0.0.1", name="server", **more)
        if self.process is not None:
            self.ctl("eval", "ssl:clear_pem_cache().")

    @property
    def name(self) -> str:
        return f"tests{self.port}@localhost"

    @property
    def more(self) -> str:
        """Further lines of its configuration."""
        return self.options

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@{self.host}:{self.port}//"

    @property
    def version(self) -> tuple[int, ...]:
        """The first two numbers of it."""
        return tuple(map(int, str(self._ask("overview")["rabbitmq_version"]).split(".")[:2]))

    def run(self) -> None:
        """Start and wait until it answers."""
        self.start()
        self.await_answer()

    def start(self) -> None:
        """Start without waiting."""
        assert _SERVER is not None
        self.process = start(
            [*self.inside, _SERVER], self.folder / "rabbit.log", self._environ(), cwd=self.folder
        )

    def await_answer(self) -> None:
        """Wait until it answers; raises `NodeDied`."""
        wait_for(lambda: self._answers() or self.is_dead, "RabbitMQ", 120)
        if self.is_dead:
            raise NodeDied(f"RabbitMQ did not start: see {self.folder / 'rabbit.log'}")

    @property
    def is_dead(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def _answers(self) -> bool:
        """Whether it is this node, not another process, that listens on its ports."""
        if not (listens(self.port, self.host) and listens(self.management_port, self.host)):
            return False
        try:
            overview = self._ask("overview")
        except OSError:
            return False
        ours = [item["port"] for item in overview.get("listeners", ()) if item["protocol"] == "amqp"]
        return bool(overview.get("node") == self.name and self.port in ours)

    def _ask(self, what: str) -> dict[str, Any]:
        request = urllib.request.Request(
            f"http://{self.host}:{self.management_port}/api/{what}",
            headers={"Authorization": "Basic Z3Vlc3Q6Z3Vlc3Q="},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            found: dict[str, Any] = json.loads(answer.read())
            return found

    def _environ(self) -> dict[str, str]:
        """The node's own places; the Erlang cookie is in its own home."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        (self.folder / "enabled_plugins").write_text("[rabbitmq_management].\n")
        (self.folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = {self.host}:{self.port}\nlisteners.ssl.1 = {self.host}:{self.tls_port}\n"
            f"ssl_options.cacertfile = {self.authority.ca}\n"
            f"ssl_options.certfile = {self.folder}/tls/server.crt\nssl_options.keyfile = {self.folder}/tls/server.key\n"
            "ssl_options.verify = verify_peer\nssl_options.fail_if_no_peer_cert = true\n"
            f"management.tcp.ip = {self.host}\nmanagement.tcp.port = {self.management_port}\n"
            "max_message_size = 134217728\n"  # 3.10's own; 4.x would refuse what is over 16 MiB
            "consumer_timeout = 3600000\nloopback_users = none\nlog.console = true\nlog.console.level = warning\n"
            + self.more
        )
        return {
            "HOME": str(home),
            "RABBITMQ_NODENAME": self.name,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self.dist_port),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self.epmd_port),
            "ERL_EPMD_RELAXED_COMMAND_CHECK": "1",  # so that `kill` may end it
        }

    def alarm(self, on: bool) -> None:
        """Have it run out of memory, as it believes, or not any more."""
        self.ctl("set_vm_memory_high_watermark", "0.0000001" if on else "0.4")

    def ctl(self, *command: str, program: str = "rabbitmqctl") -> str:
        """What `rabbitmqctl`, or another program that came with it, prints."""
        assert _SERVER is not None
        ctl = str(Path(_SERVER).with_name(program))
        env = {**os.environ, **self._environ()}
        done = subprocess.run([ctl, "-q", *command], check=True, env=env, capture_output=True, text=True)
        return done.stdout

    def close_connections(self) -> None:
        """Close all connections, as an operator may."""
        self.ctl("close_all_connections", "--global", "a test")

    def freeze(self) -> None:
        """SIGSTOP: its sockets stay open, and swallow what is sent until their buffers are full."""
        self._signal("STOP")

    def thaw(self) -> None:
        """Have it continue."""
        self._signal("CONT")

    def _signal(self, name: str) -> None:
        assert self.process is not None
        for pid in _family(self.process.pid):
            subprocess.run(["kill", f"-{name}", str(pid)], check=False, stderr=subprocess.DEVNULL)

    def kill(self) -> None:
        """SIGKILL, as a power cut does it: no goodbye, no flush."""
        if self.process is None:
            return
        for pid in _family(self.process.pid):
            subprocess.run(["kill", "-9", str(pid)], check=False, stderr=subprocess.DEVNULL)
        self.process.wait()
        self.process = None
        wait_for(lambda: not listens(self.port, self.host), "RabbitMQ to die")
        self._end_epmd()

    def _end_epmd(self) -> None:
        subprocess.run(["epmd", "-port", str(self.epmd_port), "-kill"], check=False, capture_output=True)

    def wipe(self) -> None:
        """Delete all the broker ever knew."""
        assert self.process is None
        shutil.rmtree(self.folder / "data")

    def depth(self, queue: str) -> dict[str, Any]:
        """What the management API tells of a queue."""
        return self._ask(f"queues/%2F/{queue}")


def _family(pid: int) -> list[int]:
    """A process and all below it, children first."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(entry.read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            continue
        if parent == pid:
            found += _family(int(entry.parent.name))
    return [*found, pid]


def require() -> None:
    """Skip or fail where there is no RabbitMQ."""
    if _SERVER is None:
        unavailable("RabbitMQ")


def start_rabbit(folder: Path, **options: Any) -> Rabbit:
    """Start a node under `folder`; once more with other ports should one of them have been taken."""
    require()
    try:
        node = Rabbit(folder, **options)
        node.run()
    except NodeDied:
        node.kill()
        shutil.rmtree(folder / "data", ignore_errors=True)
        node = Rabbit(folder, **options)
        node.run()
    return node
