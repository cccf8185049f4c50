"""Counters of the backlog and of the night, kept up to date by each process, so that nobody needs to list the store.

Each process that accepts or ends documents adds up what it did and puts it, as a whole, to
`counters/<run date>/<writer>.json` every few seconds and when it ends. The sum of all writers is the state. A process
that is killed loses the last seconds; the recount of housekeeping, which lists the pending markers seldom, puts that
right. Nothing of the ledger depends on them.
"""

from __future__ import annotations

from datetime import datetime

import msgspec


class Amount(msgspec.Struct):
    """Documents, and their pages where these are known."""

    documents: int = 0
    pages: int = 0


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """What is accepted and has not ended, by `<lane>|<kind>`; kind: as of `pipeline.forecast.model.Work`.

    `recounted`: when the markers were last listed (UTC); `as_of`: when the youngest counter was written.
    """

    by: dict[str, Amount]
    recounted: datetime | None
    as_of: datetime | None

    @property
    def documents(self) -> int:
        """All of them."""
        return sum(amount.documents for amount in self.by.values())

    @property
    def pages(self) -> int:
        """Their known pages; a document that was not ingested yet counts none."""
        return sum(amount.pages for amount in self.by.values())
