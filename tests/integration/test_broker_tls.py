"""TLS with a real RabbitMQ: who is refused, on which side, and what is said."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.support.certificates import Authority
from tests.support.command import FAKES, grey, nightshift, page
from tests.support.servers import start, wait_for
from tests.support.servers.rabbit import Rabbit

CELERY = Path(sys.executable).parent / "celery"


@pytest.fixture
def env(rabbit: Rabbit, broker: str, tmp_path: Path) -> dict[str, str]:
    """A client that the broker knows, and that knows the broker."""
    mine = rabbit.authority.issue(name="client")
    return {
        "NIGHTSHIFT_BROKER_URL": broker.replace("amqp:", "amqps:").replace(
            str(rabbit.port), str(rabbit.tls_port)
        ),
        "NIGHTSHIFT_BROKER_CA": str(rabbit.authority.ca),
        "NIGHTSHIFT_BROKER_CERT": str(mine.cert),
        "NIGHTSHIFT_BROKER_KEY": str(mine.key),
        "NIGHTSHIFT_STORE_URL": str(tmp_path / "out"),
        "NIGHTSHIFT_WINDOW": "always",
        "NIGHTSHIFT_REQUIRE_TLS": "true",
    }


@pytest.fixture
def expired(rabbit: Rabbit) -> Iterator[None]:
    rabbit.certify(ends=timedelta(days=-1))
    yield
    rabbit.certify()


def celery(kind: str, env: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    """A worker or beat that ends by itself."""
    command = ["env", f"--chdir={ROOT}", str(CELERY), "-A", "tasks", kind, *options]
    return subprocess.run(
        command,
        env={**os.environ, **FAKES, **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _without_certificate(env: dict[str, str]) -> dict[str, str]:
    return env | {"NIGHTSHIFT_BROKER_CERT": "", "NIGHTSHIFT_BROKER_KEY": ""}


def refused(env: dict[str, str], said: str) -> None:
    """Each way to the broker ends with that sentence, and soon."""
    host = env["NIGHTSHIFT_BROKER_URL"].partition("@")[2].partition("/")[0]
    scan = page(Path(env["NIGHTSHIFT_STORE_URL"]).parent / "scan.png", grey(1))
    for done, code in (
        (nightshift("submit", scan, **env), 1),
        (nightshift("status", **env), 1),
        (celery("worker", env, "-c", "1"), 1),
        (celery("beat", env, "--pidfile="), 1),
    ):
        assert done.returncode == code, (done.args, done.stderr)
        assert f"TLS with RabbitMQ at {host} failed: " in done.stderr, (done.args, done.stderr)
        assert said in done.stderr, (done.args, done.stderr)
        assert "Traceback" not in done.stderr, (done.args, done.stderr)


@contextmanager
def working(env: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = ["env", f"--chdir={ROOT}", CELERY, "-A", "tasks", "worker", "-c", "1", "-l", "INFO"]
    worker = start(command, log, {**FAKES, **env})
    try:
        wait_for(lambda: " ready." in log.read_text(), "the worker")
        yield worker
    finally:
        worker.kill()
        worker.wait()


@pytest.mark.long
def test_a_night_on_a_broker_that_is_checked(env: dict[str, str], tmp_path: Path) -> None:
    with working(env, tmp_path / "worker.log"):
        done = nightshift("submit", page(tmp_path / "scan.png", grey(1)), **env)
        assert done.returncode == 0, done.stderr
        results = tmp_path / "out" / "results"
        wait_for(lambda: any(results.rglob("*.json")), "the result")
        assert nightshift("status", **env).returncode == 0


def test_a_wrong_host_is_refused(env: dict[str, str]) -> None:
    refused(
        env | {"NIGHTSHIFT_BROKER_URL": env["NIGHTSHIFT_BROKER_URL"].replace("127.0.0.1", "localhost")},
        "its certificate was issued for another name",
    )


def test_an_unknown_issuer_is_refused(env: dict[str, str], tmp_path: Path) -> None:
    refused(
        env | {"NIGHTSHIFT_BROKER_CA": str(Authority(tmp_path, "stranger").ca)},
        "an authority that is not trusted here; add the authority to the file NIGHTSHIFT_BROKER_CA",
    )


@pytest.mark.usefixtures("expired")
def test_an_expired_certificate_is_refused(env: dict[str, str]) -> None:
    refused(env, "its certificate has expired: renew it, or set this machine's clock (NTP)")


def test_a_missing_client_certificate_is_named(env: dict[str, str]) -> None:
    refused(
        _without_certificate(env),
        "asks for a client certificate: set NIGHTSHIFT_BROKER_CERT and NIGHTSHIFT_BROKER_KEY",
    )


def test_a_client_certificate_of_another_authority_is_named(env: dict[str, str], tmp_path: Path) -> None:
    other = Authority(tmp_path, "stranger").issue(name="client")
    refused(
        env | {"NIGHTSHIFT_BROKER_CERT": str(other.cert), "NIGHTSHIFT_BROKER_KEY": str(other.key)},
        "it rejects the client certificate in NIGHTSHIFT_BROKER_CERT",
    )


def test_another_broker_of_the_list_is_used(env: dict[str, str], tmp_path: Path) -> None:
    good = env["NIGHTSHIFT_BROKER_URL"]
    both = f"{good.replace('127.0.0.1', 'localhost')};{good}"
    done = nightshift("submit", page(tmp_path / "scan.png", grey(1)), **env | {"NIGHTSHIFT_BROKER_URL": both})
    assert done.returncode == 0, done.stderr


def ping(env: dict[str, str], broker: str) -> subprocess.CompletedProcess[str]:
    """Ask for workers at a broker that Celery's own option names."""
    command = ["env", f"--chdir={ROOT}", str(CELERY), "-A", "tasks", "-b", broker, "inspect", "ping"]
    return subprocess.run(
        command, env={**os.environ, **env}, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("options", ["?ssl_cert_reqs=none", "?ssl_check_hostname=false", "?ssl=false"])
def test_options_in_the_url_weaken_nothing(env: dict[str, str], tmp_path: Path, options: str) -> None:
    """Our setting takes none; Celery's own option takes any, without effect."""
    url = env["NIGHTSHIFT_BROKER_URL"] + options
    done = nightshift("status", **env | {"NIGHTSHIFT_BROKER_URL": url})
    assert (done.returncode, "it contains ? or #" in done.stderr) == (2, True)
    asked = ping(env | {"NIGHTSHIFT_BROKER_CA": str(Authority(tmp_path, "stranger").ca)}, url)
    assert asked.returncode != 0
    assert "an authority that is not trusted here" in asked.stderr


def test_a_required_tls_is_required_of_every_broker(env: dict[str, str], broker: str) -> None:
    asked = ping(env, broker)
    assert asked.returncode != 0
    assert "expected amqps:// only, as NIGHTSHIFT_REQUIRE_TLS is true" in asked.stderr
    for done in (
        nightshift("status", **env | {"NIGHTSHIFT_BROKER_URL": broker}),
        nightshift("status", **{n: v for n, v in env.items() if n != "NIGHTSHIFT_BROKER_URL"}),
        celery("worker", env | {"NIGHTSHIFT_BROKER_URL": broker}),
        celery("beat", {n: v for n, v in env.items() if n != "NIGHTSHIFT_BROKER_URL"}),
    ):
        assert done.returncode == 2, done.stderr
        assert "Invalid setting NIGHTSHIFT_BROKER_URL: expected amqps:// only" in done.stderr


def test_a_running_worker_ends_when_the_broker_is_no_longer_trusted(
    env: dict[str, str], rabbit: Rabbit, tmp_path: Path
) -> None:
    log = tmp_path / "worker.log"
    with working(env, log) as worker:
        try:
            rabbit.certify(ends=timedelta(days=-1))
            rabbit.close_connections()
            started = time.monotonic()
            assert worker.wait(60) == 1, log.read_text()
            assert time.monotonic() - started < 45
            assert "its certificate has expired" in log.read_text()
        finally:
            rabbit.certify()
