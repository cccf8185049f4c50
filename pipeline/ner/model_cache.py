"""Models made once and kept: `$XDG_CACHE_HOME/nightshift/models`, each there whole or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from pipeline.errors import RunError


def cached(name: str, fill: Callable[[Path], None]) -> Path:
    """Return the folder `name` of the cache; `fill` writes its files when it is not there yet.

    It is filled beside its place and renamed; of several processes the first wins. Raises `RunError`
    (`cache_unwritable`) when the cache can't be written, and what `fill` raises.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "nightshift", "models")
    target = cache / name
    if target.is_dir():
        return target
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f"{name}.", dir=cache, ignore_cleanup_errors=True) as draft:
            fill(Path(draft))
            _publish(Path(draft), target)
    except OSError as error:
        raise RunError(
            f"The model cache {cache} can't be written ({error.strerror or error}): "
            "set XDG_CACHE_HOME to a folder that can be.",
            code="cache_unwritable",
        ) from error
    return target


def _publish(draft: Path, target: Path) -> None:
    """Move a finished draft to its place; another process that got there first made the same."""
    for file in draft.rglob("*"):
        if file.is_file():
            with file.open("rb") as handle:
                os.fsync(handle.fileno())
    try:
        draft.rename(target)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
