"""The night that a command is about: its store, which must exist, and its run date."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pipeline.errors import NotFound, RunError, UsageError

if TYPE_CHECKING:
    from pipeline.night.night import Night
    from pipeline.settings import Settings
    from pipeline.storage import EncryptedStore, Store


_MARGIN = timedelta(days=366)


def open_night(store_url: str | None) -> Night:
    """The night of the store that `--store` or NIGHTSHIFT_STORE_URL names; what the command does there is counted.

    Raises `RunError` (`store_missing`) when there is no such store, `StoreUnavailable` when it does not answer,
    `UsageError` for an invalid setting.
    """
    from pipeline import storage
    from pipeline.ledger import counting
    from pipeline.night.night import Night
    from pipeline.settings import Settings

    night = Night.of(Settings.from_env(store_url=store_url))
    if not storage.exists(night.store):
        raise RunError(
            f"No store found at {night.store.url}: give --store, or set NIGHTSHIFT_STORE_URL "
            "(nightshift submit and nightshift run create a store).",
            code="store_missing",
        )
    counting.start(night.store, night.schedule.run_date)
    return night


def open_store(store_url: str | None) -> EncryptedStore:
    """The store itself, with what is encrypted in it; raises as `open_night` does."""
    from pipeline.storage import EncryptedStore

    store = open_night(store_url).store
    assert isinstance(store, EncryptedStore)
    return store


def run_date(text: str, settings: Settings, store: Store) -> str:
    """A run date (YYYY-MM-DD) from what was typed; `today` and `yesterday` are local dates in NIGHTSHIFT_TIMEZONE.

    Raises `UsageError` for anything else, `NotFound` for `last` where the store has no night.
    """
    word = text.strip().lower()
    if word == "last":
        return last(store)
    if word in ("today", "yesterday"):
        today = datetime.now(ZoneInfo(settings.timezone)).date()
        return (today - timedelta(days=word == "yesterday")).isoformat()
    try:
        day = date.fromisoformat(text.strip())
        if not date.min + _MARGIN < day < date.max - _MARGIN:
            raise ValueError("a night and those next to it must have dates")
        return day.isoformat()
    except ValueError:
        raise UsageError(
            f'"{text}" is not a valid run date; use YYYY-MM-DD, today, yesterday or last.'
        ) from None


def run_date_or_none(text: str | None, night: Night) -> str | None:
    """The run date that a `--run-date` option names; `None` for all nights. Raises what `run_date` raises."""
    return run_date(text, night.settings, night.store) if text else None


def last(store: Store) -> str:
    """The latest run date with results or failures; before the first of them, the latest one with receipts.

    Documents submitted by day are received for the coming night, so receipts alone do not make a night the last.
    Raises `NotFound` where there are none.
    """
    from pipeline.storage import keys

    for prefixes in ((keys.RESULTS, keys.FAILED), (keys.RECEIPTS,)):
        if names := keys.run_dates(name for prefix in prefixes for name in store.folders(prefix)):
            return names[-1]
    raise NotFound(f"{store.url} has no results, failures or receipts of any night yet.")


def known(store: Store) -> list[str]:
    """Run dates of which the store has anything, in order; raises what the store raises."""
    from pipeline.storage import keys

    prefixes = (
        *(keys.RECEIPTS, keys.RESULTS, keys.FAILED, keys.NIGHTS, keys.TIMELINE, keys.REPORTS),
        f"{keys.SUMMARY}documents/",
    )
    return keys.run_dates(name for prefix in prefixes for name in store.folders(prefix))


def tables(store: Store, run_date: str) -> dict[str, str]:
    """Where the tables of a night are, by name: a file, or the folder of those that have several parts."""
    from pipeline.storage import keys
    from pipeline.tables.names import TABLES

    parts = {table: list(store.list(keys.summary_parts(table, run_date))) for table in TABLES}
    return {
        table: f"{store.url}/{found[0].rpartition('/')[0] + '/' if found[1:] else keys.summary(table, run_date)}"
        for table, found in parts.items()
    }
