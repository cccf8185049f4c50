"""The fields room: document type, and the key information of receipts and VAT invoices.

Plain rules on the output of OCR and NER, no model. `load` imports the rules and fits the classifier, `describe` names
the version of the rules and the examples, without importing them. docs/reference/fields.md tells users.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Protocol

from pipeline.fields import calibration, clues, examples
from pipeline.models import ModelInfo

if TYPE_CHECKING:
    from pipeline.fields.filler import Filler

__all__ = ["FieldSettings", "describe", "load"]

RULES_VERSION = 3
"""Raise it when a change in this room changes what is found (tests/unit/test_rules_versions.py)."""


class FieldSettings(Protocol):
    """Settings of this room; any object with this attribute will do."""

    @property
    def document_types(self) -> str | None:
        """Folder of the user's own examples."""
        ...


def load(settings: FieldSettings) -> Filler:
    """Fit the classifier; raises `UsageError` for a folder of examples that can't be used."""
    from pipeline.fields.classifier import Classifier
    from pipeline.fields.filler import Filler

    return Filler(Classifier(examples.load(settings.document_types)))


def describe(settings: FieldSettings) -> ModelInfo:
    """Name the rules: the digest covers `RULES_VERSION`, calibration, clues and examples. Raises as `load` does."""
    parts = (RULES_VERSION, calibration.digest(), clues.source(), examples.digest(settings.document_types))
    digest = hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()
    return ModelInfo(engine="rules", name="fields", digest=digest[:16])
