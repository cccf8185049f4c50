"""From the score of a value to the probability that it is right.

The rules score a value by its evidence. `calibration.json` has, by document type and field, two numbers a and b: the
probability is the logistic function of a * logit(score) + b (Platt 1999, "Probabilistic outputs for support vector
machines"), fitted on labelled papers (`benchmarks/calibrate.py`). A field or type that is not in it uses the numbers of
`*`, which are of all of them. A value with a failed check gets no more than its score.
"""

from __future__ import annotations

import hashlib
import json
import math
from functools import cache
from importlib import resources

from msgspec import structs

from pipeline.models import Extraction, Field

_LIMIT = 0.001
"""Scores and probabilities stay this far from 0 and 1."""


def calibrated(record: Extraction) -> Extraction:
    """The record with probabilities for scores; values of other sources than the page keep their confidence."""
    fields = tuple(_calibrated(record.document_type, field) for field in record.fields)
    return structs.replace(record, fields=fields)


def probability(kind: str, name: str, score: float) -> float:
    """The probability that a field with this score is right."""
    a, b = _numbers(kind, name)
    chance = 1 / (1 + math.exp(-(a * _logit(score) + b)))
    return round(min(max(chance, _LIMIT), 1 - _LIMIT), 3)


def _calibrated(kind: str, field: Field) -> Field:
    if field.value is None or field.source != "page":
        return field
    chance = probability(kind, field.name, field.confidence)
    if field.failed:
        chance = min(chance, field.confidence)
    return structs.replace(field, confidence=chance)


def _numbers(kind: str, name: str) -> tuple[float, float]:
    curves = _curves()
    of_kind = curves.get(kind, {})
    a, b = of_kind.get(name) or of_kind.get("*") or curves["*"]["*"]
    return a, b


def _logit(score: float) -> float:
    inside = min(max(score, _LIMIT), 1 - _LIMIT)
    return math.log(inside / (1 - inside))


def digest() -> str:
    """Identify the numbers."""
    return hashlib.sha256(_text().encode()).hexdigest()


def _text() -> str:
    return resources.files("pipeline.fields").joinpath("calibration.json").read_text("utf-8")


@cache
def _curves() -> dict[str, dict[str, tuple[float, float]]]:
    curves: dict[str, dict[str, tuple[float, float]]] = json.loads(_text())
    return curves
