"""Which store and which night a command is about."""

import errno
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pipeline.cli import nights
from pipeline.errors import NotFound, RunError, UsageError
from pipeline.ledger import receipts
from pipeline.models import Task
from pipeline.settings import Settings
from pipeline.storage import exists
from pipeline.storage.local import LocalStore
from tests.unit.cli.conftest import fail

AHEAD = Settings.from_env({}, timezone="Pacific/Kiritimati")
BEHIND = Settings.from_env({}, timezone="Pacific/Pago_Pago")


def test_run_dates(store: LocalStore) -> None:
    for text in ("2026-11-22", " 2026-11-22 "):
        assert nights.run_date(text, AHEAD, store) == "2026-11-22"
    for settings in (AHEAD, BEHIND):
        today = datetime.now(ZoneInfo(settings.timezone)).date().isoformat()
        yesterday = nights.run_date("yesterday", settings, store)
        assert yesterday < nights.run_date("Today", settings, store) == today
    assert nights.run_date("today", AHEAD, store) > nights.run_date("today", BEHIND, store)


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-13-01", "22.11.2026", "../x"])
def test_what_is_no_run_date(text: str, store: LocalStore) -> None:
    with pytest.raises(UsageError) as caught:
        nights.run_date(text, AHEAD, store)
    assert caught.value.message == (
        f'"{text}" is not a valid run date; use YYYY-MM-DD, today, yesterday or last.'
    )


def test_the_last_night_is_the_last_with_records(store: LocalStore) -> None:
    with pytest.raises(NotFound, match="no results, failures or receipts"):
        nights.last(store)
    receipts.write(store, "2026-11-25", [Task(task_id="new", sha256="ab" * 32, source="x")])
    assert nights.last(store) == "2026-11-25"
    fail(store, "a", "2026-11-23")
    fail(store, "b", "2026-11-22")
    assert nights.run_date("last", AHEAD, store) == "2026-11-23", (
        "what was received since is for the next night"
    )


def test_a_store_that_does_not_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTSHIFT_STORE_URL", str(tmp_path / "nowhere"))
    with pytest.raises(RunError) as caught:
        nights.open_night(None)
    assert caught.value.message.startswith(
        f"No store found at file://{tmp_path}/nowhere: give --store, or set NIGHTSHIFT_STORE_URL"
    )
    assert not list(tmp_path.iterdir()), "looking creates nothing"
    assert nights.open_night(str(tmp_path)).store.url == tmp_path.as_uri(), "an empty folder is a store"
    (tmp_path / "file").touch()
    assert not exists(LocalStore(tmp_path / "file"))


def test_a_store_below_a_folder_that_may_not_be_entered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path) -> bool:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_dir", refused)  # root, who may run this, may enter all
    store = LocalStore(tmp_path / "locked" / "out")
    said = f"Can't read the store {tmp_path}/locked/out: Permission denied."
    for look in (lambda: nights.open_night(str(store.root)), store.check):
        with pytest.raises(RunError) as caught:
            look()
        assert caught.value.message == said
