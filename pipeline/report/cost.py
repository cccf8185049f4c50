"""What the night cost: device seconds, and money where NIGHTSHIFT_DEVICE_PRICE says what an hour costs."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline import device_price
from pipeline.ledger.timeline import Sample
from pipeline.report.facts import CloudPrice, Cost
from pipeline.report.figures import Figures

CLOUDS = (
    CloudPrice(
        name="Amazon Textract AnalyzeExpense (US East)", price=10.0, currency="USD", as_of="2026-11-26"
    ),
)
"""Prices that a cloud has published itself, with the day on which they were read (docs/how-to/morning-report.md)."""


def cost(tables: Figures, samples: Sequence[Sample], price: str) -> Cost:
    """The cost of a night.

    Device seconds are those during which models computed, by the samples; without samples those of the documents:
    `gpu_seconds`, or, where all ran on CPUs, the seconds of OCR and NER.
    """
    busy = max((one.busy_seconds for one in samples), default=0.0)
    steps = tables.step_seconds
    seconds = busy or tables.gpu_seconds or steps.get("ocr", 0.0) + steps.get("ner", 0.0)
    amount, currency = device_price.parse(price)
    known = amount is not None and tables.pages > 0
    return Cost(
        device_seconds=round(seconds, 1),
        pages=tables.pages,
        price_an_hour=amount,
        per_1000_pages=round(seconds / 3600 * (amount or 0.0) / tables.pages * 1000, 4) if known else None,
        currency=currency,
        clouds=CLOUDS,
    )
