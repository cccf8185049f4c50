"""From pages and entities to the document's type and fields: cheap, and stored only in the result."""

from __future__ import annotations

import time

from pipeline.models import Extraction, Page, Task
from pipeline.steps.engines import Engines
from pipeline.steps.extract import Entities
from pipeline.steps.task_types import task_type


def fill(
    task: Task, pages: tuple[Page, ...], found: Entities | None, *, engines: Engines
) -> tuple[Extraction | None, float]:
    """Document type and fields of a task that has both OCR and NER, else `None`; and the seconds it took."""
    if found is None or "ocr" not in task_type(task.task_type).names:
        return None, 0.0
    rules = engines.fields  # fitted once per process, not part of the document's time
    started = time.perf_counter()
    extraction = rules.fill(pages, found.entities)
    return extraction, round(time.perf_counter() - started, 4)
