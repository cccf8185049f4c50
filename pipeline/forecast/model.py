"""What a forecast is made from, and what it says. Nothing here reads a clock, a store or a setting."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """Work of one kind that is left.

    `kind`: what decides how long a page takes: `ocr` (scans, pictures), `text` (text layers, office files, plain
    text), `unknown` (not ingested). `lane`: urgent, normal, backfill. `pages`: 0 where they are not known yet.
    """

    lane: str
    kind: str
    documents: int
    pages: int


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How long a page of a kind takes one process: mean and standard deviation of seconds a page, of `pages` pages.

    `pages_each`: mean pages of a document, for documents whose pages are not known. `overhead`: seconds a document that
    do not depend on its pages.
    """

    kind: str
    mean: float
    deviation: float
    pages: int
    pages_each: float = 1.0
    overhead: float = 0.0


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """When the backlog is done, and what is left when the window closes next; times are UTC.

    `p50`, `p90`: done by then with a probability of one half, of nine tenths; `None`: not within a year, or nothing is
    known yet. `close`: when the window that is open, or opens next, closes. `left_p50`, `left_p90`: documents left at
    that time. `nights`: windows needed, at the present inflow if `inflow` (documents a day) is more than 0; `None`
    where it will never be done. `pages_a_second`: of all processes together. `basis`: one sentence: from what.
    """

    at: datetime
    documents: int
    pages: int
    p50: datetime | None
    p90: datetime | None
    close: datetime | None
    left_p50: int
    left_p90: int
    nights: int | None
    inflow: float
    pages_a_second: float
    basis: str
