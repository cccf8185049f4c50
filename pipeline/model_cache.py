"""Cache of converted models: `$XDG_CACHE_HOME/nightshift/models`, each written atomically."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from pipeline.errors import RunError


def folder() -> Path:
    """Where the cache is, whether it exists or not."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "nightshift", "models")


def cached(name: str, fill: Callable[[Path], object]) -> Path:
    """Return the folder `name` of the cache; `fill` writes its files if it does not exist yet.

    It is filled under a temporary name, then renamed; if several processes do so, the first wins. Raises
    `RunError` (`cache_unwritable`) if the cache can't be written, and what `fill` raises.
    """
    cache = folder()
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
            "set XDG_CACHE_HOME to a writable folder.",
            code="cache_unwritable",
        ) from error
    return target


def _publish(draft: Path, target: Path) -> None:
    """Rename a finished draft; if another process was first, its copy is identical."""
    for file in draft.rglob("*"):
        if file.is_file():
            with file.open("rb") as handle:
                os.fsync(handle.fileno())
    try:
        draft.rename(target)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
