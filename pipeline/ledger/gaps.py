"""The discrepancies that the audit finds."""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal[
    "missing",
    "twice",
    "other_bytes",
    "two_sources",
    "damaged",
    "receipt_missing",
    "receipt_changed",
    "record_missing",
    "record_changed",
    "document_missing",
    "document_changed",
]


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """A discrepancy, of one task where it is known (`task_id`), else of the object that `source` names.

    `missing`: received and found nowhere. `twice`: ended more often than it was received. `other_bytes`: what ended is
    not what was received. `two_sources`: two documents were received under its id, and one of them is found nowhere.
    `damaged`: its record or marker can't be read, or is another one's. `receipt_missing`, `receipt_changed`: something
    names a receipt that is not there, or is not what was written. `record_missing`: the night's tables name a record
    that is not there. `record_changed`: its record is not what was written, or not what the night's tables say.
    `document_missing`: it is pending, and its bytes are not in the store. `document_changed`: its bytes are not those
    that were received.
    """

    kind: Kind
    task_id: str
    source: str
    detail: str
