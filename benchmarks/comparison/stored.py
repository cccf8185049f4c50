"""The lines that Nightshift read, from its store."""

from __future__ import annotations

from pathlib import Path

from pipeline.models import DocumentResult, from_json
from pipeline.storage import Store, keys


def lines_of(store: Store) -> dict[str, list[str]]:
    """Name of the source -> lines of all its pages; a document that failed has none."""
    found = {}
    for prefix in (keys.RESULTS, keys.PARTIAL, keys.FAILED):
        for key in store.list(prefix):
            record = from_json(store.get(key), DocumentResult)
            lines = [line.text for page in record.pages for line in page.lines]
            found[Path(record.source).name] = lines
    return found
