"""Read and validate JSON objects in a store."""

from __future__ import annotations

import msgspec

from pipeline.errors import Damaged, Newer, NotFound
from pipeline.models import NewerSchema, T, from_json
from pipeline.storage import keys
from pipeline.storage.base import Store


def read(store: Store, key: str, kind: type[T]) -> T:
    """One JSON object; raises `NotFound`, `Newer` if a later version wrote it, or `Damaged` if it is invalid."""
    try:
        return from_json(store.get(key), kind)
    except NewerSchema as error:
        raise newer(store, key, error) from error
    except msgspec.DecodeError as error:
        raise damaged(store, key, error) from error


def damaged(store: Store, key: str, error: msgspec.DecodeError) -> Damaged:
    """The error for an object that can't be decoded."""
    return Damaged(
        f"The object {key} in {store.url} is damaged ({error}): restore it from a backup, or delete it and "
        "run `nightshift audit RUN_DATE --repair`."
    )


def newer(store: Store, key: str, error: msgspec.DecodeError) -> Newer:
    """The error for an object that only a later version of Nightshift can read."""
    return Newer(
        f"The object {key} in {store.url} was written by a later version of Nightshift ({error}): upgrade this "
        "installation."
    )


def read_or_none(store: Store, key: str, kind: type[T]) -> T | None:
    """One JSON object; `None` if it is missing or damaged.

    Raises `Newer`: who took what a later version wrote for missing would replace it.
    """
    try:
        return from_json(store.get(key), kind)
    except NewerSchema as error:
        raise newer(store, key, error) from error
    except (NotFound, Damaged, msgspec.DecodeError):
        return None


def parts(store: Store, table: str, run_date: str) -> list[str]:
    """Keys of all parts of a parquet table of a night, in order; raises `NotFound` before it is written."""
    found = list(store.list(keys.summary_parts(table, run_date)))
    if not found:
        raise NotFound(f"{keys.summary(table, run_date)} not found in {store.url}.")
    return found
