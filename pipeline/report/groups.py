"""Documents of a night together: those that are alike, and the seconds that each step took for a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow.compute as pc

from pipeline.report import figures
from pipeline.report.facts import Group, StepTime

GROUPS = 20
"""Groups of documents, at most."""

STEPS = ("ocr", "ner", "fields")


def step_times(table: Any) -> Iterator[StepTime]:
    """Seconds a page of each step: median and 95th percentile over documents."""
    pages = pc.if_else(pc.greater(table["pages"], 0), table["pages"], None)
    for step in STEPS:
        each = pc.divide(table[f"seconds_{step}"], pc.cast(pages, "float64")).drop_null()
        if len(each):
            median, p95 = pc.quantile(each, q=[0.5, 0.95]).to_pylist()
            yield StepTime(step=step, median=round(median, 4), p95=round(p95, 4))


def groups(table: Any) -> Iterator[Group]:
    """Documents that are alike, the largest groups first."""
    kinds = figures.kinds(table)
    unwell = pc.cast(pc.fill_null(pc.not_equal(table["status"], "done"), True), "int32")
    whole = (
        table.select(["media_type", "tenant", "pages"])
        .append_column("kind", kinds)
        .append_column("unwell", unwell)
    )
    names = ["kind", "media_type", "tenant"]
    grouped = whole.group_by(names, use_threads=False).aggregate(
        [([], "count_all"), ("pages", "sum"), ("unwell", "sum")]
    )
    rows = grouped.sort_by([("count_all", "descending"), *((name, "ascending") for name in names)])
    for row in rows.slice(0, GROUPS).to_pylist():
        yield Group(
            document_type=row["kind"] or "",
            media_type=row["media_type"] or "",
            tenant=row["tenant"] or "",
            documents=row["count_all"],
            pages=row["pages_sum"] or 0,
            unwell=row["unwell_sum"],
        )
