"""Fields of an air ticket: the Chinese itinerary (航空运输电子客票行程单) and e-ticket receipts."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.fields.labels import Wanted, find_labelled
from pipeline.fields.papers.journey import PLACE, departure, first_of, issue, places
from pipeline.fields.rows import field, rows_of
from pipeline.models import Entity, Field, Page

NAMES = (
    "number",
    "date",
    "ticket_number",
    "passenger",
    "flight",
    "from",
    "to",
    "travel_date",
    "time",
    "class",
    "fare",
    "fuel_surcharge",
    "tax",
    "fund",
    "other_taxes",
    "total",
    "buyer",
    "seller",
)
_FLIGHT = r"(?:[A-Z]{2}|[A-Z][0-9]|[0-9][A-Z]) ?[0-9]{3,4}(?![0-9A-Za-z])"
_CLASS = re.compile(r" {1,4}([A-Z])(?![0-9A-Za-z])")
"""The letter of a booking class, behind the flight."""
_WANTED = (
    Wanted("number", "发票号码|invoice (?:no|number)", "code"),
    Wanted("date", "填开日期|开票日期|date of issue|issue date|issued on|ausstellungsdatum", "DATE"),
    Wanted(
        "ticket_number", "电子客票号码?|e-?ticket (?:no|number)|ticket (?:no|number)|ticketnummer", "code"
    ),
    Wanted("passenger", "旅客姓名|passenger(?: name)?|name of passenger|traveller|passagier|passager"),
    Wanted("flight", "航班号?|flight(?: (?:no|number))?|flug(?:nummer)?|vol", "code", _FLIGHT),
    Wanted("from", "自|出发地|始发地|from|von|origin", "text", PLACE, True),
    Wanted("to", "至|目的地|到达地|to|nach|destination", "text", PLACE, True),
    Wanted("travel_date", "乘机日期|航班日期|departure date|travel date|date of travel|flugdatum", "DATE"),
    Wanted("time", "起飞时间|departure time|departs?|abflug", "TIME"),
    Wanted("class", "座位等级|舱位|cabin|class|klasse|buchungsklasse"),
    Wanted("fare", "票价|(?:base )?fare|flugpreis|tarif", "MONEY"),
    Wanted("fuel_surcharge", "燃油附加费|fuel surcharge|treibstoffzuschlag", "MONEY"),
    Wanted("tax", "增值税税额|税额|vat", "MONEY"),
    Wanted("fund", "民航发展基金|机场建设费", "MONEY"),
    Wanted("other_taxes", "其他税费|taxes(?:,? fees(?:,? and charges)?)?", "MONEY"),
    Wanted("total", "合计|total(?: amount| fare| price)?|gesamtpreis|gesamtbetrag", "MONEY"),
    Wanted("buyer", "购买方名称|购买方"),
    Wanted("seller", "填开单位|销售方名称|销售单位|issued by|issuing airline"),
)


def find(page: Page, entities: Sequence[Entity]) -> list[Field]:
    """The fields found on one page; `entities` are those of the page."""
    rows = rows_of(page)
    found = find_labelled(rows, entities, _WANTED)
    for row in rows:
        if match := re.search(rf"(?<![0-9A-Za-z]){_FLIGHT}", row.text):
            flight = match[0].replace(" ", "")
            found.append(field("flight", page, [row.span(*match.span())], flight, 0.8))
            found += places(row, *match.span())
            if booked := _CLASS.match(row.text, match.end()):
                found.append(field("class", page, [row.span(*booked.span(1))], booked[1], 0.8))
            break
    found += departure(rows, entities, found)
    return first_of([*found, *issue(rows, entities, found)])
