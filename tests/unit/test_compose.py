"""docker/compose.yaml agrees with the code and with the other files, and its containers are confined."""

import os
import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from pipeline.settings import PREFIX, Settings
from tasks.lanes import FIRST_TURN, GPU_QUEUES
from tasks.routing import RAW, WORK_QUEUES
from tests.support.command_lines import parse
from tests.support.docker_files import (
    COMPOSE_TEXT,
    DOCKER,
    EXAMPLE,
    OURS,
    PASSWORDS,
    SECRET,
    SERVICES,
    example,
    filled,
    stages,
)

KNOWN = {PREFIX + name.upper() for name in Settings.__struct_fields__}
ENDING = {"prepare", "nightshift"}
"""Containers that end by themselves."""


def written(service: str) -> dict[str, Any]:
    """A service with the example's values and made-up passwords."""
    text = filled(COMPOSE_TEXT, example() | PASSWORDS)
    found: dict[str, Any] = yaml.safe_load(text)["services"][service]
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_containers_are_confined(service: str) -> None:
    found = written(service)
    assert found["read_only"] is True
    assert found["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in found["security_opt"]
    assert not {"privileged", "cap_add", "network_mode", "pid", "ipc", "devices"} & found.keys()
    uid, _, _ = found["user"].partition(":")
    assert int(uid) > 0
    assert re.fullmatch(r"\d+[mg]", found["mem_limit"])
    assert found["pids_limit"] > 0
    assert found["logging"]["options"]["max-size"]
    assert found["restart"] == ("no" if service in ENDING else "unless-stopped")


@pytest.mark.parametrize("service", sorted(SERVICES.keys() - ENDING))
def test_every_service_tells_its_health(service: str) -> None:
    check = SERVICES[service]["healthcheck"]
    kind, program, *words = check["test"]
    assert kind == "CMD"
    assert not any(" " in word for word in words), "Podman 4.3 would take it apart"
    assert program in ("nightshift-healthz", "wget", "rabbitmq-diagnostics")
    assert {"interval", "timeout"} <= check.keys()


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_mounted_exists_and_is_read_only(service: str) -> None:
    for volume in written(service).get("volumes", []):
        source, _, mode = volume.partition(":")
        if not source.startswith("."):
            assert re.search(rf"^  {source}:", COMPOSE_TEXT, flags=re.MULTILINE), "a volume is declared"
            continue
        assert mode.endswith(":ro")
        assert (DOCKER / source).exists() or source in ("./inbox", "./models"), "folders of the user"


@pytest.mark.parametrize("service", OURS)
def test_our_command_lines_can_be_parsed(service: str) -> None:
    command = written(service).get("command", ["nightshift", "status"])
    if service == "prepare":
        assert command[0] == "python"
        assert f"./{command[1].split('/')[1]}:/{command[1].split('/')[1]}:ro" in SERVICES[service]["volumes"]
        return
    parse(command)


def test_workers_take_all_queues() -> None:
    queues = ({queue.name for queue in WORK_QUEUES} - set(GPU_QUEUES)) | {*FIRST_TURN, RAW}
    taken = {
        name: set(word.removeprefix("--queues=").split(","))
        for name in ("worker-cpu", "worker-gpu")
        for word in (filled(word, {}) for word in SERVICES[name]["command"])
        if word.startswith("--queues=")
    }
    # Stored text is found by the digest of the models: `result` needs workers with the same settings.
    reading = {*FIRST_TURN, "result"}
    assert taken == {"worker-cpu": queues, "worker-gpu": reading}
    assert set(example()["CPU_QUEUES"].split(",")) == queues - reading


def test_every_name_is_a_setting() -> None:
    named = {name for text in (COMPOSE_TEXT, EXAMPLE) for name in re.findall(r"NIGHTSHIFT_[A-Z0-9_]+", text)}
    assert len(named) > 8
    assert named <= KNOWN


@pytest.mark.parametrize("service", sorted(OURS.keys() - {"prepare"}))
def test_the_settings_can_be_read(service: str) -> None:
    settings = Settings.from_env({k: str(v) for k, v in written(service)["environment"].items()})
    role = {"flower": "monitor", "exporter": "monitor", "nightshift": "operator"}.get(service, "worker")
    password = PASSWORDS[f"RABBITMQ_{role.upper()}_PASSWORD"]
    assert settings.broker_url == f"amqp://nightshift-{role}:{password}@rabbitmq:5672/nightshift"


@pytest.mark.parametrize("service", ["worker-cpu", "worker-gpu", "nightshift"])
def test_models_are_those_of_the_packages_unless_a_folder_is_named(service: str) -> None:
    assert Settings.from_env(written(service)["environment"]).ocr_model_dir is None
    assert any(volume.endswith(":/models:ro") for volume in written(service)["volumes"])
    named = filled(SERVICES[service]["environment"]["NIGHTSHIFT_OCR_MODEL_DIR"], {"OCR_MODEL_DIR": "/models"})
    assert named == "/models"


def test_the_example_names_what_compose_asks_for() -> None:
    asked = set(re.findall(r"\$\{(\w+)", COMPOSE_TEXT))
    assert asked == set(example())
    for name in asked:
        assert bool(re.search(SECRET, name)) == bool(re.search(rf"\$\{{{name}:\?", COMPOSE_TEXT))


def test_the_example_repeats_the_defaults() -> None:
    for name, default in re.findall(r"\$\{(\w+):-([^}]+)\}", COMPOSE_TEXT):
        assert example()[name] == default or name == "CPU_QUEUES", name


def test_no_password_has_a_default() -> None:
    for name, value in example().items():
        assert not value or not re.search(SECRET, name), name
    with pytest.raises(KeyError):
        filled(COMPOSE_TEXT, example())


def test_nothing_listens_on_the_network() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(ports) == 6
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in ports)


@pytest.mark.parametrize("service", SERVICES)
def test_images_are_named_exactly_and_targets_exist(service: str) -> None:
    found = written(service)
    repository, _, tag = found["image"].rpartition(":")
    assert repository
    if repository != "nightshift":
        assert re.match(r"v?\d+\.\d+\.\d+", tag)
        assert re.fullmatch(r"\$\{\w+_IMAGE:-.+\}", SERVICES[service]["image"]), "so that it can be pinned"
    if "build" in found:
        build = found["build"]
        assert (DOCKER / build["context"] / build["dockerfile"]).resolve() == DOCKER / "Dockerfile"
        assert tag == build["target"]
        assert build["target"] in stages()
        arguments = set(re.findall(r"^ARG (\w+)", (DOCKER / "Dockerfile").read_text(), flags=re.MULTILINE))
        assert build["args"].keys() <= arguments


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
    (_, output) = SERVICES["prepare"]["command"][1:]
    conf = (DOCKER / "rabbitmq" / "definitions.conf").read_text()
    assert re.search(rf"^load_definitions = {re.escape(output)}$", conf, flags=re.MULTILINE)
    mounts = SERVICES["rabbitmq"]["volumes"]
    assert any(
        re.fullmatch(r"./rabbitmq/definitions.conf:/etc/rabbitmq/conf.d/.*:ro", mount) for mount in mounts
    )
    assert "definitions:/definitions:ro" in mounts
    given = set(SERVICES["prepare"]["environment"])
    assert given == {name for name in PASSWORDS if name.startswith("RABBITMQ_")}
    assert SERVICES["rabbitmq"]["depends_on"]["prepare"]["condition"] == "service_completed_successfully"


def test_compose_itself_accepts_the_file() -> None:
    if not _has_compose():
        pytest.skip("docker compose is not installed")
    command = ["docker", "compose", "-f", str(DOCKER / "compose.yaml"), "--profile", "*", "config", "--quiet"]
    done = subprocess.run(
        command, env={**os.environ, **PASSWORDS}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def _has_compose() -> bool:
    docker = shutil.which("docker")
    if docker is None:
        return False
    return subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode == 0


def test_a_command_of_the_operator_starts_no_server_again() -> None:
    """`compose run` creates what a service depends on once more where it takes it for changed, as with Podman."""
    assert "depends_on" not in SERVICES["nightshift"]
