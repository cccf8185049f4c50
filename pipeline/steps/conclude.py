"""The last step: everything found becomes the document's result."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline import clock
from pipeline.documents.language import language_of
from pipeline.documents.unread import mostly_unread
from pipeline.ledger import records
from pipeline.models import TEXT, DocumentResult, Failure, Page, Task
from pipeline.remote.urls import public_source
from pipeline.steps.engines import Engines
from pipeline.steps.extract import Entities
from pipeline.steps.fill import fill
from pipeline.storage import Store
from pipeline.version import __version__

_SHOWN = 10  # page numbers named in a sentence


def conclude(
    task: Task,
    pages: tuple[Page, ...],
    found: Entities | None,
    *,
    media_type: str,
    run_date: str,
    store: Store,
    engines: Engines,
) -> DocumentResult:
    """Store the document's result, delete its pending marker, and return the result.

    Raises `StoreUnavailable` or `RunError` when the store cannot be written.
    """
    result = result_of(task, pages, found, media_type=media_type, run_date=run_date, engines=engines)
    records.finish(store, result, written=records.write_first(store, result))
    return result


def result_of(
    task: Task,
    pages: tuple[Page, ...],
    found: Entities | None,
    *,
    media_type: str,
    run_date: str,
    engines: Engines,
    outputs: dict[str, dict[str, str]] | None = None,
) -> DocumentResult:
    """The document's result.

    `found`: `None` for a task without NER. `outputs`: what further steps returned, by step.
    """
    from pipeline.ner.locale import localised

    shortfall = missing(pages)
    pages = localised(pages)
    extraction, filling = fill(task, pages, found, engines=engines)
    ocr_seconds = round(sum(page.seconds for page in pages), 4)
    seconds = {"ocr": ocr_seconds, "ner": found.seconds if found else 0.0, "fields": filling}
    if gpu_seconds := sum(page.gpu_seconds for page in pages):
        seconds["gpu"] = round(gpu_seconds, 4)
    return DocumentResult.of(
        task,
        source=public_source(task.source),
        status="partial" if shortfall else "done",
        error=shortfall,
        run_date=run_date,
        media_type=media_type,
        pages=pages,
        entities=found.entities if found else (),
        extraction=extraction,
        ocr=None if media_type == TEXT else engines.ocr_info,
        ner=engines.ner_info if found else None,
        fields=engines.fields_info if extraction else None,
        settings_digest=engines.digest,
        settings=engines.settings.deciding,
        language=language_of("".join(page.text for page in pages)),
        seconds=seconds,
        outputs=outputs or {},
        done_at=clock.now(),
        pipeline_version=__version__,
        reprocess=task.reprocess,
    )


def missing(pages: Sequence[Page]) -> Failure | None:
    """What could not be read of a document, as one sentence; `None` where every page was read."""
    unread = [page for page in pages if page.error]
    parts = [page for page in pages if page.parts_missing]
    blank = [page for page in pages if page.number in mostly_unread(pages)]
    sentences, code = [], ""
    if unread and unread[0].error:
        code = unread[0].error.code
        sentences.append(f"{_named(unread, pages)} could not be read: {unread[0].error.message}")
    if parts:
        code = code or "part_unreadable"
        reason = next((f" {warning}" for page in parts for warning in page.warnings), "")
        sentences.append(f"A part of {_named(parts, pages, begin=False)} could not be read.{reason}")
    if blank:
        code = code or "text_unread"
        regions = sum(page.regions_unread for page in blank)
        sentences.append(
            f"{_named(blank, pages)} shows text that could not be read ({regions} regions), such as handwriting or a "
            "script that the OCR model does not know."
        )
    return Failure(code=code, message=" ".join(sentences)) if sentences else None


def _named(some: Sequence[Page], pages: Sequence[Page], *, begin: bool = True) -> str:
    """`Page 3 of 9`, `Pages 3, 4 and 7 of 9`: to begin a sentence, or within one."""
    word = "page" if len(some) == 1 else "pages"
    shown = [str(page.number) for page in some[:_SHOWN]]
    if len(some) > _SHOWN:
        listed = f"{', '.join(shown)} and {len(some) - _SHOWN} more"
    else:
        listed = " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))
    return f"{word.capitalize() if begin else word} {listed} of {len(pages)}"
