"""A task type of another package: read the pages, then say by keywords what kind of document it is."""

from pipeline.task_types import Step, StepInput, TaskType

KEYWORDS = {"invoice": ("发票", "invoice"), "receipt": ("收据", "receipt"), "swatch": ("colour",)}


def _classify(given: StepInput) -> dict[str, str]:
    text = " ".join(page.text for page in given.pages).lower()
    found = {kind: sum(text.count(word) for word in words) for kind, words in KEYWORDS.items()}
    best = max(found, key=lambda kind: found[kind])
    return {"class": best if found[best] else "other", "hits": str(found[best])}


CLASSIFY = TaskType("classify", ("ocr", Step("keywords", _classify)))
