"""Failures that an operator has discarded: a decision that no process takes back, however late it records the failure.

Who discards a failure replaces its record, then leaves a note. A process that was paused while it recorded the same
failure looks for the note after it has written; who discards looks again at the record after the note was written. So
one of the two sees the other.
"""

from __future__ import annotations

from msgspec import structs

from pipeline.ledger import digests
from pipeline.models import DocumentResult, Failure
from pipeline.storage import Store, keys

DISCARDED = "discarded"
"""Code of a failure that an operator has discarded."""


def of(record: DocumentResult, reason: str = "") -> DocumentResult:
    """The record of a failure once it is discarded; one that is keeps its sentence."""
    error = record.error
    if error and error.code == DISCARDED:
        return record
    was = f"It had failed with {error.code}: {error.message}" if error else "It had failed."
    why = f"Discarded by the operator ({reason})." if reason else "Discarded by the operator."
    return structs.replace(record, error=Failure(code=DISCARDED, message=f"{why} {was}"))


def keep(store: Store, key: str, record: DocumentResult) -> None:
    """Discard a failure again that was just written under this key, if it was discarded before."""
    if store.exists(keys.discarded(key)):
        store.put(key, digests.encode(of(record)))
