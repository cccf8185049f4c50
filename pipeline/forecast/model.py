"""What a forecast is made from, and what it says. Nothing here reads a clock, a store or a setting."""

from __future__ import annotations

from datetime import datetime

import msgspec

TEXT = "text"
"""Kind of what has its text already; see `Work`."""

UNKNOWN = "unknown"
"""Kind of a document that is not ingested yet."""


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

    `deviation`: between documents, the pages of one document being alike. `uncertainty`: relative standard deviation
    of the mean itself, as far as it is known for tonight. `pages_each`, `pages_deviation`: mean and standard deviation
    of the pages of a document, for documents whose pages are not known. `overhead`: seconds a document that do not
    depend on its pages.
    """

    kind: str
    mean: float
    deviation: float
    pages: int
    pages_each: float = 1.0
    pages_deviation: float = 0.0
    uncertainty: float = 0.0
    overhead: float = 0.0

    @property
    def pages_of_page(self) -> float:
        """Mean pages of the document that a page belongs to: more than of a document, as long ones have more pages."""
        return self.pages_each + self.pages_deviation**2 / self.pages_each


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the speed: a pace by kind, and how many processes work at once, effectively.

    `processes`: measured seconds of work in a second of an open window with work waiting, so that waiting for the
    store and the like is included; `uncertainty`: its relative standard deviation. `outages_an_hour`, `outage`: how
    often work stops for longer, per hour of work, and for how many seconds in the mean. `measured`: whether anything
    was; `basis`: one sentence: from what. `first`: seconds of work a night that were served before what had waited
    longer. `errors`: of past forecasts (`pipeline.forecast.errors`).
    """

    paces: tuple[Pace, ...]
    processes: float
    uncertainty: float
    outages_an_hour: float
    outage: float
    measured: bool
    basis: str
    first: float = 0.0
    errors: tuple[float, ...] = ()

    def pace(self, kind: str) -> Pace:
        """The pace of a kind; for one that was never measured, and for unknown documents, that of all together."""
        return next((p for p in self.paces if p.kind == kind), self.paces[0])


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """When the backlog is done, and what is left when the window closes next; times are UTC.

    `p50`, `p90`: done by then with a probability of one half, of nine tenths; `None`: not within a year, or nothing is
    known yet. `close`: when the window that is open, or opens next, closes. `left_p50`, `left_p90`: documents left at
    that time. `nights`: windows needed, at the present inflow if `inflow` (documents a day) is more than 0; `None`
    where it will never be done. `pages_a_second`: of all processes together. `basis`: one sentence: from what.
    `spread`: of the open time that is needed, the logarithm of its ninth decile by its median, before past errors.
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
    spread: float = 0.0


def kind_of(media_type: str | None) -> str:
    """Kind of a document by its media type, which is `None` until it is ingested. A PDF counts as `ocr`."""
    if media_type is None:
        return UNKNOWN
    return "ocr" if media_type == "application/pdf" or media_type.startswith("image/") else TEXT
