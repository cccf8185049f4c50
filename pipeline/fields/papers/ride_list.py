"""Fields of a list of rides (行程单, trip summary): the sum, how many rides, and from when to when."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.fields.cells import Sheet
from pipeline.fields.labels import Wanted, find_labelled, of_entity
from pipeline.fields.papers.journey import first_of, next_date
from pipeline.fields.rows import Row, field, rows_of
from pipeline.models import Entity, Field, Page

NAMES = ("date", "start", "end", "time", "rides", "passenger", "total")
_RIDES = re.compile(
    r"共计? ?(?P<count>[0-9]{1,4}) ?[笔单个次][^0-9\n]{0,4}行程|(?P<trips>[0-9]{1,4}) (?:trips|rides)\b"
)
_WANTED = (
    Wanted("date", "申请日期|申请时间|开具日期|打印日期|statement date|date of issue", "DATE"),
    Wanted("start", "行程起止日期|行程时间|行程日期|起止日期|period|from", "DATE", colon=True),
    Wanted(
        "total",
        "合计金额|行程合计|合计|总计|总金额|共计|grand total|total(?: spent| amount| fare)?|gesamt",
        "MONEY",
    ),
    Wanted("passenger", "行程人|乘车人|用户姓名|passenger|rider", colon=True),
)
_PICKED_UP = re.compile(r"上车时间|pick-?up", re.IGNORECASE)


def find(page: Page, entities: Sequence[Entity]) -> list[Field]:
    """The fields found on one page; `entities` are those of the page."""
    rows = rows_of(page)
    found = find_labelled(rows, entities, _WANTED)
    return first_of(
        [*found, *next_date(rows, entities, found, "start", "end"), *_count(rows), *_single(rows, entities)]
    )


def _count(rows: Sequence[Row]) -> list[Field]:
    for row in rows:
        if match := _RIDES.search(row.text):
            group = "count" if match["count"] else "trips"
            return [field("rides", row.page, [row.span(*match.span(group))], match[group], 0.93)]
    return []


def _single(rows: Sequence[Row], entities: Sequence[Entity]) -> list[Field]:
    """The time of the ride, if the list has one."""
    sheet = Sheet(rows, entities)
    head = next((n for n, row in enumerate(rows) if _PICKED_UP.search(row.text)), None)
    if head is None:
        return []
    times = [(row, e) for row in rows[head + 1 :] for e in sheet.within("TIME", row.start, row.end)]
    return [of_entity("time", *times[0], 0.85)] if len(times) == 1 else []
