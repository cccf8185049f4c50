"""The fields room: document type, and the key information of receipts and VAT invoices.

Plain rules on the output of OCR and NER; no model, no heavy import. `load` fits the classifier (milliseconds),
`describe` names the version of the rules and the examples. docs/reference/fields.md tells users.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Protocol

from pipeline.fields import calibration, examples
from pipeline.fields.classifier import Classifier
from pipeline.fields.items import find_items
from pipeline.fields.kinds import KINDS, Find
from pipeline.fields.records import find_one
from pipeline.models import Entity, Extraction, Field, ModelInfo, Page
from pipeline.ner.locale import localised

__all__ = ["FIELDS", "FieldSettings", "Filler", "describe", "load"]

RULES_VERSION = 2
"""Raise it when a change in this room changes what is found (tests/unit/test_rules_versions.py)."""

_TYPE_PAGES = 3
"""The classifier reads only a document's first pages."""
_FIELD_PAGES = 5
"""Maximum number of pages searched for fields."""

FIELDS = {kind: rules.names for kind, rules in KINDS.items()}
"""Names of the fields, by document type; other types have none."""


class FieldSettings(Protocol):
    """Settings of this room; any object with this attribute will do."""

    @property
    def document_types(self) -> str | None:
        """Folder of the user's own examples."""
        ...


class Filler:
    """Finds type and fields; create one per process and keep it."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier

    def fill(self, pages: Sequence[Page], entities: Sequence[Entity]) -> Extraction:
        """A document's type, each field of that type whether found or not, and the rows of its table."""
        return calibration.calibrated(self.scored(pages, entities))

    def scored(self, pages: Sequence[Page], entities: Sequence[Entity]) -> Extraction:
        """As `fill`, with scores for confidences: for fitting the calibration."""
        if any(page.locale is None for page in pages):
            pages = localised(pages)
        kind, confidence = self._classifier.classify("\n".join(page.text for page in pages[:_TYPE_PAGES]))
        rules = KINDS.get(kind)
        found = _find(pages[:_FIELD_PAGES], entities, rules.find) if rules else {}
        rows = find_items(kind, pages, entities, tuple(found.values()))
        return Extraction(
            document_type=kind,
            confidence=confidence,
            fields=tuple(found.get(name, Field(name=name)) for name in FIELDS.get(kind, ())),
            items=rows.items,
            warnings=rows.warnings,
        )


def _find(pages: Sequence[Page], entities: Sequence[Entity], find: Find) -> dict[str, Field]:
    """The fields of a document by name.

    If several pages show a field, the first counts. Of a page with several records one is taken, and nothing of the
    pages after it.
    """
    found: dict[str, Field] = {}
    for page in pages:
        fields, several = find_one(page, [e for e in entities if e.page == page.number], find)
        if several and found:
            break
        for field in fields:
            found.setdefault(field.name, field)
        if several:
            break
    return found


def load(settings: FieldSettings) -> Filler:
    """Fit the classifier; raises `UsageError` for a folder of examples that can't be used."""
    return Filler(Classifier(examples.load(settings.document_types)))


def describe(settings: FieldSettings) -> ModelInfo:
    """Name the rules: the digest covers `RULES_VERSION`, the calibration and all examples. Raises as `load` does."""
    parts = f"{RULES_VERSION}\0{calibration.digest()}\0{examples.digest(settings.document_types)}"
    return ModelInfo(engine="rules", name="fields", digest=hashlib.sha256(parts.encode()).hexdigest()[:16])
