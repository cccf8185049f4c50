"""The work itself: recognize -> extract -> fill -> conclude. Each step ends by storing, so each may run twice.

A key that exists is not computed again: pages are checkpointed one by one, entities once a document;
fields are cheap and kept in the result alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import msgspec

from pipeline import __version__
from pipeline.documents.base import Document
from pipeline.documents.layout import assemble
from pipeline.errors import NotFound
from pipeline.ledger import records as ledger
from pipeline.models import TEXT, DocumentResult, Entity, Page, Record, Task, from_json, to_json
from pipeline.ner.entities import entities_of
from pipeline.steps.engines import Engines
from pipeline.steps.task_types import task_type
from pipeline.storage import Store, keys


class Reading(msgspec.Struct, frozen=True):
    """Entities of a document as stored under `ner/`."""

    entities: tuple[Entity, ...]
    seconds: float


def recognize(
    document: Document,
    sha256: str,
    numbers: Iterable[int],
    *,
    store: Store,
    engines: Engines,
    on_page: Callable[[bool], None] = lambda _: None,
) -> tuple[Page, ...]:
    """Read pages `numbers` (from 1), each stored as soon as it is read.

    Calls `on_page` after each, with whether it was read just now rather than found in the store.
    """
    pages = []
    for number in numbers:
        page = stored_page(sha256, number, store=store, engines=engines)
        fresh = page is None
        if page is None:
            page = _read(document, number, engines)
            store.put(keys.page(sha256, engines.reading_digest, number), to_json(page))
        pages.append(page)
        on_page(fresh)
    return tuple(pages)


def stored_page(sha256: str, number: int, *, store: Store, engines: Engines) -> Page | None:
    """The checkpoint of a page, if there is one that can be read."""
    try:
        return from_json(store.get(keys.page(sha256, engines.reading_digest, number)), Page)
    except (NotFound, msgspec.DecodeError):
        return None


def has_page(sha256: str, number: int, *, store: Store, engines: Engines) -> bool:
    """Whether a page has its checkpoint."""
    return store.exists(keys.page(sha256, engines.reading_digest, number))


def _read(document: Document, number: int, engines: Engines) -> Page:
    started = time.perf_counter()
    source = document.page(number)
    if source.lines is not None:
        rotation, width, height, raw = 0, source.width, source.height, source.lines
    else:
        assert source.image is not None
        loading = time.perf_counter()
        engine = engines.ocr
        started += time.perf_counter() - loading  # done once a process, no part of the page
        seen = engine.read(source.image)
        rotation, width, height, raw = seen.rotation, seen.width, seen.height, seen.lines
    text, lines = assemble(raw, width, height)
    return Page(
        number=number,
        width=width,
        height=height,
        rotation=rotation,  # type: ignore[arg-type]
        source="ocr" if source.lines is None else "text_layer",
        text=text,
        lines=lines,
        seconds=round(time.perf_counter() - started, 4),
    )


def stored_reading(sha256: str, *, store: Store, engines: Engines) -> Reading | None:
    """The entities of a document, if they were found already and can be read."""
    try:
        return from_json(store.get(keys.entities(sha256, engines.entities_digest)), Reading)
    except (NotFound, msgspec.DecodeError):
        return None


def extract(pages: tuple[Page, ...], sha256: str, *, store: Store, engines: Engines) -> Reading:
    """Find the entities of all pages; stored once a document."""
    if before := stored_reading(sha256, store=store, engines=engines):
        return before
    started = time.perf_counter()
    found = engines.ner.extract([page.text for page in pages])
    entities = tuple(
        e for page, mentions in zip(pages, found, strict=True) for e in entities_of(page, mentions)
    )
    reading = Reading(entities, round(time.perf_counter() - started, 4))
    store.put(keys.entities(sha256, engines.entities_digest), to_json(reading))
    return reading


def fill(
    task: Task, pages: tuple[Page, ...], reading: Reading | None, *, engines: Engines
) -> tuple[Record | None, float]:
    """Document type and key information of a task that has both OCR and NER, else `None`; and the seconds."""
    if reading is None or "ocr" not in task_type(task.task_type).names:
        return None, 0.0
    rules = engines.fields  # fitted once a process, no part of the document
    started = time.perf_counter()
    record = rules.fill(pages, reading.entities)
    return record, round(time.perf_counter() - started, 4)


def conclude(
    task: Task,
    pages: tuple[Page, ...],
    reading: Reading | None,
    *,
    media_type: str,
    run_date: str,
    store: Store,
    engines: Engines,
    outputs: dict[str, dict[str, str]] | None = None,
    late: bool = False,
) -> DocumentResult:
    """Write the document's whole result and take its pending marker away; no `reading`: it had no NER.

    `late`: see `ledger.finish`.
    """
    record, filling = fill(task, pages, reading, engines=engines)
    ocr_seconds = round(sum(page.seconds for page in pages), 4)
    seconds = {"ocr": ocr_seconds, "ner": reading.seconds if reading else 0.0, "fields": filling}
    if engines.settings.ocr_device.startswith("gpu"):
        seconds["gpu"] = ocr_seconds
    result = DocumentResult(
        task_id=task.task_id,
        sha256=task.sha256,
        source=ledger.public_source(task.source),
        status="done",
        run_date=run_date,
        task_type=task.task_type,
        media_type=media_type,
        pages=pages,
        entities=reading.entities if reading else (),
        record=record,
        ocr=None if media_type == TEXT else engines.ocr_info,
        ner=engines.ner_info if reading else None,
        fields=engines.fields_info if record else None,
        settings_digest=engines.digest,
        settings=engines.settings.deciding,
        overrides=task.overrides,
        language=language_of("".join(page.text for page in pages)),
        attempts=task.attempts + 1,
        seconds=seconds,
        outputs=outputs or {},
        priority=task.priority,
        callback_url=task.callback_url,
        trace_id=task.trace_id,
        tenant=task.tenant,
        metadata=task.metadata,
        first_seen=task.submitted_at,
        done_at=ledger.now(),
        pipeline_version=__version__,
        reprocess=task.reprocess,
    )
    ledger.finish(store, result, late=late)
    return result


def language_of(text: str) -> str | None:
    """`zh` when a tenth of the letters are Han characters (they say more each), else `en`; `None` without letters."""
    letters = [c for c in text if c.isalpha()]
    if not letters:
        return None
    han = sum("\u3400" <= c <= "\u9fff" for c in letters)
    return "zh" if han * 10 >= len(letters) else "en"
