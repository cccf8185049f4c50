"""The domain model as immutable structs with JSON encoding and decoding (msgspec).

Coordinates are pixels of the *upright* page image: the page as `pipeline.documents` renders it, rotated
clockwise by `Page.rotation`. Spans are half-open character offsets into `Page.text`.
"""

from __future__ import annotations

from datetime import date, datetime
from threading import Lock
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

SCHEMA_VERSION = 4

Point = tuple[float, float]
Box = tuple[Point, Point, Point, Point]
"""Four corners in pixels: clockwise from the corner where the text begins."""

TEXT = "text/plain"
"""Media type of a document submitted as text: it has no page image and needs no OCR."""

REVIEW = 0.8
"""Fields below this confidence should be looked at by a person, ..."""
HINTS = frozenset({"no_label", "no_sum", "tip_open", "low_ocr"})
"""... and those with a failed check; these are none: they only lower the confidence."""

NOT_OVERRIDDEN = frozenset({"ocr_server_token", "ocr_servers"})
"""Settings that no task may have of its own: a secret would be stored, and pages sent to any server."""

Hash = Annotated[str, Meta(pattern=r"^[0-9a-f]{8,64}$")]
"""SHA-256 of a document in hex, or the beginning of one; checked where it is read from a store."""

T = TypeVar("T")
Rotation = Literal[0, 90, 180, 270]


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The model that produced a result. `digest` covers the weights and every setting that changes output."""

    engine: str
    name: str
    digest: str


class TextLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of text, with its position on the page and in the page's text."""

    text: str
    box: Box
    confidence: float
    start: int = 0

    @property
    def end(self) -> int:
        """Offset just after the line's last character in the page's text."""
        return self.start + len(self.text)


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a document or a page could not be read: a code for machines, one sentence for people."""

    code: str
    message: str


class PageLocale(msgspec.Struct, frozen=True, kw_only=True):
    """How numbers, dates and amounts are written on a page; `None` where the page does not tell.

    `languages`: ISO 639-1, the most evident first. `decimal`: `.` or `,`. `grouping`: the mark between
    thousands, one of `,` `.` `'` and a space. `date_order`: order of day, month and year in numeric dates. `currency`:
    ISO 4217, of amounts without a sign of their own and of signs that several currencies share. `country`: ISO 3166.
    """

    languages: tuple[str, ...] = ()
    decimal: str | None = None
    grouping: str | None = None
    date_order: Literal["dmy", "mdy", "ymd"] | None = None
    currency: str | None = None
    country: str | None = None


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """Something on a page that is made for machines: a barcode, or the XML invoice attached to a PDF (on page 1).

    `kind`: `qr`, `barcode` or `xml`. `text`: what it says. `box`: its place, `None` for an attachment.
    """

    kind: str
    text: str
    box: Box | None = None


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One processed page. `lines` are in reading order; `text` joins them (see `pipeline.documents.layout`).

    `text_from` (`source` in JSON): where its text comes from; `mixed`: the native text layer, and OCR of the parts that
    the layer does not cover. `regions_found`: parts of the page that were seen to hold text (detected text regions,
    pictures, stamps); `regions_unread`: those of them that could not be read; `parts_missing`: those of these that
    can't even be shown, such as a picture that ends early. `warnings`: one sentence each about what was left out or is
    in doubt. `error`: why the page could not be read at all; it has no lines then. `locale`: set with the entities.
    `seconds`: how long it took, without waiting for others; `gpu_seconds`: for how many of these a GPU computed.
    """

    number: int
    width: int
    height: int
    rotation: Rotation = 0
    text_from: Literal["ocr", "text_layer", "mixed"] = msgspec.field(default="ocr", name="source")
    text: str = ""
    lines: tuple[TextLine, ...] = ()
    regions_found: int = 0
    regions_unread: int = 0
    parts_missing: int = 0
    warnings: tuple[str, ...] = ()
    error: Failure | None = None
    seconds: float = 0.0
    gpu_seconds: float = 0.0
    locale: PageLocale | None = None
    codes: tuple[Code, ...] = ()

    @property
    def confidence(self) -> float | None:
        """Mean line confidence weighted by length, `None` for a page without text."""
        size = sum(len(line.text) for line in self.lines)
        if not size:
            return None
        return sum(line.confidence * len(line.text) for line in self.lines) / size


class Mention(msgspec.Struct, frozen=True, kw_only=True):
    """An entity found by a NER engine in one text: a typed span, its normalised value, confidence and model.

    `other`: the value of the other reading of an ambiguous mention, such as 2018-04-03 for 03/04/2018. An engine may
    leave `model` and `model_digest` empty: `pipeline.ner.load` fills in its `info`.
    """

    type: str
    start: int
    end: int
    confidence: float
    value: str | None = None
    currency: str | None = None
    engine: str = ""
    model: str = ""
    model_digest: str = ""
    other: str | None = None


class Entity(msgspec.Struct, frozen=True, kw_only=True):
    """A mention located on its page: text, span, and one box per line it touches."""

    page: int
    type: str
    text: str
    value: str | None
    currency: str | None
    confidence: float
    start: int
    end: int
    boxes: tuple[Box, ...]
    engine: str
    model: str = ""
    model_digest: str = ""
    other: str | None = None


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of key information. `value` is `None` if not found, or with too low confidence.

    `value`: ISO date, plain decimal, or text with compatibility forms and white space normalised. `text`, `boxes`
    (one per line it touches, pixels) and the span `start:end` locate it; a span interrupted by other text is
    `None`. `other`: the value of another reading. `checks`: codes of what was checked and failed or is in doubt
    (docs/reference/fields.md). `source`: `page`, or the `xml` or `qr` that gave the value. `verified`: two
    sources agree on it.
    """

    name: str
    value: str | None = None
    text: str = ""
    confidence: float = 0.0
    page: int | None = None
    boxes: tuple[Box, ...] = ()
    start: int | None = None
    end: int | None = None
    currency: str | None = None
    other: str | None = None
    checks: tuple[str, ...] = ()
    source: str = "page"
    verified: bool = False

    @property
    def needs_review(self) -> bool:
        """Whether a person should look at it: it has a value, and a check failed or its confidence is low."""
        return self.value is not None and not self.verified and (self.confidence < REVIEW or self.failed)

    @property
    def failed(self) -> bool:
        """Whether a check failed, hints apart."""
        return not HINTS.issuperset(self.checks)


class LineItem(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a table of items or transactions; `None` where the table has no such column.

    Numbers are plain decimals, `date` is ISO, `tax_rate` is in per cent. `amount`: of a statement, negative where
    money leaves the account. `balance`: of the account after it. `row` counts from 1 through the document.
    """

    page: int
    row: int
    description: str = ""
    quantity: str | None = None
    unit: str | None = None
    unit_price: str | None = None
    amount: str | None = None
    tax_rate: str | None = None
    date: str | None = None
    balance: str | None = None
    confidence: float = 0.0
    boxes: tuple[Box, ...] = ()


class Extraction(msgspec.Struct, frozen=True, kw_only=True):
    """A document's type, all fields of that type, whether found or not, and the rows of its table.

    `warnings`: sentences, such as that the attached XML and the printed page differ.
    """

    document_type: str
    confidence: float
    fields: tuple[Field, ...] = ()
    items: tuple[LineItem, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def needs_review(self) -> bool:
        """Whether a person should look at the document: at one of its fields, or at a warning."""
        return bool(self.warnings) or any(field.needs_review for field in self.fields)


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One accepted document in progress: the content of a pending marker.

    `generation`: 0 as it was accepted; each redrive and each reprocessing makes the next one, with a marker of its
    own. `accepted_on`: run date on which this generation was accepted, where its receipt is if it is the first.
    `replaces`: run date of the failed record that a redrive takes the place of.

    `sha256`, `media_type` and `pages` are known once the document is ingested. `run_date` is fixed when its first
    step starts, so that a night's last results belong to that night. `overrides` are settings that a redrive
    changed for this task only. `alias_of` names the task whose id was sent again with another source: ingest checks
    whether the bytes are the same, but with `has_receipt` it must end with a record in any case. `origin`: digest
    of the source (`pipeline.ledger.claims`). `ingested_by`: id of the message that ingested it. `reading`: OCR
    digest shared by the parts of a split document. `refused`: code for which its message was refused. `restarts`:
    number of returns to the first step because OCR output was missing. `reprocess`: the task is done and is
    processed again; its good result is kept until a better one is stored, and no callback is sent. `receipt`: key
    of the receipt that says it was accepted. `turn`: in which it is served within its lane, set by ingest
    (`pipeline.submission.shares`). `deadline`: by when it should be done (UTC). `traceparent`, `tracestate`: where its
    trace continues (`pipeline.telemetry.w3c`).
    """

    task_id: str
    sha256: Hash | None
    source: str
    task_type: str = "document"
    trace_id: str = ""
    tenant: str = ""
    size: int = 0
    media_type: str | None = None
    pages: int = 0
    priority: int = 5
    callback_url: str = ""
    submitted_at: str = ""
    not_before: str = ""
    deadline: str = ""
    run_date: str = ""
    attempts: int = 0
    metadata: dict[str, str] = {}
    overrides: dict[str, str] = {}
    alias_of: str = ""
    has_receipt: bool = False
    origin: str = ""
    ingested_by: str = msgspec.field(name="taken_by", default="")
    reading: str = ""
    restarts: int = 0
    skipped: int = 0
    reprocess: bool = False
    generation: int = 0
    accepted_on: str = ""
    replaces: str = ""
    refused: str = ""
    receipt: str = ""
    turn: Annotated[int, Meta(ge=1, le=3)] = 1
    traceparent: str = ""
    tracestate: str = ""
    schema_version: int = SCHEMA_VERSION

    def __post_init__(self) -> None:
        """Raise `ValueError` for invalid times: a marker with such is damaged, which each reader is prepared for.

        Settings that a task may not have are dropped, as earlier versions wrote them.
        """
        if not NOT_OVERRIDDEN.isdisjoint(self.overrides):
            kept = {name: value for name, value in self.overrides.items() if name not in NOT_OVERRIDDEN}
            msgspec.structs.force_setattr(self, "overrides", kept)
        _check_times(
            days=(self.run_date, self.accepted_on, self.replaces),
            moments=(self.not_before, self.submitted_at, self.deadline),
        )

    def __repr__(self) -> str:
        """Name only the task: signed URLs, tokens and metadata must not get into logs."""
        return f"Task(task_id={self.task_id!r})"


def _check_times(*, days: tuple[str, ...], moments: tuple[str, ...] = ()) -> None:
    try:
        fit = all(datetime.fromisoformat(moment).tzinfo for moment in moments if moment)
        _ = [date.fromisoformat(day) for day in days if day]
    except ValueError:
        fit = False
    if not fit:
        raise ValueError("Expected dates, and times with a time zone")


Status = Literal["done", "partial", "failed"]
"""How a document ends. `partial`: something of it could not be read, and `error` says what; the rest is there."""


class DocumentResult(msgspec.Struct, frozen=True, kw_only=True):
    """The complete result for one document: `results/…json` if done, `failed/…json` if not.

    `extraction` (`record` in JSON) is set for tasks with both OCR and NER; `fields` identifies its rules.
    `settings` are those that affect the result, apart from the models; `overrides` the ones of them that were
    set for this task only. `outputs` has the output of steps of custom task types: step -> name -> value.
    `reprocess`: the document was done before and processed again; in a failure: its previous result is kept.
    `generation`: of the task that ended so (see `Task`).
    `deadline`: by when it should have been done (UTC); it was late if `done_at` is after it.
    `receipt`: key of the receipt that says the document was accepted. `traceparent`: the span in which it ended, or the
    one that its producer named; empty if there was none. `digest`: SHA-256 (hex) of the JSON in the store
    with this field empty; set by `pipeline.ledger.digests` only, and the last field.
    """

    task_id: str
    sha256: Hash | None
    source: str
    status: Status
    run_date: str
    task_type: str = "document"
    media_type: str | None = None
    pages: tuple[Page, ...] = ()
    entities: tuple[Entity, ...] = ()
    extraction: Extraction | None = msgspec.field(default=None, name="record")
    error: Failure | None = None
    ocr: ModelInfo | None = None
    ner: ModelInfo | None = None
    fields: ModelInfo | None = None
    settings_digest: str = ""
    settings: dict[str, str] = {}
    overrides: dict[str, str] = {}
    language: str | None = None
    attempts: int = 1
    seconds: dict[str, float] = {}
    outputs: dict[str, dict[str, str]] = {}
    priority: int = 5
    callback_url: str = ""
    trace_id: str = ""
    traceparent: str = ""
    tenant: str = ""
    metadata: dict[str, str] = {}
    deadline: str = ""
    first_seen: str = ""
    done_at: str = ""
    pipeline_version: str = ""
    reprocess: bool = False
    generation: int = 0
    receipt: str = ""
    schema_version: int = SCHEMA_VERSION
    digest: str = ""

    def __post_init__(self) -> None:
        """Raise `ValueError` for an invalid run date or time, with which its task could not be processed again."""
        _check_times(days=(self.run_date,), moments=(self.first_seen, self.deadline, self.done_at))

    def __repr__(self) -> str:
        """Name only the task: text, signed URLs, tokens and metadata must not get into logs."""
        return f"DocumentResult(task_id={self.task_id!r}, status={self.status!r})"

    @classmethod
    def of(cls, task: Task, *, source: str, status: Status, run_date: str, **found: Any) -> DocumentResult:
        """The result of a task: data of the task itself, and what was `found`.

        `source`: as results may show it (`pipeline.remote.urls.public_source`).
        """
        return cls(
            task_id=task.task_id,
            sha256=task.sha256,
            source=source,
            status=status,
            run_date=run_date,
            task_type=task.task_type,
            generation=task.generation,
            overrides=task.overrides,
            attempts=task.attempts + 1,
            priority=task.priority,
            callback_url=task.callback_url,
            trace_id=task.trace_id,
            traceparent=task.traceparent,
            tenant=task.tenant,
            metadata=task.metadata,
            deadline=task.deadline,
            first_seen=task.submitted_at,
            receipt=task.receipt,
            **found,
        )

    @property
    def confidence(self) -> float | None:
        """Mean OCR confidence over all characters, `None` without text."""
        sizes = [(p.confidence, sum(len(line.text) for line in p.lines)) for p in self.pages]
        total = sum(n for _, n in sizes)
        return sum((c or 0.0) * n for c, n in sizes) / total if total else None


class NewerSchema(msgspec.ValidationError):
    """JSON whose `schema_version` is above `SCHEMA_VERSION`: a later version of Nightshift wrote it."""


class _Versioned(msgspec.Struct, frozen=True):
    """The only field that is read where the rest can't be."""

    schema_version: int = 0


def to_json(value: msgspec.Struct) -> bytes:
    """Encode compactly as UTF-8 JSON."""
    return msgspec.json.encode(value)


_preparing = Lock()
"""Held while a type is looked at: msgspec crashes where two threads do that for the first time at once."""

_decoders: dict[type, msgspec.json.Decoder[Any]] = {}
"""By type; any number of threads may use one at once."""


def _decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    if found := _decoders.get(kind):
        return found
    with _preparing:
        return _decoders.setdefault(kind, msgspec.json.Decoder(kind))


def from_json(data: bytes, kind: type[T]) -> T:
    """Decode and validate.

    Raises `msgspec.DecodeError` for anything else than JSON; its `ValidationError` when the JSON does not fit `kind`;
    of these `NewerSchema` where a later version wrote it, even if it fits: its fields may mean something else by then.
    """
    try:
        value = _decoder(kind).decode(data)
    except msgspec.ValidationError:
        _refuse_newer(_version_of(data))
        raise
    except (UnicodeDecodeError, RecursionError) as error:  # which msgspec does not turn into its own
        raise msgspec.DecodeError(f"{type(error).__name__}: {error}") from None
    _refuse_newer(getattr(value, "schema_version", 0))
    return value


def _version_of(data: bytes) -> int:
    try:
        return _decoder(_Versioned).decode(data).schema_version
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return 0


def _refuse_newer(version: int) -> None:
    if version > SCHEMA_VERSION:
        raise NewerSchema(f"schema version {version}, this installation reads up to {SCHEMA_VERSION}")
