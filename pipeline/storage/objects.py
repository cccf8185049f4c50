"""Read and validate JSON objects in a store."""

from __future__ import annotations

import msgspec

from pipeline.errors import Damaged, NotFound
from pipeline.models import T, from_json
from pipeline.storage import keys
from pipeline.storage.base import Store


def read(store: Store, key: str, kind: type[T]) -> T:
    """One JSON object; raises `NotFound`, or `Damaged` if it is invalid."""
    try:
        return from_json(store.get(key), kind)
    except msgspec.DecodeError as error:
        raise damaged(store, key, error) from error


def damaged(store: Store, key: str, error: msgspec.DecodeError) -> Damaged:
    """The error for an object that can't be decoded."""
    return Damaged(
        f"The object {key} in {store.url} is damaged ({error}): restore it from a backup, or delete it and "
        "run `nightshift audit RUN_DATE --repair`."
    )


def read_or_none(store: Store, key: str, kind: type[T]) -> T | None:
    """One JSON object; `None` if it is missing or invalid, such as one written by another version, or damaged."""
    try:
        return from_json(store.get(key), kind)
    except (NotFound, Damaged, msgspec.DecodeError):
        return None


def parts(store: Store, table: str, run_date: str) -> list[str]:
    """Keys of all parts of a parquet table of a night, in order; raises `NotFound` before it is written."""
    found = list(store.list(keys.summary_parts(table, run_date)))
    if not found:
        raise NotFound(f"{keys.summary(table, run_date)} not found in {store.url}.")
    return found
