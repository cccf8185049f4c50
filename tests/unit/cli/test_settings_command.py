"""`nightshift settings`, as it prints on a terminal of 80 columns."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from pipeline.cli.app import app
from pipeline.settings import Settings


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working folder, with a `.env` file that is read."""
    monkeypatch.chdir(tmp_path)
    before = dict(os.environ)
    del os.environ["NIGHTSHIFT_ENV_FILE"]
    yield tmp_path
    os.environ.clear()
    os.environ.update(before)


def settings(*args: str, columns: int = 80, **env: Any) -> Result:
    variables = {f"NIGHTSHIFT_{name}": value for name, value in env.items()}
    result = CliRunner().invoke(app, ["settings", *args], env={"COLUMNS": str(columns), **variables})
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "hush" not in result.output
    return result


def found(*args: str, **env: Any) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(settings("--json", *args, **env).stdout)
    return result


def test_only_changed_settings_are_shown_with_their_origin(folder: Path) -> None:
    (folder / ".env").write_text("NIGHTSHIFT_MAX_PAGES=7\nNIGHTSHIFT_MASK=false\n")
    result = settings(MASK="true", RENDER_DPI="200")
    assert result.exit_code == 0
    rows = [line.split() for line in result.stdout.splitlines() if "NIGHTSHIFT_" in line]
    assert rows == [
        ["NIGHTSHIFT_MAX_PAGES", ".env", "7"],
        ["NIGHTSHIFT_RENDER_DPI", "environment", "200"],
        ["NIGHTSHIFT_MASK", "environment", "true"],
    ]
    assert f".env is {folder / '.env'}" in result.stdout
    assert result.stderr == ""


def test_all_settings_are_shown_on_request() -> None:
    result = settings("--all")
    rows = [line.split() for line in result.stdout.splitlines() if "NIGHTSHIFT_" in line]
    assert len(rows) == len(Settings.__struct_fields__)
    assert ["NIGHTSHIFT_WINDOW", "default", "22:00-06:00"] in rows
    assert ["NIGHTSHIFT_BROKER_URL", "default", "amqp://guest:***@localhost:5672//"] in rows
    assert "confine" in result.stdout or "parsed in a sandbox" in " ".join(result.stdout.split())


def test_all_settings_say_that_the_sandbox_is_off() -> None:
    said = " ".join(settings("--all", SANDBOX="off").stdout.split())
    assert "Documents are parsed by the workers themselves" in said


def test_nothing_changed_is_said_in_a_sentence() -> None:
    assert settings().stdout.startswith("All settings are at their defaults.\n")


def test_secrets_are_hidden(folder: Path) -> None:
    (folder / ".env").write_text("NIGHTSHIFT_FLOWER_PASSWORD=hush\nAWS_SECRET_ACCESS_KEY=hush\n")
    env: dict[str, Any] = {"CALLBACK_SECRET": "hush", "BROKER_URL": "amqps://night:hush@broker:5671/v"}
    for args in ([], ["--all"], ["--json"]):
        output = settings(*args, **env).stdout
        assert output.count("(set)") == 2
        assert "amqps://night:***@broker:5671/v" in output


@pytest.mark.parametrize("columns", [40, 80])
def test_long_values_fold_and_are_never_cut(columns: int) -> None:
    value = ",".join(f"s3://bucket-{n}/inbox" for n in range(20))
    output = settings(columns=columns, ALLOWED_SOURCES=value).stdout
    words = "".join(output.split())
    assert "NIGHTSHIFT_ALLOWED_SOURCES" in words
    assert value in words.replace("NIGHTSHIFT_ALLOWED_SOURCES", "").replace("environment", "")
    assert columns == 40 or max(map(len, output.splitlines())) <= columns


def test_all_errors_are_named_and_the_others_shown(folder: Path) -> None:
    (folder / ".env").write_text("NIGHTSHIFT_MAX_PAGES=many\nNIGHTSHIFT_PAGE_GROUP=4\nnot a line\n")
    result = settings(WINDOW="22-6", WINDOWW="x", ALLOWED_CALLBACKS="s3://inbox/", RENDER_DPI="150")
    assert result.exit_code == 2
    said = result.stderr.splitlines()
    assert len(said) == 5
    assert all(line.startswith("nightshift: ") for line in said)
    for part in (
        f"{folder / '.env'}, line 3: expected NAME=value",
        "Unknown setting NIGHTSHIFT_WINDOWW: did you mean NIGHTSHIFT_WINDOW?",
        f'Invalid setting NIGHTSHIFT_MAX_PAGES="many" in {folder / ".env"}: expected an integer',
        "Invalid setting NIGHTSHIFT_WINDOW: '22-6' ",
        "NIGHTSHIFT_ALLOWED_CALLBACKS: callbacks ",
    ):
        assert part in result.stderr
    shown = [line.split()[0] for line in result.stdout.splitlines() if line.lstrip().startswith("NIGHTSHIFT")]
    assert shown == ["NIGHTSHIFT_RENDER_DPI", "NIGHTSHIFT_PAGE_GROUP"]


def test_with_errors_only_the_others_are_at_their_defaults() -> None:
    result = settings(MASK="x")
    assert result.exit_code == 2
    assert result.stdout.startswith("All other settings are at their defaults.\n")


def test_json_for_programs(folder: Path) -> None:
    assert found(MASK="false") == {
        "env_file": "",
        "settings": [{"name": "NIGHTSHIFT_MASK", "value": "false", "origin": "environment"}],
        "problems": [],
    }
    (folder / "night.env").write_text("NIGHTSHIFT_MAX_PAGES=7\n")
    path = str(folder / "night.env")
    said = found(ALLOW_PRIVATE_HOSTS="x", ENV_FILE="night.env")
    assert said["env_file"] == path
    assert said["settings"] == [{"name": "NIGHTSHIFT_MAX_PAGES", "value": "7", "origin": path}]
    assert said["problems"] == ['Invalid setting NIGHTSHIFT_ALLOW_PRIVATE_HOSTS="x": expected true or false.']
    assert len(found("--all")["settings"]) == len(Settings.__struct_fields__)


def test_another_command_ends_with_the_sentence_and_exit_code_2() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "window"],
        env={**os.environ, "NIGHTSHIFT_WINDOWW": "never"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "nightshift: Unknown setting NIGHTSHIFT_WINDOWW: did you mean NIGHTSHIFT_WINDOW?\n"


def test_every_file_of_tls_that_cannot_be_used_is_named(folder: Path) -> None:
    (folder / "a.crt").write_text("no certificate")
    said = found(BROKER_CA="gone.pem", HTTP_CERT="a.crt", HTTP_KEY="gone.key", S3_KEY="a.key")["problems"]
    assert said == [
        'Invalid setting NIGHTSHIFT_BROKER_CA="gone.pem": expected a readable PEM file; No such file or directory.',
        'Invalid setting NIGHTSHIFT_S3_KEY="a.key": expected a readable PEM file; No such file or directory.',
        'Invalid setting NIGHTSHIFT_HTTP_KEY="gone.key": expected a readable PEM file; No such file or directory.',
    ]
