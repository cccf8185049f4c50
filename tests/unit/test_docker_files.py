"""The Docker files agree with the code and with each other, as far as that shows without an engine."""

import configparser
import os
import re
import shlex
import shutil
import subprocess
from importlib.util import find_spec
from typing import Any

import pytest
import yaml

from pipeline.settings import PREFIX, Settings
from tasks.lanes import FIRST_TURN, GPU_QUEUES
from tasks.routing import RAW, WORK_QUEUES
from tests.conftest import ROOT

DOCKER = ROOT / "docker"
EXAMPLE = (DOCKER / "nightshift.env.example").read_text()
COMPOSE_TEXT = (DOCKER / "compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "celery" in service.get("command", [])}

SECRET = "PASSWORD|SECRET|SIGNING"
PASSWORDS = {
    f"RABBITMQ_{role}_PASSWORD": role.lower() for role in ("PRODUCER", "WORKER", "OPERATOR", "MONITOR")
} | {
    "S3_SECRET_KEY": "b",
    "FLOWER_PASSWORD": "c",
    "GRAFANA_PASSWORD": "d",
    "NIGHTSHIFT_SIGNING_KEY": "k" * 32,
}
KNOWN = {PREFIX + name.upper() for name in Settings.__struct_fields__}


def instructions() -> list[list[str]]:
    """The Dockerfile's instructions as words, continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", (DOCKER / "Dockerfile").read_text(), flags=re.MULTILINE)
    return [line.split() for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def stages() -> dict[str, str]:
    """Stage -> what it is made from."""
    return {words[3]: words[1] for words in instructions() if words[0] == "FROM"}


def filled(text: str, values: dict[str, str]) -> str:
    """Interpolate as compose does: `${NAME:-default}`, `${NAME:?message}`."""

    def value(match: re.Match[str]) -> str:
        name, kind, more = match.groups()
        if values.get(name):
            return values[name]
        if kind == ":?":
            raise KeyError(name)
        return more or ""

    return re.sub(r"\$\{(\w+)(?:(:-|:\?)([^}]*))?\}", value, text)


def example() -> dict[str, str]:
    """What the example sets, lines that are commented out included."""
    return dict(re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=(.*)$", EXAMPLE, flags=re.MULTILINE))


def test_every_name_is_a_setting() -> None:
    named = {name for text in (COMPOSE_TEXT, EXAMPLE) for name in re.findall(r"NIGHTSHIFT_[A-Z0-9_]+", text)}
    named |= set(re.findall(r"NIGHTSHIFT_[A-Z0-9_]+", (DOCKER / "Dockerfile").read_text()))
    assert len(named) > 8
    assert named <= KNOWN


def test_the_settings_can_be_read() -> None:
    services = yaml.safe_load(filled(COMPOSE_TEXT, example() | PASSWORDS))["services"]
    for service in [*OURS, "nightshift", "exporter"]:
        settings = Settings.from_env({k: str(v) for k, v in services[service]["environment"].items()})
        role = {"flower": "monitor", "exporter": "monitor", "nightshift": "operator"}.get(service, "worker")
        assert settings.broker_url == f"amqp://nightshift-{role}:{role}@rabbitmq:5672/nightshift"


def test_the_example_names_what_compose_asks_for() -> None:
    asked = set(re.findall(r"\$\{(\w+)", COMPOSE_TEXT))
    assert asked == set(example())
    for name in asked:
        assert bool(re.search(SECRET, name)) == bool(re.search(rf"\$\{{{name}:\?", COMPOSE_TEXT))


def test_no_password_has_a_default() -> None:
    for name, value in example().items():
        assert not value or not re.search(SECRET, name), name
    with pytest.raises(KeyError):
        filled(COMPOSE_TEXT, example())


def test_nothing_listens_on_the_network() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(ports) == 6
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in ports)
    assert not any("network_mode" in service for service in SERVICES.values())


def test_images_are_pinned_and_targets_exist() -> None:
    for name, service in SERVICES.items():
        repository, _, tag = service["image"].rpartition(":")
        assert repository, name
        assert repository == "nightshift" or re.match(r"v?\d+\.\d+\.\d+", tag), service["image"]
        if "build" in service:
            build = service["build"]
            assert (DOCKER / build["context"] / build["dockerfile"]).resolve() == DOCKER / "Dockerfile"
            assert tag == build["target"]
            assert build["target"] in stages()
    (outside,) = {source for source in stages().values() if source not in stages()}
    assert outside == "python:3.11-slim-bookworm"
    built = {s["image"] for s in SERVICES.values() if "build" in s}
    assert {s["image"] for s in OURS.values()} == built == {"nightshift:cpu", "nightshift:gpu"}


def test_commands_are_those_of_celery() -> None:
    queues = ({queue.name for queue in WORK_QUEUES} - set(GPU_QUEUES)) | {*FIRST_TURN, RAW}
    assert list(OURS) == ["worker-cpu", "worker-gpu", "beat", "flower"]
    taken: dict[str, set[str]] = {}
    for name, service in OURS.items():
        command = [filled(word, {}) for word in service["command"]]
        assert command[:3] == ["celery", "-A", "tasks"]
        assert command[3] in ("worker", "beat", "flower")
        assert find_spec("tasks") is not None
        for word in command:
            if word.startswith("--queues="):
                taken[name] = set(word.removeprefix("--queues=").split(","))
    # Stored text is found by the digest of the models: `result` needs workers with the same settings.
    reading = {*FIRST_TURN, "result"}
    assert taken == {"worker-cpu": queues, "worker-gpu": reading}
    assert set(example()["CPU_QUEUES"].split(",")) == queues - reading


def test_prometheus_and_grafana_find_what_belongs_to_them() -> None:
    scraped = yaml.safe_load((DOCKER / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    found = {
        (name, lookup["port"])
        for job in scraped
        for lookup in job.get("dns_sd_configs", [])
        for name in lookup["names"]
    }
    (_, worker) = SERVICES["worker-cpu"]["environment"]["NIGHTSHIFT_METRICS_ADDRESS"].split(":")
    (_, exporter) = SERVICES["exporter"]["command"][-1].split(":")
    assert SERVICES["exporter"]["command"][:3] == ["nightshift", "exporter", "--listen"]
    assert found == {(name, int(worker)) for name in ("worker-cpu", "worker-gpu")} | {
        ("exporter", int(exporter))
    }
    (fixed,) = [
        target for job in scraped for one in job.get("static_configs", []) for target in one["targets"]
    ]
    assert fixed.split(":")[0] in SERVICES
    assert "./prometheus:/etc/prometheus:ro" in SERVICES["prometheus"]["volumes"]
    provisioning = DOCKER / "grafana" / "provisioning"
    (source,) = yaml.safe_load((provisioning / "datasources" / "prometheus.yaml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090"
    (provider,) = yaml.safe_load((provisioning / "dashboards" / "nightshift.yaml").read_text())["providers"]
    assert f"./grafana/dashboards:{provider['options']['path']}:ro" in SERVICES["grafana"]["volumes"]


def test_every_service_tells_its_health() -> None:
    for name, service in SERVICES.items():
        if service.get("restart") == "no":
            continue  # it ends by itself
        kind, *command = service["healthcheck"]["test"]
        assert kind in ("CMD", "CMD-SHELL"), name
        words = shlex.split(command[0].replace("$$", "$")) if kind == "CMD-SHELL" else command
        assert words[0] in ("celery", "python", "test", "wget", "rabbitmq-diagnostics"), name
        if words[0] == "python":
            compile(words[2], name, "exec")


def test_what_is_copied_exists_and_is_let_through() -> None:
    ignore = (DOCKER / "Dockerfile.dockerignore").read_text().splitlines()
    copied = [
        w for words in instructions() if words[0] == "COPY" and "--from" not in words[1] for w in words[1:-1]
    ]
    assert {"pipeline", "tasks", "celeryconfig.py"} <= set(copied)
    for name in copied:
        assert (ROOT / name).exists(), name
        assert f"!{name}" in ignore, name
    assert {line[1:] for line in ignore if line.startswith("!")} == set(copied)
    for words in instructions():
        if words[0] == "COPY" and words[1].startswith("--from="):
            assert words[1].removeprefix("--from=") in stages()


def test_all_that_the_package_is_made_of_is_copied() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    about = setup["metadata"]
    copied = {w for words in instructions() if words[0] == "COPY" for w in words[1:-1]}
    assert {about["long_description"].removeprefix("file: "), *about["license_files"].split()} <= copied


def test_the_images_run_as_an_ordinary_user_with_writable_caches() -> None:
    lines = [" ".join(words) for words in instructions()]
    start = lines.index("FROM base AS run")
    assert "USER nightshift" in lines[start:]
    assert not any(line.startswith("USER root") for line in lines)
    (made,) = re.findall(r"install -d -o nightshift -g nightshift ([^&]+)", " ".join(lines))
    (cache,) = re.findall(r"XDG_CACHE_HOME=(\S+)", " ".join(lines))
    assert cache in made.split()
    mounted = {v.split(":")[1] for s in OURS.values() for v in s.get("volumes", []) if v[0].isalpha()}
    assert mounted <= set(made.split()), "a volume over a folder of root could not be written"


def test_gpu_builds_come_from_the_index_that_the_builder_names() -> None:
    text = (DOCKER / "Dockerfile").read_text()
    assert re.search(r"^ARG PADDLE_INDEX$", text, flags=re.MULTILINE), "without a default"
    version = re.search(r"^ARG PADDLE_GPU_VERSION=(.*)$", text, flags=re.MULTILINE)
    assert version is not None
    assert f"paddlepaddle=={version[1]}\n" in (ROOT / "constraints.txt").read_text()
    for stage in ("build-cpu", "build-gpu"):
        body = text[text.index(f" AS {stage}\n") :]
        assert "--reinstall-package opencv-python-headless" in body.partition("\nFROM ")[0]


def test_the_broker_waits_longer_than_any_step() -> None:
    import celeryconfig

    limit = re.search(
        r"^consumer_timeout = (\d+)$", (DOCKER / "rabbitmq.conf").read_text(), flags=re.MULTILINE
    )
    assert limit is not None
    assert int(limit[1]) / 1000 > 2 * celeryconfig.task_time_limit
    mounts = [volume.split(":")[0] for volume in SERVICES["rabbitmq"]["volumes"]]
    assert "./rabbitmq.conf" in mounts


def test_the_broker_loads_the_users_with_their_passwords() -> None:
    (_, written) = SERVICES["rabbitmq-users"]["command"][1:]
    conf = (DOCKER / "rabbitmq" / "definitions.conf").read_text()
    assert re.search(rf"^load_definitions = {re.escape(written)}$", conf, flags=re.MULTILINE)
    mounts = SERVICES["rabbitmq"]["volumes"]
    assert any(
        re.fullmatch(r"./rabbitmq/definitions.conf:/etc/rabbitmq/conf.d/.*:ro", mount) for mount in mounts
    )
    assert "definitions:/definitions:ro" in mounts
    given = set(SERVICES["rabbitmq-users"]["environment"])
    assert given == {name for name in PASSWORDS if name.startswith("RABBITMQ_")}
    assert (
        SERVICES["rabbitmq"]["depends_on"]["rabbitmq-users"]["condition"] == "service_completed_successfully"
    )


@pytest.mark.parametrize("profile", ["", "gpu", "monitoring"])
def test_compose_itself_accepts_the_file(profile: str) -> None:
    if not _has_compose():
        pytest.skip("docker compose is not installed")
    command = [
        "docker",
        "compose",
        "-f",
        str(DOCKER / "compose.yaml"),
        "--profile",
        profile,
        "config",
        "--quiet",
    ]
    done = subprocess.run(
        command, env={**os.environ, **PASSWORDS}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def _has_compose() -> bool:
    docker = shutil.which("docker")
    if docker is None:
        return False
    return subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode == 0
