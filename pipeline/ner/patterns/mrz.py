"""MRZ: the machine-readable zone of passports, identity cards and visas (ICAO 9303), with its check digits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

import msgspec

from pipeline.models import Mention
from pipeline.ner.characters import found, plain
from pipeline.ner.patterns.labels import UNCHECKED

_FORMATS = {"TD1": (3, 30), "TD3": (2, 44), "TD2": (2, 36)}
"""Number of lines, and characters per line."""
_ADDED, _LEFT_OUT = 4, 14
"""Characters that OCR may add to a run of fillers, or leave out."""
_JOINED = {2 * 44: 44, 2 * 36: 36, 3 * 30: 30}
"""Lengths of all lines as one, and of each."""
_LONGEST = 90
_FEWEST_FILLERS = 5
_FILLERS = str.maketrans({"«": "<", "‹": "<", "〈": "<", "《": "<", "く": "<", "≤": "<"})
_LINE = re.compile(r"[A-Z0-9<]{20,50}", re.ASCII)
_ODD, _FEW_ODD = re.compile(r"[^A-Z0-9<]", re.ASCII), 3
_DATES = re.compile(r"(?:[A-Z0-9<]{9}[0-9O][A-Z<]{3})?[0-9<O]{6}[0-9O][MFX<][0-9O]{7}[A-Z0-9<]+")
"""The line that has the dates."""
_HEAD = re.compile(r"[PVIAC][A-Z0-9<][A-Z0-9<]{3}")
_NAMES = re.compile("[A-Z]<<[A-Z]|<<<<<")
_RUN = re.compile("<+")
# Where only digits, or only letters, may occur, OCR's confusions can be undone; check digits verify the result.
_DIGITS = str.maketrans("OQDILZSGB", "000112568")
_LETTERS = str.maketrans("01258", "OIZSB")
_VALUES = {c: value for value, c in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")} | {"<": 0}
_YOUNGEST = 5
"""Years that a document is valid at least: who was born later than that before its expiry was born a century ago."""


class Mrz(msgspec.Struct, frozen=True, kw_only=True):
    """A machine-readable zone. Dates are ISO, or `None` if they are unknown or no dates.

    `kind`: TD1, TD2 or TD3, `document`: its letters, such as P, ID or V. `checks`: which check digits are right:
    `number`, `birth_date`, `expiry`, and `composite` where the format has it. `lines`: as read, without spaces.
    `start` and `end`: its span in the text.
    """

    kind: str
    document: str
    issuer: str
    number: str
    surname: str
    given_names: str
    birth_date: str | None
    sex: str | None
    nationality: str
    expiry: str | None
    checks: dict[str, bool]
    lines: tuple[str, ...]
    start: int
    end: int

    @property
    def name(self) -> str:
        """Given names and surname."""
        return f"{self.given_names} {self.surname}".strip()

    @property
    def valid(self) -> bool:
        """Whether all check digits are right."""
        return all(self.checks.values())


def read_mrz(text: str) -> Mrz | None:
    """The first machine-readable zone of `text`, whether or not its check digits are right."""
    return next((zone for zone in _zones(text) if isinstance(zone, Mrz)), None)


def find_mrzs(text: str) -> Iterator[Mention]:
    """Yield the MRZ mentions of `text`, whole; the value are its lines, `None` if a check digit is wrong.

    A single line of that form, whose others could not be read, is one as well.
    """
    for zone in _zones(text):
        if isinstance(zone, Mrz):
            value = "\n".join(zone.lines) if zone.valid else None
            yield found("MRZ", (zone.start, zone.end), 0.99 if zone.valid else UNCHECKED, value)
        else:
            yield found("MRZ", zone, UNCHECKED, None)


def _zones(text: str) -> Iterator[Mrz | tuple[int, int]]:
    """The zones of a text, and the spans of single lines of such form."""
    page = plain(text).translate(_FILLERS)
    if "<" not in page:
        return
    rows = _rows(page)
    at = 0
    while at < len(rows):
        zone = _zone(rows[at : at + 3])
        if zone:
            yield zone
        elif _is_line(rows[at][0]):
            yield rows[at][1:]
        at += len(zone.lines) if zone else 1


def _is_line(line: str) -> bool:
    if not _LINE.fullmatch(line) or line.count("<") < _FEWEST_FILLERS:
        return False
    return bool(_DATES.match(line) or (_HEAD.match(line) and _NAMES.search(line)))


def _rows(page: str) -> list[tuple[str, int, int]]:
    """Each line with text: without spaces, and its span; lines of a zone that are printed as one are separated."""
    rows: list[tuple[str, int, int]] = []
    start = 0
    for line in page.split("\n"):
        bare = line.strip()
        if bare:
            first = start + line.index(bare[0])
            row = _cleaned(bare.replace(" ", "").upper())
            width = _JOINED.get(len(row), len(row)) if _HEAD.match(row) else len(row)
            rows += [(row[at : at + width], first, first + len(bare)) for at in range(0, len(row), width)]
        start += len(line) + 1
    return rows


def _cleaned(line: str) -> str:
    """The line with its few other characters, if any, as fillers."""
    if len(line) > _LONGEST or "<" not in line or len(_ODD.findall(line)) > _FEW_ODD:
        return line
    return _ODD.sub("<", line)


def _zone(rows: list[tuple[str, int, int]]) -> Mrz | None:
    lines = [row for row, _, _ in rows]
    if not _LINE.fullmatch(lines[0]) or not _HEAD.match(lines[0]):
        return None
    best: Mrz | None = None
    most = (0, 0)
    for kind, (count, width) in _FORMATS.items():
        fitted = [_fitted(line, width) for line in lines[:count]]
        fillers = sum(line.count("<") for line in lines[:count])
        if len(fitted) < count or not all(fitted) or fillers < _FEWEST_FILLERS:
            continue
        zone = _read(kind, fitted, (rows[0][1], rows[count - 1][2]))
        changed = sum(abs(len(line) - width) for line in lines[:count])
        right = (sum(zone.checks.values()), -changed)
        if right[0] and (best is None or right > most):
            best, most = zone, right
    return best


def _fitted(line: str, width: int) -> str:
    """The line with as many characters as its format has, by its longest run of fillers; empty if it can't be."""
    if not _LINE.fullmatch(line) or not width - _LEFT_OUT <= len(line) <= width + _ADDED:
        return ""
    if len(line) == width:
        return line
    run = max(_RUN.finditer(line), key=lambda match: match.end() - match.start(), default=None)
    size = run.end() - run.start() + width - len(line) if run else 0
    return line[: run.start()] + "<" * size + line[run.end() :] if run and size > 0 else ""


def _read(kind: str, lines: list[str], span: tuple[int, int]) -> Mrz:
    first, second = lines[0], lines[1]
    if kind == "TD2" and first.startswith("IDFRA"):
        return _french(first, second, span)
    if kind == "TD1":
        number, check = first[5:14], first[14]
        if check == "<" and first[15] != "<":
            # A longer number continues behind the filler that replaces its check digit.
            rest = first[15:30].split("<")[0]
            number, check = number + rest[:-1], rest[-1]
        birth, sex, expiry, nationality = second[0:7], second[7], second[8:15], second[15:18]
        names = lines[2]
        birth, expiry = birth.translate(_DIGITS), expiry.translate(_DIGITS)
        whole, composite = first[5:30] + birth + expiry + second[18:29], second[29]
    else:
        number, check, nationality = second[0:9], second[9], second[10:13]
        birth, sex, expiry = second[13:20], second[20], second[21:28]
        names = first[5:]
        birth, expiry = birth.translate(_DIGITS), expiry.translate(_DIGITS)
        whole, composite = second[0:10] + birth + expiry + second[28:-1], second[-1]
    number, right = _number(number, check)
    checks = {"number": right, "birth_date": _check(birth), "expiry": _check(expiry)}
    if first[0] != "V":
        checks["composite"] = _composite(whole, composite)
    surname, given = _names(names)
    until = _date(expiry[:6], None)
    return Mrz(
        kind=kind,
        document=first[:2].strip("<"),
        issuer=first[2:5].translate(_LETTERS).strip("<"),
        number=number.strip("<"),
        surname=surname,
        given_names=given,
        birth_date=_date(birth[:6], until),
        sex=sex if sex in "MF" else None,
        nationality=nationality.translate(_LETTERS).strip("<"),
        expiry=until,
        checks=checks,
        lines=tuple(lines),
        start=span[0],
        end=span[1],
    )


def _french(first: str, second: str, span: tuple[int, int]) -> Mrz:
    """The French identity card of 1988 to 2021, which has a format of its own and no date of expiry."""
    number, right = _number(second[0:12], second[12])
    birth = second[27:34].translate(_DIGITS)
    return Mrz(
        kind="TD2",
        document="ID",
        issuer="FRA",
        number=number,
        surname=_names(first[5:30])[0],
        given_names=second[13:27].translate(_LETTERS).replace("<", " ").strip(),
        birth_date=_date(birth[:6], None, 1900),
        sex=second[34] if second[34] in "MF" else None,
        nationality="FRA",
        expiry=None,
        checks={
            "number": right,
            "birth_date": _check(birth),
            "composite": _composite(first + second[:35], second[35]),
        },
        lines=(first, second),
        start=span[0],
        end=span[1],
    )


def _number(number: str, check: str) -> tuple[str, bool]:
    """The document number and whether its check digit is right; a letter O may be a zero."""
    digit = check.translate(_DIGITS)
    for one in (number, number.replace("O", "0")):
        if _sum(one) == digit:
            return one, True
    return number, False


def _check(with_digit: str) -> bool:
    return _sum(with_digit[:-1]) == with_digit[-1]


def _composite(whole: str, check: str) -> bool:
    digit = check.translate(_DIGITS)
    return any(_sum(one) == digit for one in (whole, whole.replace("O", "0")))


def _sum(characters: str) -> str:
    return str(sum(_VALUES[c] * (7, 3, 1)[i % 3] for i, c in enumerate(characters)) % 10)


def _names(field: str) -> tuple[str, str]:
    """Surname and given names: the surname ends with two fillers, the given names with three or more."""
    surname, _, rest = field.translate(_LETTERS).strip("<").partition("<<")
    return surname.replace("<", " "), rest.split("<<")[0].replace("<", " ").strip()


def _date(digits: str, until: str | None, century: int | None = None) -> str | None:
    """A date of two digits each; without `until` and `century` of this century, else a birthday before `until`."""
    if not digits.isdecimal():
        return None
    year, month, day = int(digits[:2]), int(digits[2:4]), int(digits[4:])
    start = century or (1900 if until and 2000 + year > int(until[:4]) - _YOUNGEST else 2000)
    try:
        return date(start + year, month, day).isoformat()
    except ValueError:
        return None
