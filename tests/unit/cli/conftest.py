"""Commands by Typer's runner: no broker, no process."""

from pathlib import Path
from typing import Any, Protocol

import pytest
from typer.testing import CliRunner, Result

from pipeline.cli import screen
from pipeline.cli.app import app
from pipeline.errors import BrokerUnavailable, OverLimit, PipelineError
from pipeline.ledger import pending, receipts, records
from pipeline.models import Task
from pipeline.storage.local import LocalStore
from tasks import client

DAY = "2026-11-22"


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    def clear_dead(*_: object, **__: object) -> int:
        raise BrokerUnavailable("There is none.")

    monkeypatch.setattr(client, "clear_dead", clear_dead)


class Nightshift(Protocol):
    def __call__(self, *args: object, code: int = 0) -> Result: ...


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> screen.Terminal:
    """The global options' state, fresh."""
    monkeypatch.setattr(screen, "terminal", screen.Terminal())
    return screen.terminal


@pytest.fixture
def nightshift(tmp_path: Path, terminal: screen.Terminal, monkeypatch: pytest.MonkeyPatch) -> Nightshift:
    """Runs a command; its store is `tmp_path/out` unless it names another."""
    monkeypatch.setenv("NIGHTSHIFT_STORE_URL", str(tmp_path / "out"))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")

    def run(*args: object, code: int = 0) -> Result:
        done = CliRunner().invoke(app, [str(arg) for arg in args])
        error: Any = done.exception
        exit_code = error.exit_code if isinstance(error, PipelineError) else done.exit_code
        assert exit_code == code, (done.output, error)
        return done

    return run


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "out")


def fail(store: LocalStore, name: str, day: str = DAY) -> Task:
    """A document that was received and failed with `over_limit`."""
    source = f"file:///inbox/{name}.pdf"
    task = Task(task_id=name, sha256=pending.store_document(store, name.encode()), source=source)
    receipts.write(store, day, [task])
    error = OverLimit(
        f"{name}.pdf has 2417 pages, more than the limit of 2000: split it [or raise the limit]."
    )
    records.fail(store, task, error, run_date=day, settings_digest="")
    return task
