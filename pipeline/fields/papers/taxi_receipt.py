"""Fields of a taxi receipt: the Chinese taxi invoice (出租汽车发票) and taxi receipts of other countries."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.fields.labels import Wanted, find_labelled
from pipeline.fields.rows import rows_of
from pipeline.models import Entity, Field, Page

NAMES = (
    "code",
    "number",
    "date",
    "time",
    "end_time",
    "vehicle",
    "from",
    "to",
    "passenger",
    "distance",
    "fare",
    "fuel_surcharge",
    "total",
)
_DISTANCE = r"[0-9]{1,4}(?:[.,][0-9]{1,2})?"
_WANTED = (
    Wanted("code", "发票代码|代码", "code", "[0-9]{10,12}"),
    Wanted("number", "发票号码|号码|receipt (?:no|number)|belegnummer|trip (?:no|number)", "code"),
    Wanted("date", "日期|乘车日期|date|datum|fecha|data", "DATE"),
    Wanted("time", "上车(?:时间)?|start(?: time)?|pick-?up(?: time)?|beginn", "TIME"),
    Wanted("end_time", "下车(?:时间)?|end(?: time)?|drop-?off(?: time)?|ende", "TIME"),
    Wanted("time", "时间|time|uhrzeit|heure|hora", "TIME"),
    Wanted(
        "vehicle",
        "车号|车牌号?|cab (?:no|number)|taxi (?:no|number)|medallion",
        "code",
        "[\u4e00-\u9fff]?[A-Z0-9.·-]{2,9}",
    ),
    Wanted("from", "上车地点|起点|from|von|de|da", colon=True),
    Wanted("to", "下车地点|终点|to|nach", colon=True),
    Wanted("passenger", "乘客|passenger|fahrgast", colon=True),
    Wanted("distance", "里程|distance|dist|strecke|km", "code", _DISTANCE),
    Wanted("fuel_surcharge", "燃油附加费?|附加费?|fuel surcharge", "MONEY"),
    Wanted(
        "total",
        "合计金额|实收金额|总金额|total(?: fare| amount)?|gesamt(?:betrag)?|summe|importe total",
        "MONEY",
    ),
    Wanted("fare", "车费|fare|fahrpreis|tarif", "MONEY"),
    Wanted("total", "金额|betrag|amount|importe|montant", "MONEY"),
)


def find(page: Page, entities: Sequence[Entity]) -> list[Field]:
    """The fields found on one page; `entities` are those of the page."""
    return find_labelled(rows_of(page), entities, _WANTED)
