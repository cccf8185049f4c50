"""Free space where documents and temporary files are written."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pipeline.doctor.finding import Finding, fault, ok, warning
from pipeline.settings import Settings
from pipeline.storage.base import Backend
from pipeline.storage.local import LocalStore

_LEAST, _LITTLE, _SHARE = 1 << 30, 5 << 30, 0.05
"""Bytes below which writing fails soon; bytes, and share of the disk, below which it should be looked at."""


def check(settings: Settings, store: Backend) -> Iterator[Finding]:
    """The disks of the store, if it is a folder, and of temporary files."""
    if isinstance(store, LocalStore):
        yield _space("disk store", store.root, "delete old nights (NIGHTSHIFT_KEEP_DAYS), or move the store")
    temporary = Path(settings.temp_dir or tempfile.gettempdir())
    yield _space("disk temporary", temporary, "free it, or set NIGHTSHIFT_TEMP_DIR")


def _space(name: str, place: Path, cure: str) -> Finding:
    there = next((folder for folder in (place, *place.parents) if folder.exists()), Path("/"))
    usage = shutil.disk_usage(there)
    said = f"{usage.free / (1 << 30):.1f} GiB free of {usage.total / (1 << 30):.0f} GiB at {there}."
    if usage.free < _LEAST:
        return fault(name, said, cure)
    if usage.free < _LITTLE or usage.free < _SHARE * usage.total:
        return warning(name, said, cure)
    return ok(name, said)
