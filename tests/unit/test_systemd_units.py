"""The units under docker/systemd start our programs with settings that exist, and confine them."""

import re
import shlex
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from pipeline.errors import ExitCode
from pipeline.settings import PREFIX, Settings
from tests.support.command_lines import parse
from tests.support.docker_files import DOCKER
from tests.support.servers import unavailable

FOLDER = DOCKER / "systemd"
UNITS = sorted(path.name for path in FOLDER.glob("*.service"))
SERVICES = [name for name in UNITS if name != "nightshift-doctor.service"]
EXPOSURE = {"nightshift-worker.service": 20, "nightshift-doctor.service": 20}
"""What `systemd-analyze security` may say at most, in tenths; 12 for all others."""

CONFINED = {
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "UMask": "0077",
    "User": "nightshift",
}


def entries(name: str) -> dict[str, list[str]]:
    """Key -> values in order, of all sections."""
    found = defaultdict(list)
    for line in (FOLDER / name).read_text().splitlines():
        if line and line[0] not in "#[":
            key, _, value = line.partition("=")
            found[key].append(value)
    return found


def example() -> dict[str, str]:
    """What nightshift.env.example sets."""
    lines = (FOLDER / "nightshift.env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and line[0] != "#")


def expanded(command: str) -> list[str]:
    """The words of a command line, as systemd makes them."""
    words: list[str] = []
    for word in shlex.split(command.replace("%%", "%")):
        if word.startswith("$") and word[1] != "{":
            words += example()[word[1:]].split()
        else:
            words.append(re.sub(r"\$\{(\w+)\}", lambda match: example()[match[1]], word))
    return words


@pytest.mark.parametrize("name", UNITS)
def test_commands_can_be_parsed(name: str) -> None:
    (command,) = entries(name)["ExecStart"]
    parse(expanded(command))


def test_there_is_a_unit_for_each_process() -> None:
    assert [
        f"nightshift-{name}.service" for name in ("beat", "doctor", "exporter", "flower", "worker")
    ] == UNITS


@pytest.mark.parametrize("name", UNITS)
def test_services_are_confined_and_limited(name: str) -> None:
    found = entries(name)
    assert CONFINED.items() <= {key: values[0] for key, values in found.items()}.items()
    assert {
        "MemoryMax",
        "TasksMax",
        "TimeoutStopSec",
        "SystemCallFilter",
        "RestrictNamespaces",
    } <= found.keys()


@pytest.mark.parametrize("name", UNITS)
def test_libraries_start_no_thread_per_core(name: str) -> None:
    words = " ".join(entries(name)["Environment"]).split()
    assert "OMP_NUM_THREADS=1" in words, "OpenBLAS would exceed TasksMax on a large server"


def test_a_gpu_worker_finds_cuda_as_the_image_does() -> None:
    (path,) = entries("gpu.conf")["Environment"]
    assert path.startswith("LD_LIBRARY_PATH=/opt/nightshift/lib/")
    assert path in (DOCKER / "Dockerfile").read_text().split()


@pytest.mark.parametrize("name", SERVICES)
def test_a_wrong_setting_is_not_tried_again(name: str) -> None:
    found = entries(name)
    assert found["RestartPreventExitStatus"] == [str(int(ExitCode.USAGE))]
    assert found["Restart"] == ["always"]
    assert int(found["RestartSec"][0]) >= 30
    assert found["StartLimitIntervalSec"] == ["0"], (
        "a night without a worker is worse than a try per half minute"
    )


@pytest.mark.parametrize("name", UNITS)
def test_secrets_come_from_a_credential(name: str) -> None:
    found = entries(name)
    role = "monitor" if re.search("exporter|flower", name) else "worker"
    assert found["LoadCredential"] == [f"secrets.env:/etc/nightshift/{role}.env"]
    assert "NIGHTSHIFT_ENV_FILE=%d/secrets.env" in found["Environment"][0].split()
    assert found["EnvironmentFile"] == ["/etc/nightshift/nightshift.env"]


def test_the_example_has_settings_and_no_secrets() -> None:
    settings = {name: value for name, value in example().items() if name.startswith(PREFIX)}
    read = Settings.from_env(settings)
    assert read.store_url == "s3://nightshift"
    assert not any(re.search("PASSWORD|SECRET|KEY|BROKER_URL", name) for name in example())
    used = {n for name in UNITS for n in re.findall(r"\$\{?([A-Z_]+)", " ".join(entries(name)["ExecStart"]))}
    assert used == example().keys() - settings.keys()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The units, with programs that exist here."""
    if shutil.which("systemd-analyze") is None:
        unavailable("systemd-analyze")
    folder = tmp_path_factory.mktemp("units")
    for name in UNITS:
        text = re.sub(r"/opt/nightshift/bin/\w+", "/bin/true", (FOLDER / name).read_text())
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize("name", UNITS)
def test_systemd_accepts_them(installed: Path, name: str) -> None:
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(installed / name)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", UNITS)
def test_they_are_not_more_exposed_than_the_guide_says(installed: Path, name: str) -> None:
    threshold = f"--threshold={EXPOSURE.get(name, 12)}"
    command = [
        "systemd-analyze",
        "security",
        "--offline=true",
        "--no-pager",
        threshold,
        str(installed / name),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout.splitlines()[-1]
