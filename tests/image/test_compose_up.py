"""docker/compose.yaml, started for real: `make image-check`, which builds the images first (docs/how-to/docker.md)."""

import json
import os
import shlex
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.support.docker_files import DOCKER, PASSWORDS, SERVICES, example
from tests.support.servers import wait_for

pytestmark = pytest.mark.skipif("COMPOSE" not in os.environ, reason="started by make image-check")

COMPOSE = shlex.split(os.environ.get("COMPOSE", ""))
ENGINE = os.environ.get("ENGINE", "podman")
RUNNING = SERVICES.keys() - {"prepare", "worker-gpu", "nightshift", "grafana"}
SAMPLES = sorted(path.name for path in (ROOT / "samples").iterdir() if path.is_file())


class Stack:
    """The containers of compose.yaml, with stand-ins for the images that can't be pulled."""

    def __init__(self, folder: Path) -> None:
        values = {**example(), **PASSWORDS}
        values |= {"NIGHTSHIFT_WINDOW": "always", "S3_ACCESS_KEY": "test:tester", "S3_SECRET_KEY": "testing"}
        values |= {"INBOX": str(ROOT / "samples"), "CPU_QUEUES": ""}  # all: there is no GPU worker
        environment = folder / "env"
        environment.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
        files = ["-f", DOCKER / "compose.yaml", "-f", Path(__file__).with_name("compose.check.yaml")]
        self._compose = [*COMPOSE, "-p", "nightcheck", "--env-file", environment, *files]

    def compose(self, *words: str, seconds: float = 900) -> subprocess.CompletedProcess[str]:
        """Run `docker compose`."""
        return _run([*self._compose, *words], seconds)

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the operator, as docs say."""
        return self.compose("run", "--rm", "-T", "nightshift", *words)

    def inside(self, service: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a program in a service's container."""
        return self.compose("exec", "-T", service, *words, seconds=120)

    def health(self) -> dict[str, str]:
        """Service -> what the engine says."""
        return {name: self._inspect(name)["State"]["Health"]["Status"] for name in RUNNING}

    def check(self) -> None:
        """Run all health checks: Podman leaves that to systemd, which not every machine has."""
        for name in RUNNING:
            _run([ENGINE, "healthcheck", "run", f"nightcheck-{name}-1"], 120)

    def _inspect(self, service: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(_run([ENGINE, "inspect", f"nightcheck-{service}-1"]).stdout)[0]
        return found


def _run(words: list[Any], seconds: float = 60) -> subprocess.CompletedProcess[str]:
    command = [str(word) for word in words]
    return subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Started by one command, and well."""
    made = Stack(tmp_path_factory.mktemp("compose"))
    ended = threading.Event()

    def check() -> None:
        while not ended.wait(15):
            made.check()

    if ENGINE == "podman":
        threading.Thread(target=check, daemon=True).start()
    try:
        done = made.compose("up", "--detach", "--no-build")
        assert done.returncode == 0, done.stderr[-2000:]
        wait_for(lambda: set(made.health().values()) == {"healthy"}, "all services to be healthy", 600)
        yield made
    finally:
        ended.set()
        made.compose("down", "--volumes", "--timeout", "20")


def test_samples_give_results(stack: Stack) -> None:
    done = stack.command("submit", "/inbox")
    assert done.returncode == 0, done.stdout + done.stderr

    def counted() -> Counter[str]:
        found = json.loads(stack.command("audit", "--quick", "--json").stdout)
        return Counter({status: found[status] for status in ("done", "partial", "failed") if found[status]})

    wait_for(lambda: counted().total() == len(SAMPLES), "all samples to end", 1200)
    expected = json.loads((ROOT / "tests" / "acceptance" / "expected.json").read_text())
    assert counted() == Counter(expected[name]["status"] for name in SAMPLES)


def test_doctor_finds_no_fault(stack: Stack) -> None:
    done = stack.command("doctor", "--json")
    found = json.loads(done.stdout)
    assert done.returncode in (0, 3), [one for one in found["findings"] if one["level"] == "fault"]


@pytest.mark.parametrize(
    "service", ["worker-cpu", "beat", "exporter", "flower", "rabbitmq", "s3", "prometheus"]
)
def test_no_container_can_write_to_its_root_or_is_root(stack: Stack, service: str) -> None:
    assert stack.inside(service, "touch", "/usr/x").returncode != 0
    assert stack.inside(service, "id", "-u").stdout.strip() != "0"
    capabilities = stack.inside(service, "grep", "CapEff", "/proc/1/status").stdout
    assert set(capabilities.split()[1]) == {"0"}


def test_prometheus_scrapes_all_that_there_is(stack: Stack) -> None:
    def up() -> dict[str, str]:
        query = "http://127.0.0.1:9090/api/v1/query?query=up"
        result = json.loads(stack.inside("prometheus", "wget", "-qO-", query).stdout)["data"]["result"]
        return {one["metric"]["job"]: one["value"][1] for one in result}

    wait_for(
        lambda: up() == {"nightshift-exporter": "1", "nightshift-worker": "1", "rabbitmq": "1"},
        "targets to be up",
        180,
    )
