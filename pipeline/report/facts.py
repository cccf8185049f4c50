"""What the morning report says, as data: the content of `report.json`. Gathering fills it, rendering shows it.

All texts in it are masked by the policy in force. Times are UTC; shares are 0 to 1; money is in `Cost.currency`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from pipeline.ledger.timeline import Sample

REPORT_VERSION = 1

Word = Literal["done", "left", "stopped", "running", "empty"]
"""How the night went. `running`: its window is still open."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The one sentence: `sentences` by language (`en`, `zh`)."""

    word: Word
    sentences: dict[str, str]


class Nightly(msgspec.Struct, frozen=True, kw_only=True):
    """One number with the same number of up to seven nights before, oldest first (`None`: no such night)."""

    name: Literal["received", "done", "unwell", "left", "review"]
    value: int
    before: tuple[int | None, ...]


class AuditLine(msgspec.Struct, frozen=True, kw_only=True):
    """The counts of `nightshift audit RUN_DATE --json --quick`, as there, and its discrepancies by kind.

    `unread`: records that were taken from the night's tables instead of being read; `None` in older reports.
    """

    received: int
    done: int
    partial: int
    failed: int
    pending: int
    forgotten: int
    discrepancies: dict[str, int]
    unread: int | None = None


class Todo(msgspec.Struct, frozen=True, kw_only=True):
    """Something a person should do now. `what`: failures, callbacks, stale_models, workers, brake, dead, discrepancies.

    `code` and `example`: of failures. `command`: what to type; empty where there is no command.
    """

    what: str
    count: int
    sentences: dict[str, str]
    code: str = ""
    example: str = ""
    command: str = ""


class StepTime(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds a page of one step: median and 95th percentile over documents."""

    step: str
    median: float
    p95: float


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """Documents of one value of a dimension tonight, and their mean over the nights before (`None`: none known)."""

    name: str
    value: int
    before: float | None


class Confidence(msgspec.Struct, frozen=True, kw_only=True):
    """How sure the fields are: counts in 20 equal bins of 0 to 1, tonight and the nights before together.

    `threshold`: below it a field needs review. `drift`: population stability index between both; `None`: no nights.
    """

    tonight: tuple[int, ...]
    before: tuple[int, ...]
    threshold: float
    drift: float | None


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """One field to look at: `picture` is a PNG as base64, or empty where the policy or the paper allow none."""

    task_id: str
    source: str
    field: str
    value: str
    confidence: float
    reason: str
    page: int
    picture: str = ""


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """One document of a small night; `picture`: a small picture of its first page, as PNG in base64, or empty."""

    task_id: str
    source: str
    status: str
    document_type: str
    pages: int
    confidence: float | None
    error: str = ""
    picture: str = ""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Documents of a large night that are alike."""

    document_type: str
    media_type: str
    tenant: str
    documents: int
    pages: int
    unwell: int


class CloudPrice(msgspec.Struct, frozen=True, kw_only=True):
    """A published price: per 1,000 pages, with the day on which it was read."""

    name: str
    price: float
    currency: str
    as_of: str


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """Device seconds of the night; money per 1,000 pages where a price of an hour is set (else `None`)."""

    device_seconds: float
    pages: int
    price_an_hour: float | None
    per_1000_pages: float | None
    currency: str
    clouds: tuple[CloudPrice, ...] = ()


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The report of one night, in the order in which it is shown.

    `opened`, `closed`: the window of the night; `closed` is `None` while it is open or never closes. `samples`: the
    course of the night. `outages`: begin, end, sentence. `device_share`: busy seconds over process seconds inside the
    window. `released`: seconds after close until the models were gone, by worker. `kinds`, `tenants`, `media`: what
    came. `documents`: of a night of at most 50; `groups`: else, at most 20. `conditions`: models, versions, settings,
    hosts: name -> value. `masked`: the policy. `due`: documents with a deadline that ended; `late`: those of
    them that ended after it.
    """

    run_date: str
    made: datetime
    timezone: str
    store: str
    verdict: Verdict
    numbers: tuple[Nightly, ...]
    audit: AuditLine
    todo: tuple[Todo, ...]
    opened: datetime | None
    closed: datetime | None
    samples: tuple[Sample, ...]
    outages: tuple[tuple[datetime, datetime, str], ...]
    steps: tuple[StepTime, ...]
    device_share: float | None
    released: dict[str, float]
    kinds: tuple[Share, ...]
    tenants: tuple[Share, ...]
    media: tuple[Share, ...]
    confidence: Confidence
    looks: tuple[Look, ...]
    documents: tuple[Document, ...]
    groups: tuple[Group, ...]
    cost: Cost
    conditions: dict[str, str]
    masked: str
    due: int = 0
    late: int = 0
    report_version: int = REPORT_VERSION
