"""Fields of an identity card, passport or driving licence: from its machine-readable zone, else from its labels."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import structs

from pipeline.fields.cells import Cell, Sheet, cells_of, edges, overlap
from pipeline.fields.labels import Wanted, checked, find_labelled, of_entity
from pipeline.fields.papers.journey import first_of
from pipeline.fields.rows import Row, field, fold, rows_of
from pipeline.models import Entity, Field, Page
from pipeline.ner.patterns.identifiers import id_check
from pipeline.ner.patterns.mrz import Mrz, read_mrz

NAMES = (
    "name",
    "number",
    "birth_date",
    "sex",
    "nationality",
    "address",
    "issuer",
    "valid_from",
    "valid_to",
)
_WANTED = (
    Wanted(
        "number",
        "passport (?:no|number)|passeport n[o°]|card (?:no|number)|document (?:no|number)"
        "|licen[cs]e (?:no|number)|ausweisnummer|护照(?:号码?)?|证件号码?|身份号码"
        "|identity (?:card )?(?:no|number)",
        "code",
    ),
    Wanted(
        "birth_date",
        "出生日期|date of birth|geburtsdatum|geburtstag|date de naissance|data di nascita"
        "|fecha de nacimiento|出生",
        "DATE",
    ),
    Wanted(
        "valid_from",
        "签发日期|date of issue|ausstellungsdatum|date de d[eé]livrance|data di rilascio"
        "|fecha de expedici[oó]n|valid from",
        "DATE",
    ),
    Wanted(
        "valid_to",
        "有效期至|date of expir(?:y|ation)|gültig bis|date d.expiration|data di scadenza"
        "|v[aá]lido hasta|valid until|valid to|expires",
        "DATE",
    ),
    Wanted(
        "sex", "性别|sex|geschlecht|sexe|sesso|sexo", "text", r"男|女|[MFW](?:/[MFW])?|male|female|男/M|女/F"
    ),
    Wanted("nationality", "国籍|nationality|staatsangehörigkeit|nationalit[eé]|cittadinanza|nacionalidad"),
    Wanted("issuer", "签发机关|issuing authority|authority|behörde|autorit[eéàa]"),
    Wanted("address", "address|anschrift|adresse|indirizzo|domicilio", colon=True),
    Wanted("name", "姓名|full name|holder|name"),
    Wanted("", "民族|住址|公民身份号码|place of birth|surname|given names?|signature"),
)
_PARTS = (
    Wanted("surname", "surname|nachname|nom|cognome|apellidos"),
    Wanted("given", "given names?|vornamen?|pr[eé]noms?|nome|nombre"),
    Wanted("", "nationality|sex|date of birth"),
)
_CITIZEN = re.compile("[1-9][0-9]{16}[0-9X]")
_NUMBER = re.compile(r"(?<![0-9A-Za-z])[1-9][0-9]{16}[0-9Xx](?![0-9A-Za-z])")
_ADDRESS = re.compile(r"住 {0,4}址 ?:? ?")
_ADDRESS_END = re.compile(r"公 ?民 ?身|[0-9]{17}|签 ?发|有 ?效|姓 ?名|性 ?别|出 ?生")
_SEX = re.compile("性 ?别 ?([男女])(?![男女])")
_PERIOD = re.compile(r"有 ?效 ?期 ?限?")
_SPOKEN = {"男": "M", "女": "F", "male": "M", "female": "F", "w": "F"}
_MRZ_CHECKS = {"number": "number", "birth_date": "birth_date", "valid_to": "expiry"}


def find(page: Page, entities: Sequence[Entity]) -> list[Field]:
    """The fields found on one page; `entities` are those of the page."""
    rows = rows_of(page)
    if not rows:
        return []
    zone = read_mrz(page.text)
    labelled = [
        *find_labelled(rows, entities, _WANTED),
        *_period(rows, entities),
        *_address(rows),
        *_sex(rows),
    ]
    printed = first_of([*_numbers(rows), *labelled, *_full_name(rows, entities)])
    coded = _coded(rows[0], zone) if zone else []
    return _consistent([_normal(one) for one in first_of([*coded, *printed])])


def _consistent(found: list[Field]) -> list[Field]:
    """A Chinese citizen number says the date of birth and the sex: those that differ from it are in doubt."""
    number = next((one.value for one in found if one.name == "number" and not one.checks), None) or ""
    if not _CITIZEN.fullmatch(number):
        return found
    said = {
        "birth_date": f"{number[6:10]}-{number[10:12]}-{number[12:14]}",
        "sex": "M" if int(number[16]) % 2 else "F",
    }
    return [
        checked(one, "contradiction", factor=0.6) if one.value != said.get(one.name, one.value) else one
        for one in found
    ]


def _coded(row: Row, zone: Mrz) -> list[Field]:
    """What the machine-readable zone says; a value whose check digit is wrong is not certain."""
    values = {
        "name": zone.name,
        "number": zone.number,
        "birth_date": zone.birth_date,
        "sex": zone.sex,
        "nationality": zone.nationality,
        "valid_to": zone.expiry,
    }
    found = []
    for name, value in values.items():
        if not value:
            continue
        right = zone.checks.get(_MRZ_CHECKS.get(name, ""), True)
        made = field(name, row.page, [(zone.start, zone.end)], value, 0.97 if zone.valid else 0.8)
        found.append(
            made if right and zone.valid else checked(made, "check_digit", factor=0.7 if right else 0.4)
        )
    return found


def _numbers(rows: Sequence[Row]) -> list[Field]:
    """The Chinese citizen number, and what it implies."""
    for row in rows:
        match = _NUMBER.search(row.text)
        if match is None:
            continue
        number = match[0].upper()
        made = field("number", row.page, [row.span(*match.span())], number, 0.97)
        return [made if id_check(number) else checked(made, "check_digit", factor=0.4)]
    return []


def _address(rows: Sequence[Row]) -> list[Field]:
    """The address of a Chinese card: what follows its label, over several rows."""
    for number, row in enumerate(rows):
        label = _ADDRESS.search(row.text)
        if label is None:
            continue
        spans = [row.span(label.end(), len(row.text))] if row.text[label.end() :].strip() else []
        column = edges(row, Cell(label.end(), len(row.text)) if spans else Cell(*label.span()))
        for below in rows[number + 1 : number + 4]:
            if _ADDRESS_END.search(below.text):
                break
            cell = max(cells_of(below.text), key=lambda one: overlap(column, edges(below, one)), default=None)
            if cell is None or overlap(column, edges(below, cell)) <= 0:
                break
            spans.append(below.span(*cell))
        if spans:
            text = "".join(fold(row.page.text[a:b]).replace(" ", "") for a, b in spans)
            return [field("address", row.page, spans, text, 0.85)]
    return []


def _sex(rows: Sequence[Row]) -> list[Field]:
    """The sex, where OCR lost the blanks: 性别女民族汉."""
    for row in rows:
        if match := _SEX.search(row.text):
            return [field("sex", row.page, [row.span(*match.span(1))], match[1], 0.85)]
    return []


def _period(rows: Sequence[Row], entities: Sequence[Entity]) -> list[Field]:
    """Valid from and to: the two dates of 有效期限, of which the second may be 长期 (without end)."""
    sheet = Sheet(rows, entities)
    for number, row in enumerate(rows):
        if not _PERIOD.search(row.text):
            continue
        for line in rows[number : number + 2]:
            dates = [e for e in sheet.within("DATE", line.start, line.end) if e.value and len(e.value) == 10]
            if len(dates) == 2:
                return [
                    of_entity("valid_from", line, dates[0], 0.9),
                    of_entity("valid_to", line, dates[1], 0.9),
                ]
            if len(dates) == 1 and "长期" in line.text:
                return [of_entity("valid_from", line, dates[0], 0.9)]
    return []


def _full_name(rows: Sequence[Row], entities: Sequence[Entity]) -> list[Field]:
    parts = {one.name: one for one in find_labelled(rows, entities, _PARTS)}
    if {"surname", "given"} - parts.keys():
        return []
    given, surname = parts["given"], parts["surname"]
    spans = [(p.start, p.end) for p in (given, surname) if p.start is not None and p.end is not None]
    score = 0.9 * min(given.confidence, surname.confidence)
    return [field("name", rows[0].page, spans, f"{given.value} {surname.value}", score)]


def _normal(one: Field) -> Field:
    """Sex as M or F."""
    if one.name != "sex" or one.value is None:
        return one
    value = next(
        (_SPOKEN[word] for word in re.split("/", one.value.lower()) if word in _SPOKEN), one.value[:1].upper()
    )
    return structs.replace(one, value=value)
