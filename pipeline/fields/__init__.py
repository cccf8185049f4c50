"""The fields room: document type, and the key information of receipts and VAT invoices.

Plain rules on the output of OCR and NER; no model, no heavy import. `load` fits the classifier (milliseconds),
`describe` names the version of the rules and the examples. docs/reference/fields.md tells users.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Protocol

from pipeline.fields import calibration, clues, examples, truth
from pipeline.fields.classifier import Classifier
from pipeline.fields.items import find_items
from pipeline.fields.items.balances import weighed
from pipeline.fields.kinds import KINDS, Kind
from pipeline.fields.records import Find, find_one
from pipeline.models import Entity, Extraction, Field, ModelInfo, Page
from pipeline.ner.locale import localised

__all__ = ["FIELDS", "FieldSettings", "Filler", "describe", "load"]

RULES_VERSION = 3
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
        stated = truth.read(pages)
        record = calibration.calibrated(self.scored(pages, entities, stated))
        return truth.merged(record, stated, pages, entities)

    def scored(
        self, pages: Sequence[Page], entities: Sequence[Entity], stated: truth.Truth | None = None
    ) -> Extraction:
        """As printed, with scores for confidences: for fitting the calibration. `stated` may have the type."""
        if any(page.locale is None for page in pages):
            pages = localised(pages)
        kind, confidence = self._classifier.classify("\n".join(page.text for page in pages[:_TYPE_PAGES]))
        if stated and (stated_kind := stated.kind(kind)):
            kind, confidence = stated_kind, 1.0
        rules = KINDS.get(kind)
        found, warnings = _search(pages, entities, rules) if rules else ({}, [])
        rows = find_items(kind, pages, entities, tuple(found.values()))
        found = weighed(found, rows.balances)
        names = dict.fromkeys((*FIELDS.get(kind, ()), *found))
        return Extraction(
            document_type=kind,
            confidence=confidence,
            fields=tuple(found.get(name, Field(name=name)) for name in names),
            items=rows.items,
            warnings=(*warnings, *rows.warnings),
        )


def _search(
    pages: Sequence[Page], entities: Sequence[Entity], rules: Kind
) -> tuple[dict[str, Field], list[str]]:
    """The fields of a document by name, and what to warn about."""
    if rules.find_all is None:
        return _find(pages[:_FIELD_PAGES], entities, rules.find), []
    fields, warnings = rules.find_all(pages, entities)
    found: dict[str, Field] = {}
    for field in fields:
        found.setdefault(field.name, field)
    return found, warnings


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
    """Name the rules: the digest covers `RULES_VERSION`, calibration, clues and examples. Raises as `load` does."""
    parts = (RULES_VERSION, calibration.digest(), clues.source(), examples.digest(settings.document_types))
    digest = hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()
    return ModelInfo(engine="rules", name="fields", digest=digest[:16])
