"""Entities found in the specifications of Microsoft Recognizers-Text: inputs with the values they resolve to.

    python benchmarks/recognizers.py FOLDER [-v]

FOLDER contains specification files (`NumberWithUnit_English_CurrencyModel.json`, `DateTime_English_DateTimeModel.json`,
`Sequence_English_PhoneNumberModel.json`, ... of the project's `Specs` folder). Printed for each type: found with the
right value, with another value, missed, and false positives: entities where the specification has nothing. Amounts
in hundredth parts (50 cents) and in currencies that the specification gives no ISO code are counted separately, as they
may be right with another value: here 50 cents is 0.50. Of dates those that name their year count. -v lists the rest.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from pipeline import ner
from pipeline.models import Mention
from pipeline.settings import Settings

_TYPES = {"Currency": "MONEY", "PhoneNumber": "PHONE", "Email": "EMAIL", "URL": "URL", "DateTime": "DATE"}
_UNITS = {"Dollar": "USD", "Pound": "GBP", "Euro": "EUR", "Chinese yuan": "CNY", "Japanese yen": "JPY"}
_DATE_TYPES = ("datetimeV2.date", "datetimeV2.datetime")
_LISTED = 45


@dataclass(frozen=True)
class Wanted:
    """A span of a specification with the value it resolves to; `currency` only of amounts."""

    start: int
    end: int
    value: str
    currency: str | None = None
    rare: bool = False


def main() -> None:
    """Print a line per type."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="specification files")
    parser.add_argument("-v", "--verbose", action="store_true", help="list what is not right")
    arguments = parser.parse_args()
    engine = ner.load(Settings.from_env())
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    notes: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path in sorted(arguments.folder.glob("*.json")):
        kind = next((kind for part, kind in _TYPES.items() if part in path.stem), None)
        if kind is None:
            continue
        specs = json.loads(path.read_text(encoding="utf-8-sig"))
        for spec, found in zip(specs, engine.extract([spec["Input"] for spec in specs]), strict=True):
            mentions = [mention for mention in found if mention.type == kind]
            for name, outcome, note in outcomes(spec, kind, mentions):
                counts[name][outcome] += 1
                notes[name, outcome].append(note)
    for name, count in counts.items():
        total = sum(count.values()) - count["false positive"]
        others = ", ".join(f"{each} {count[each]}" for each in ("other value", "missed", "false positive"))
        print(
            f"{name:16s} {count['right']:4d} of {total:4d} right ({count['right'] / max(total, 1):.3f}), {others}"
        )
    for (name, outcome), each in notes.items() if arguments.verbose else ():
        if outcome != "right":
            print(f"== {name}: {outcome} {len(each)}", *each[:_LISTED], sep="\n   ")


def outcomes(spec: dict[str, Any], kind: str, mentions: Sequence[Mention]) -> Iterator[tuple[str, str, str]]:
    """For each wanted span and each mention elsewhere: the line it counts in, the outcome, a note."""
    text = spec["Input"]
    for wanted in wanted_of(spec, kind):
        name = f"{kind} (rarer)" if wanted.rare else kind
        touching = [m for m in mentions if m.start < wanted.end and wanted.start < m.end]
        printed = f"{text[wanted.start : wanted.end]!r} = {wanted.value} {wanted.currency or ''}"
        if not touching:
            yield name, "missed", f"{printed} in {text!r}"
            continue
        best = max(touching, key=lambda m: min(m.end, wanted.end) - max(m.start, wanted.start))
        outcome = "right" if _same(best, wanted, kind, text) else "other value"
        yield (
            name,
            outcome,
            f"{printed}, found {text[best.start : best.end]!r} = {best.value} {best.currency or ''}",
        )
    spans = [_span(each, text) for each in spec["Results"]]
    for mention in mentions:
        if not any(mention.start < end and start < mention.end for start, end in spans):
            yield (
                kind,
                "false positive",
                f"{text[mention.start : mention.end]!r} = {mention.value} in {text!r}",
            )


def wanted_of(spec: dict[str, Any], kind: str) -> Iterator[Wanted]:
    """What should be found in the input of a specification."""
    for result in spec["Results"]:
        start, end = _span(result, spec["Input"])
        resolution = result.get("Resolution") or {}
        if kind == "MONEY":
            unit, value = resolution.get("unit"), resolution.get("value")
            if unit and _decimal(value) is not None:
                code = resolution.get("isoCurrency") or _UNITS.get(unit)
                yield Wanted(start, end, str(value), code, rare=code is None)
        elif kind == "DATE":
            if value := _day(result, resolution):
                yield Wanted(start, end, value)
        else:
            yield Wanted(start, end, result["Text"])


def _span(result: dict[str, Any], text: str) -> tuple[int, int]:
    start = result.get("Start", text.lower().find(result["Text"].lower()))
    return start, result.get("End", start + len(result["Text"]) - 1) + 1


def _day(result: dict[str, Any], resolution: dict[str, Any]) -> str | None:
    """The ISO date, if there is one and its year is printed."""
    days = {value.get("timex", "")[:10] for value in resolution.get("values") or ()}
    if result.get("TypeName") not in _DATE_TYPES or len(days) != 1:
        return None
    (day,) = days
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", day):
        return None
    year = re.search(rf"{day[:4]}|(?<!\d){day[2:4]}(?!\d)", result["Text"])
    return day if year and re.search(r"\d", result["Text"].replace(day[:4], "", 1)) else None


def _same(mention: Mention, wanted: Wanted, kind: str, text: str) -> bool:
    if kind == "MONEY":
        same = _decimal(mention.value) == _decimal(wanted.value)
        return same and wanted.currency in (None, mention.currency)
    if kind == "DATE":
        return mention.value == wanted.value
    printed = (text[mention.start : mention.end], text[wanted.start : wanted.end])
    if kind == "PHONE":
        first, second = (re.sub(r"\D", "", each) for each in printed)
    else:
        first, second = (each.lower() for each in printed)
    return first == second


def _decimal(value: str | None) -> Decimal | None:
    try:
        return Decimal(str(value).replace(",", ""))
    except InvalidOperation:
        return None


if __name__ == "__main__":
    main()
