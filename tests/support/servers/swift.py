"""OpenStack Swift with its S3 API: a real object server that runs without root, Docker or memcached.

It lives in a virtual environment of its own (`make services`), since its dependencies are old.
"""

import getpass
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT
from tests.support.servers import free_port, listens, start, unavailable, wait_for

BIN = ROOT / ".services" / "swift" / "bin"
ACCESS_KEY, SECRET = "test:tester", "testing"
_KINDS = ("account", "container", "object")
_MIDDLEWARE = "catch_errors gatekeeper healthcheck listing_formats bulk s3api tempauth copy slo dlo symlink"


@dataclass
class Swift:
    """One node: three back-end servers and the proxy that speaks S3 on `port`."""

    folder: Path
    port: int
    processes: list[subprocess.Popen[bytes]]
    address: str = "127.0.0.1"
    inside: Sequence[str] = ()
    """What its commands begin with, on a host of its own (`tests.support.hosts`)."""

    @property
    def endpoint(self) -> str:
        return f"http://{self.address}:{self.port}"

    @property
    def environ(self) -> dict[str, str]:
        """What a client of this server needs in its environment."""
        return {
            "NIGHTSHIFT_S3_ENDPOINT": self.endpoint,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def run(self) -> None:
        """Start all servers, the proxy last, so that it answers only when all is there."""
        for kind in _KINDS:
            self._start(kind)
        wait_for(
            lambda: all(listens(_port(self.folder, kind), self.address) for kind in _KINDS),
            "Swift's back end",
        )
        self.run_proxy()

    def run_proxy(self) -> None:
        """Start what clients talk to, again after `stop_proxy`."""
        self._start("proxy")
        wait_for(lambda: listens(self.port, self.address), "Swift's proxy")

    def _start(self, kind: str) -> None:
        command = [*self.inside, BIN / f"swift-{kind}-server", self.folder / f"{kind}.conf"]
        self.processes.append(start(command, self.folder / f"{kind}.log"))

    def stop_proxy(self) -> None:
        """Kill what clients talk to: the store is away, and nobody knows what became of a request in hand.

        The back end is let finish it. A single node that dies between deleting an object and telling its
        listing would name it for ever; a cluster's other nodes repair that.
        """
        proxy = self.processes.pop()
        proxy.kill()
        proxy.wait()

    def stop(self) -> None:
        """Kill all servers; what they acknowledged is on disk."""
        for process in self.processes:
            process.kill()
            process.wait()
        self.processes.clear()


def start_swift(folder: Path, address: str = "127.0.0.1", inside: Sequence[str] = ()) -> Swift:
    """Configure and start a node under `folder`."""
    if not (BIN / "swift-proxy-server").exists():
        unavailable("OpenStack Swift")
    node = Swift(folder, free_port(), [], address, inside)
    (folder / "disks" / "d1").mkdir(parents=True)
    (folder / "swift.conf").write_text(
        "[swift-hash]\nswift_hash_path_suffix = tests\n[storage-policy:0]\nname = gold\ndefault = yes\n"
    )
    for kind in _KINDS:
        _back_end(folder, kind, address)
    (folder / "proxy.conf").write_text(_proxy(folder, node.port, address))
    node.run()
    return node


def _common(folder: Path, port: int, address: str) -> str:
    return f"""[DEFAULT]
bind_ip = {address}
bind_port = {port}
workers = 0
user = {getpass.getuser()}
swift_dir = {folder}
devices = {folder}/disks
mount_check = false
log_address = /dev/null
log_level = WARNING
"""


def _back_end(folder: Path, kind: str, address: str) -> None:
    port = free_port()
    (folder / f"{kind}.conf").write_text(
        _common(folder, port, address)
        + f"""[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
recon_cache_path = {folder}
node_timeout = 60
conn_timeout = 20
"""
    )
    ring = [BIN / "swift-ring-builder", folder / f"{kind}.builder"]
    for step in (["create", "6", "1", "1"], ["add", f"r1z1-{address}:{port}/d1", "1"], ["rebalance"]):
        subprocess.run([*ring, *step], check=True, stdout=subprocess.DEVNULL)


def _port(folder: Path, kind: str) -> int:
    line = next(x for x in (folder / f"{kind}.conf").read_text().splitlines() if x.startswith("bind_port"))
    return int(line.rpartition(" ")[2])


def _proxy(folder: Path, port: int, address: str) -> str:
    plain = [name for name in _MIDDLEWARE.split() if name not in ("s3api", "tempauth")]
    filters = "\n".join(f"[filter:{name}]\nuse = egg:swift#{name}" for name in plain)
    return (
        _common(folder, port, address)
        + f"""[pipeline:main]
pipeline = {_MIDDLEWARE} proxy-server
[app:proxy-server]
use = egg:swift#proxy
node_timeout = 60
recoverable_node_timeout = 60
conn_timeout = 20
account_autocreate = true
recheck_account_existence = 0
recheck_container_existence = 0
error_suppression_limit = 100000
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = {SECRET} .admin
{filters}
"""
    )
