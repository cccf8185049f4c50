"""All that was found becomes the document's result."""

from __future__ import annotations

from pipeline import clock
from pipeline.documents.language import language_of
from pipeline.ledger import records
from pipeline.models import TEXT, DocumentResult, Page, Task
from pipeline.remote.urls import public_source
from pipeline.steps.engines import Engines
from pipeline.steps.extract import Entities
from pipeline.steps.fill import fill
from pipeline.storage import Store
from pipeline.version import __version__


def conclude(
    task: Task,
    pages: tuple[Page, ...],
    found: Entities | None,
    *,
    media_type: str,
    run_date: str,
    store: Store,
    engines: Engines,
    outputs: dict[str, dict[str, str]] | None = None,
    late: bool = False,
) -> DocumentResult:
    """Write the document's whole result and take its pending marker away; no `found`: it had no NER.

    `late`: see `records.finish`.
    """
    extraction, filling = fill(task, pages, found, engines=engines)
    ocr_seconds = round(sum(page.seconds for page in pages), 4)
    seconds = {"ocr": ocr_seconds, "ner": found.seconds if found else 0.0, "fields": filling}
    if engines.settings.ocr_device.startswith("gpu"):
        seconds["gpu"] = ocr_seconds
    result = DocumentResult.of(
        task,
        source=public_source(task.source),
        status="done",
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
    records.finish(store, result, late=late)
    return result
