"""Example texts of the document types: those in this folder, and the user's own.

One file per type, examples separated by a row of dashes, all invented; or one folder per type with one
file per example.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from pipeline.errors import UsageError

_DASHES = re.compile(r"^-{3,}\s*$", re.MULTILINE)


def load(own: str | None) -> dict[str, list[str]]:
    """Examples by type; those of the folder `own` are added, under further types too.

    Raises `UsageError` when `own` can't be read or contains no examples.
    """
    found = _read(Path(__file__).parent)
    for kind, texts in (_own(own) if own else {}).items():
        found.setdefault(kind, []).extend(texts)
    return found


def digest(own: str | None) -> str:
    """Hash of all examples; raises as `load` does."""
    hashed = hashlib.sha256()
    for kind, texts in sorted(load(own).items()):
        for text in (kind, *sorted(texts)):
            hashed.update(f"{len(text)}:{text}".encode())
    return hashed.hexdigest()


def _own(folder: str) -> dict[str, list[str]]:
    try:
        found = _read(Path(folder))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "a file is not UTF-8 text"
        raise UsageError(
            f"The examples in {folder} can't be read ({reason}): name a folder of .txt files in "
            "NIGHTSHIFT_DOCUMENT_TYPES (docs/reference/fields.md)."
        ) from None
    if not found:
        raise UsageError(
            f"NIGHTSHIFT_DOCUMENT_TYPES names {folder}, which contains no examples: add a .txt file, or a "
            "folder of them, for each type (docs/reference/fields.md)."
        )
    return found


def _read(folder: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in sorted(folder.iterdir()):
        files = sorted(path.glob("*.txt")) if path.is_dir() else [path] if path.suffix == ".txt" else []
        texts = [text for file in files for text in _DASHES.split(file.read_text(encoding="utf-8"))]
        if kept := [text for text in texts if text.strip()]:
            found[path.stem] = found.get(path.stem, []) + kept
    return found
