"""JSON objects in a store: read, checked, and reported as damaged in one sentence."""

from __future__ import annotations

import msgspec

from pipeline.errors import Damaged, NotFound
from pipeline.models import T, from_json
from pipeline.storage.base import Store


def read(store: Store, key: str, kind: type[T]) -> T:
    """One JSON object; raises `NotFound`, or `Damaged` when it can't be read."""
    try:
        return from_json(store.get(key), kind)
    except msgspec.DecodeError as error:
        raise Damaged(
            f"The object {key} in {store.url} is damaged ({error}): restore it from a backup, or delete it and "
            "give `nightshift audit RUN_DATE --repair`."
        ) from error


def read_or_none(store: Store, key: str, kind: type[T]) -> T | None:
    """One JSON object; `None` where there is none, or one that can't be read, as another version wrote it."""
    try:
        return from_json(store.get(key), kind)
    except (NotFound, msgspec.DecodeError):
        return None
