"""Fields of a train ticket: the Chinese e-ticket (铁路电子客票) and paper ticket, and those of other countries."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.fields.cells import Sheet, cells_of
from pipeline.fields.labels import Wanted, find_labelled, of_entity
from pipeline.fields.papers.journey import PLACE, departure, first_of, issue, places, places_around
from pipeline.fields.rows import Row, field, fold, rows_of
from pipeline.models import Entity, Field, Page

NAMES = (
    "number",
    "date",
    "ticket_number",
    "passenger",
    "train",
    "from",
    "to",
    "travel_date",
    "time",
    "class",
    "seat",
    "total",
    "buyer",
    "seller",
)
_TRAIN = re.compile(
    r"(?<![0-9A-Za-z])[GDCZTKLYS]?[0-9]{1,4}(?= ?次)|(?<![0-9A-Za-z])[GDCZTKY][0-9]{1,4}(?![0-9A-Za-z])"
)
_CLASS = re.compile(r"(?:商务|特等|[一二]等|[软硬])(?:座|卧)(?:代(?:座|卧|[软硬][座卧]))?|动卧|无座")
_SEAT = re.compile(r"[0-9]{1,2} ?车 ?(?:[0-9]{1,3} ?[A-F]?(?: ?[上中下]铺|号(?:[上中下]铺)?)?|无座)")
_MASKED = re.compile(r"[0-9]{6,10}\*{2,10}[0-9Xx]{2,4}")
_PERSON = re.compile(r" *(?P<name>[\u4e00-\u9fff·]{2,10})")
_WANTED = (
    Wanted("number", "发票号码|invoice (?:no|number)", "code"),
    Wanted(
        "date", "开票日期|填开日期|date of issue|issue date|issued on|ausstellungsdatum|gebucht am", "DATE"
    ),
    Wanted(
        "travel_date",
        "乘车日期|发车日期|开车日期|travel date|date of travel|reisedatum|valid on|gultig am",
        "DATE",
    ),
    Wanted("time", "发车时间|开车时间|departure time|departs|abfahrt|heure de depart", "TIME"),
    Wanted(
        "ticket_number",
        "电子客票号|ticket (?:no|number)|ticketnummer|auftragsnummer|booking ref(?:erence)?",
        "code",
    ),
    Wanted("passenger", "旅客姓名|乘车人|passenger(?: name)?|reisender?|voyageur|passeggero"),
    Wanted("train", "车次|train(?: (?:no|number))?|zug(?:nummer)?|treno", "code", "[A-Z]{0,4} ?[0-9]{1,5}"),
    Wanted("from", "始发站|出发站|发站|from|von|de|da|origin", "text", PLACE, True),
    Wanted("to", "到达站|终到站|到站|to|nach|vers|destination", "text", PLACE, True),
    Wanted("class", "席别|席位|座位等级|class|klasse|classe"),
    Wanted("seat", "座位号|seat|sitzplatz|place assise|posto", "code"),
    Wanted("total", "票价|总票价|fare|price|total|preis|gesamtpreis|prix|prezzo", "MONEY"),
    Wanted("buyer", "购买方名称|购买方"),
    Wanted("seller", "销售方名称|销售方"),
)


def find(page: Page, entities: Sequence[Entity]) -> list[Field]:
    """The fields found on one page; `entities` are those of the page.

    The Chinese ticket prints what belongs to the journey without labels.
    """
    rows = rows_of(page)
    found = find_labelled(rows, entities, _WANTED)
    found += [*departure(rows, entities, found), *_unlabelled(rows), *_only_amount(rows, entities)]
    return first_of([*found, *issue(rows, entities, found)])


def _unlabelled(rows: Sequence[Row]) -> list[Field]:
    found: list[Field] = []
    for number, row in enumerate(rows):
        if match := _TRAIN.search(row.text):
            sides = places(row, *match.span())
            if match[0] == row.text.strip():
                sides = places_around(rows, number)
            if sides or row.text[match.end() :].lstrip().startswith("次"):
                found.append(field("train", row.page, [row.span(*match.span())], match[0], 0.85))
            found += sides
        for name, pattern in (("class", _CLASS), ("seat", _SEAT)):
            if match := pattern.search(row.text):
                found.append(field(name, row.page, [row.span(*match.span())], fold(match[0]), 0.88))
        if match := _MASKED.search(row.text):
            found += _passenger(row, match.end(), rows[number + 1] if number + 1 < len(rows) else None)
    return found


def _passenger(row: Row, end: int, below: Row | None) -> list[Field]:
    """The name behind a masked number of a person, or below it."""
    if match := _PERSON.match(row.text, end):
        return [field("passenger", row.page, [row.span(*match.span("name"))], match["name"], 0.85)]
    if below is not None and not row.text[end:].strip() and (match := _PERSON.fullmatch(below.text)):
        return [field("passenger", row.page, [below.span(*match.span("name"))], match["name"], 0.75)]
    return []


def _only_amount(rows: Sequence[Row], entities: Sequence[Entity]) -> list[Field]:
    """The price of a ticket that prints one amount, without a label."""
    sheet = Sheet(rows, entities)
    amounts = [(row, e) for row in rows for e in sheet.within("MONEY", row.start, row.end) if e.currency]
    alone = [pair for pair in amounts if len(cells_of(pair[0].text)) <= 2]
    if len({e.value for _, e in amounts}) != 1 or not alone:
        return []
    return [of_entity("total", *alone[0], 0.8, "no_label")]
