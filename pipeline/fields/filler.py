"""Finds the type of a document, its fields and the rows of its table.

Importing it compiles the patterns of all kinds of document, half a second: only where documents are read.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.fields import calibration, truth
from pipeline.fields.classifier import Classifier
from pipeline.fields.items import find_items
from pipeline.fields.items.balances import weighed
from pipeline.fields.kinds import KINDS, Kind
from pipeline.fields.records import Find, find_one
from pipeline.models import Entity, Extraction, Field, Page
from pipeline.ner.locale import localised

_TYPE_PAGES = 3
"""The classifier reads only a document's first pages."""
_FIELD_PAGES = 5
"""Maximum number of pages searched for fields."""

FIELDS = {kind: rules.names for kind, rules in KINDS.items()}
"""Names of the fields, by document type; other types have none."""


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
