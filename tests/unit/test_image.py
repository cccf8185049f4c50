"""The Dockerfile agrees with the code, as far as that shows without an engine; what it copies does what it says."""

import configparser
import hashlib
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from pipeline.settings import PREFIX, Settings
from tests.conftest import ROOT
from tests.support.command_lines import parse
from tests.support.docker_files import DOCKER, OURS, instructions, stages

TEXT = (DOCKER / "Dockerfile").read_text()
LINES = [" ".join(words) for words in instructions()]
IGNORE = (DOCKER / "Dockerfile.dockerignore").read_text().splitlines()


def copied() -> set[str]:
    """What the Dockerfile copies out of the repository."""
    return {w for words in instructions() if words[0] == "COPY" for w in _sources(words)}


def _sources(words: list[str]) -> list[str]:
    plain = [word for word in words[1:-1] if not word.startswith("--chmod=")]
    return [] if any(word.startswith("--from=") for word in plain) else plain


def after(stage: str) -> list[str]:
    """The instructions of a stage."""
    (start,) = [n for n, line in enumerate(LINES) if line.endswith(f" AS {stage}")]
    end = next((n for n in range(start + 1, len(LINES)) if LINES[n].startswith("FROM ")), len(LINES))
    return LINES[start + 1 : end]


def test_every_name_is_a_setting() -> None:
    assert set(re.findall(rf"{PREFIX}[A-Z0-9_]+", TEXT)) <= {
        PREFIX + n.upper() for n in Settings.__struct_fields__
    }


def test_one_image_comes_from_outside_and_can_be_pinned() -> None:
    assert {source for source in stages().values() if source not in stages()} == {"${BASE}"}
    assert LINES[0] == "ARG BASE=python:3.11-slim-bookworm"


def test_both_targets_end_as_an_ordinary_user() -> None:
    assert stages()["cpu"] == stages()["gpu"] == "run"
    assert "USER 10001:10001" in after("run")
    assert not any(line.startswith("USER") for stage in ("cpu", "gpu") for line in after(stage))
    assert {service["user"] for service in OURS.values()} == {"10001:10001"}


def test_the_packages_are_a_layer_of_their_own() -> None:
    for target in ("cpu", "gpu"):
        first, second = [line for line in after(target) if line.startswith("COPY")]
        assert first == f"COPY --from=packages-{target} /opt/nightshift /opt/nightshift"
        assert second == "COPY --from=app /app/ /"


def test_writable_folders_belong_to_the_user() -> None:
    text = " ".join(after("base"))
    owned, open_to_all = (
        re.search(rf"install -d -o nightshift -g nightshift {mode}((/\S+ ?)+)", text)
        for mode in ("", "-m 1777 ")
    )
    assert owned is not None
    assert open_to_all is not None
    for service in OURS.values():
        for volume in service.get("volumes", []):
            source, target = volume.split(":")[:2]
            if source.isalpha():
                made = {*owned[1].split(), *open_to_all[1].split()}
                assert target in made, "a volume over a folder of root could not be written"
        mounted = {line.partition(":")[0] for line in service["tmpfs"]} - {"/tmp"}
        assert mounted <= set(open_to_all[1].split()), "runc gives a tmpfs the mode of the folder below"
    environment = " ".join(line for line in after("run") if line.startswith("ENV"))
    for cache in re.findall(r"=(/var/\S+)", environment):
        assert any(f"{cache}/".startswith(f"{folder}/") for folder in open_to_all[1].split()), cache


def test_the_default_command_can_be_parsed() -> None:
    (command,) = [line for line in after("run") if line.startswith("CMD")]
    parse(re.findall(r'"([^"]+)"', command))


def test_an_sbom_is_in_each_image() -> None:
    (label,) = re.findall(r'nightshift.sbom="(\S+)"', TEXT)
    for stage in ("packages-cpu", "packages-gpu"):
        assert f"-o {label} " in " ".join(after(stage))


def test_what_is_copied_exists_and_is_let_through() -> None:
    assert {"pipeline", "tasks", "celeryconfig.py"} <= copied()
    for name in copied():
        assert (ROOT / name).exists(), name
        assert f"!{name}" in IGNORE, name
    assert {line[1:] for line in IGNORE if line.startswith("!")} == copied()
    for words in instructions():
        if words[0] == "COPY" and words[1].startswith("--from="):
            assert words[1].removeprefix("--from=") in stages()


def test_all_that_the_package_is_made_of_is_copied() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    about = setup["metadata"]
    assert {about["long_description"].removeprefix("file: "), *about["license_files"].split()} <= copied()


def test_gpu_builds_of_paddle_come_from_the_index_that_the_builder_names() -> None:
    gpu = after("packages-gpu")
    assert "ARG PADDLE_INDEX" in gpu, "without a default"
    pins = (ROOT / "constraints.txt").read_text()
    (version,) = re.findall(r"ARG PADDLE_GPU_VERSION=(\S+)", "\n".join(gpu))
    assert f"paddlepaddle=={version}\n" in pins
    assert re.search(r"^onnxruntime==", pins, flags=re.MULTILINE), (
        "from which that of the GPU has its version"
    )


# What the images start with.


def start(*command: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the entry point with `celery` and `nightshift` replaced by `echo`."""
    for name in ("celery", "nightshift"):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to("/bin/echo")
    environ |= {"PATH": f"{folder}:{os.environ['PATH']}"}
    script = [str(DOCKER / "entrypoint.sh"), *command]
    return subprocess.run(
        script, env=environ, cwd=folder, capture_output=True, text=True, timeout=20, check=False
    )


BROKER, STORE = {"NIGHTSHIFT_BROKER_URL": "amqp://b"}, {"NIGHTSHIFT_STORE_URL": "s3://s"}


@pytest.mark.parametrize(
    ("command", "environ", "missing"),
    [
        ("celery -A tasks worker", {}, "NIGHTSHIFT_BROKER_URL and NIGHTSHIFT_STORE_URL"),
        ("celery -A tasks worker", BROKER, "NIGHTSHIFT_STORE_URL"),
        ("celery -A tasks beat --pidfile=", STORE, "NIGHTSHIFT_BROKER_URL"),
        ("celery -A tasks flower", {}, "NIGHTSHIFT_BROKER_URL"),
        ("nightshift exporter", BROKER, "NIGHTSHIFT_STORE_URL"),
    ],
)
def test_a_service_without_settings_ends_with_one_sentence(
    tmp_path: Path, command: str, environ: dict[str, str], missing: str
) -> None:
    done = start(*command.split(), folder=tmp_path, **environ)
    assert done.returncode == 2
    assert done.stderr.startswith(f"nightshift: this container needs {missing} in its environment")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["celery -A tasks worker", "nightshift run /in", "nightshift exporter"])
def test_a_service_with_settings_starts(tmp_path: Path, command: str) -> None:
    given: dict[str, str] = {} if "run" in command else {**BROKER, **STORE}
    done = start(*command.split(), folder=tmp_path, **given)
    assert (done.returncode, done.stdout) == (0, command.partition(" ")[2] + "\n")


def test_settings_may_be_in_a_file(tmp_path: Path) -> None:
    assert start("celery", "-A", "tasks", "beat", folder=tmp_path, NIGHTSHIFT_ENV_FILE="/x").returncode == 0


# Models that are fetched while an image is built.


def fetch(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, DOCKER / "fetch-models.py", *arguments]
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=30, check=False
    )


def test_models_are_fetched_if_they_are_those_that_were_named(tmp_path: Path) -> None:
    (tmp_path / "det").mkdir()
    (tmp_path / "det" / "inference.yml").write_text("det")
    archive = tmp_path / "models.tar.gz"
    with tarfile.open(archive, "w:gz") as made:
        made.add(tmp_path / "det", "det")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    done = fetch(tmp_path / "models", archive.as_uri(), digest)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "models" / "det" / "inference.yml").read_text() == "det"


@pytest.mark.parametrize(
    ("digest", "sentence"),
    [("", "MODELS_URL needs MODELS_SHA256"), ("0" * 64, "has the SHA-256"), ("x", "needs MODELS_SHA256")],
)
def test_other_models_end_the_build(tmp_path: Path, digest: str, sentence: str) -> None:
    (tmp_path / "a").write_text("not an archive")
    done = fetch(tmp_path / "models", (tmp_path / "a").as_uri(), digest)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


def test_without_models_the_folder_is_empty(tmp_path: Path) -> None:
    assert fetch(tmp_path / "models", "", "").returncode == 0
    assert list((tmp_path / "models").iterdir()) == []
