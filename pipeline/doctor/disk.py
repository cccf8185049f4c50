"""Free space where documents and temporary files are written."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pipeline import model_cache
from pipeline.doctor.finding import Finding, fault, ok, warning
from pipeline.settings import Settings
from pipeline.storage.base import Backend
from pipeline.storage.local import LocalStore

_LEAST, _LITTLE, _SHARE = 1 << 30, 5 << 30, 0.05
"""Bytes below which writing fails soon; bytes, and share of the disk, below which it should be looked at."""


def check(settings: Settings, store: Backend) -> Iterator[Finding]:
    """The disks of the store, if it is a folder, of temporary files, and of the model cache."""
    if isinstance(store, LocalStore):
        yield _space("disk store", store.root, "delete old nights (NIGHTSHIFT_KEEP_DAYS), or move the store")
    temporary = Path(settings.temp_dir or tempfile.gettempdir())
    yield _space("disk temporary", temporary, "free it, or set NIGHTSHIFT_TEMP_DIR")
    yield _model_cache(model_cache.folder())


def _space(name: str, place: Path, cure: str) -> Finding:
    there = _existing(place)
    usage = shutil.disk_usage(there)
    said = f"{usage.free / (1 << 30):.1f} GiB free of {usage.total / (1 << 30):.0f} GiB at {there}."
    if usage.free < _LEAST:
        return fault(name, said, cure)
    if usage.free < _LITTLE or usage.free < _SHARE * usage.total:
        return warning(name, said, cure)
    return ok(name, said)


def _model_cache(place: Path) -> Finding:
    """An image may bring its models in a cache that is never written."""
    there = _existing(place)
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return ok("disk model cache", f"{place} can be written.")
    if place.is_dir() and any(place.iterdir()):
        return ok("disk model cache", f"{place} has models, and can't be written.")
    said = f"{place} can't be written, so models that are not in it can't be prepared."
    return warning("disk model cache", said, "set XDG_CACHE_HOME to a folder that this user can write")


def _existing(place: Path) -> Path:
    """What is there at this path, or the nearest folder above it."""
    return next((folder for folder in (place, *place.parents) if folder.exists()), Path("/"))
