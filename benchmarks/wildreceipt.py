"""Accuracy of the fields of receipts on annotated lines (WildReceipt): no pictures, so no errors of OCR.

    python benchmarks/wildreceipt.py FOLDER [--half even|odd] [--misses] [--receipts] [--samples FILE]

FOLDER contains `test.txt` (a receipt per line: JSON with `annotations` of `text`, `box`, `label`) and `class_list.txt`.
Each receipt becomes a page of lines, from which entities and fields are found. Amounts count where the annotation has
two decimals; a value is right if it is one of the annotated ones, and a tax also if it is their sum. A date is scored
where it can be read in one way, and month first where both day and month are possible and an address or phone number of
the USA is printed. `--half` takes every other receipt; the rules were developed on `even` only. `--receipts` reads each
as a receipt, whatever the classifier says. `--samples` writes the scores for `benchmarks/calibrate.py`.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from pipeline import fields, ner
from pipeline.documents.layout import assemble
from pipeline.fields.kinds import KINDS
from pipeline.fields.records import find_one
from pipeline.models import Entity, Field, Page, TextLine
from pipeline.ner.locale import localised
from pipeline.settings import Settings
from pipeline.steps.entities import entities_of
from samples import DEVELOPED_ON, Sample, write

AMOUNTS = {"subtotal": "Subtotal", "tax": "Tax", "tip": "Tips", "total": "Total"}
_MONTHS = {
    name: number
    for number, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
    )
}
_MONTH = "(" + "|".join(_MONTHS) + ")[a-z]*"
_GAP = "[-/. ,']*"
_YEAR = r"((?:19|20)\d\d|\d\d)(?![\d:])"
_AMOUNT = re.compile(r"(?<![\d.,])(\d{1,3}(?:[.,]\d{3})+|\d+)[.,](\d\d)(?!\d)")
_USA = re.compile(
    r"(?<![a-z])(?:A[LKZR]|C[AOT]|D[CE]|FL|GA|HI|I[DLNA]|K[SY]|LA|M[EDAINSOT]|N[EVHJMYCD]|O[HKR]|PA|RI|S[CD]|T[NX]|UT"
    r"|V[TA]|W[AVIY])[ ,.]*\d{5}(?!\d)|(?<!\d)\(?\d{3}\)?[ -]?\d{3}-\d{4}(?!\d)",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(
    r"singapore|malaysia|sdn|gst|vat|london|hong ?kong|dubai|india|\brs\.?\b|[£€]|\+\d", re.IGNORECASE
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--half", choices=("even", "odd"))
    parser.add_argument("--misses", action="store_true", help="print values that differ from the annotation")
    parser.add_argument("--receipts", action="store_true", help="do not classify")
    parser.add_argument("--samples", type=Path, help="write scores for benchmarks/calibrate.py")
    args = parser.parse_args()

    labels = (args.folder / "class_list.txt").read_text(encoding="utf-8").split()
    receipts = [
        json.loads(line) for line in (args.folder / "test.txt").read_text(encoding="utf-8").splitlines()
    ]
    settings = Settings.from_env()
    engine, filler = ner.load(settings), fields.load(settings)
    halves = {"even": receipts[::2], "odd": receipts[1::2]}
    if args.half is None:
        halves["all"] = receipts
    found_all: list[Sample] = []
    for half, chosen in halves.items():
        if args.half not in (None, half):
            continue
        tally = Tally()
        spent = 0.0
        for receipt in chosen:
            text, lines = assemble(lines_of(receipt), receipt["width"], receipt["height"])
            page = Page(number=1, width=receipt["width"], height=receipt["height"], text=text, lines=lines)
            (page,) = localised([page])
            entities = entities_of(page, engine.extract([text])[0])
            started = time.perf_counter()
            if args.receipts:
                kind, found = "receipt", find_one(page, entities, KINDS["receipt"].find)[0]
            else:
                record = (filler.scored if args.samples else filler.fill)([page], entities)
                kind, found = record.document_type, list(record.fields)
            spent += time.perf_counter() - started
            tally.add(receipt["file_name"], kind, found, entities, gold_of(receipt, labels))
        print(
            f"{half}: {len(chosen)} receipts, {dict(tally.kinds)}, {1000 * spent / len(chosen):.2f} ms per receipt"
        )
        tally.report(misses=args.misses and half != "all")
        if half != "all":
            found_all += [
                Sample(
                    "receipt",
                    key.split(",")[0],
                    score,
                    right,
                    ["even", "odd"].index(half),
                    DEVELOPED_ON if half == "even" else 1.0,
                    failed,
                )
                for key, score, right, failed in tally.sure
            ]
    if args.samples:
        write(args.samples, found_all)


def lines_of(receipt: dict[str, Any]) -> list[TextLine]:
    lines = []
    for mark in receipt["annotations"]:
        xs, ys = mark["box"][::2], mark["box"][1::2]
        corners = ((min(xs), min(ys)), (max(xs), min(ys)), (max(xs), max(ys)), (min(xs), max(ys)))
        if text := mark["text"].strip():
            lines.append(TextLine(text=text, box=corners, confidence=1.0))
    return lines


def gold_of(receipt: dict[str, Any], labels: Sequence[str]) -> dict[str, list[str]]:
    """The annotated texts, by label; all of them under an empty label."""
    gold: dict[str, list[str]] = defaultdict(list)
    for mark in receipt["annotations"]:
        gold[labels[mark["label"]]].append(mark["text"])
        gold[""].append(mark["text"])
    return gold


class Tally:
    """Counts per figure, and the misses."""

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self._right: Counter[str] = Counter()
        self._of: Counter[str] = Counter()
        self._misses: dict[str, list[str]] = defaultdict(list)
        self.sure: list[tuple[str, float, bool, bool]] = []

    def add(
        self,
        name: str,
        kind: str,
        found: Sequence[Field],
        entities: Sequence[Entity],
        gold: dict[str, list[str]],
    ) -> None:
        """Compare one receipt's fields with its annotation."""
        self.kinds[kind] += 1
        note = f"{name[-16:]} {kind}"
        value = {field.name: field for field in found if field.value is not None}
        if any(_AMOUNT.search(text) for text in gold["Total_value"]):
            self._mark("type", kind == "receipt", note)
        self._dates(note, value.get("date"), entities, gold)
        for field, label in AMOUNTS.items():
            self._amounts(note, field, value.get(field), gold[f"{label}_value"])
        if gold["Time_value"] and (clock := re.search(r"(\d{1,2})[:.](\d\d)", gold["Time_value"][0])):
            self._score("time", note, value.get("time"), lambda v: v[3:5] == clock[2], clock[0])
        if gold["Tel_value"]:
            numbers = [re.sub(r"\D", "", text) for text in gold["Tel_value"]]
            if 7 <= len(numbers[0]) <= 15:
                seen = [re.sub(r"\D", "", e.text) for e in entities if e.type == "PHONE"]
                ends = [number[-7:] for number in numbers if len(number) >= 7]
                self._mark("phone, entity", any(end in text for end in ends for text in seen), note)
                right = value.get("phone")
                self._score(
                    "phone", note, right, lambda v: any(end in v for end in ends), str(gold["Tel_value"])
                )
        if gold["Store_addr_value"]:
            lines = [squash(text) for text in gold["Store_addr_value"]]
            self._score(
                "address, all its letters",
                note,
                value.get("address"),
                lambda v: made_of(squash(v), lines),
                str(lines),
            )
        if gold["Store_name_value"]:
            names = [squash(text) for text in gold["Store_name_value"]]
            whole = "".join(names)
            own = value.get("company")
            printed = str(gold["Store_name_value"])
            self._mark("company, all its letters", bool(own and squash(own.value or "") == whole), note)
            self._score(
                "company, touches the name",
                note,
                own,
                lambda v: bool(squash(v)) and (squash(v) in whole or whole in squash(v)),
                printed,
            )

    def _dates(
        self, note: str, field: Field | None, entities: Sequence[Entity], gold: dict[str, list[str]]
    ) -> None:
        texts = [*gold["Date_value"], " ".join(gold["Date_value"])]
        readings = [days for text in texts if (days := list(days_of(text)))]
        if not readings:
            return
        page = "\n".join(gold[""])
        seen = {e.value for e in entities if e.type == "DATE"}
        if len({day for days in readings for day in days}) == 1:
            key, day = "date, one reading", readings[0][0]
        elif len(readings[0]) == 2 and _USA.search(page) and not _ELSEWHERE.search(page):
            key, day = "date, month first (USA)", readings[0][1]
        else:
            return
        self._mark(f"{key}, entity", day in seen, f"{note} {day} {sorted(map(str, seen))}")
        self._score(key, note, field, lambda value: value == day, day)

    def _amounts(self, note: str, name: str, field: Field | None, printed: Sequence[str]) -> None:
        found = [m for text in printed if (m := _AMOUNT.search(text))]
        wanted = [Decimal(re.sub("[.,]", "", m[1]) + "." + m[2]) for m in found]
        if not wanted:
            if name != "total":
                self._mark(f"{name}, none where none is annotated", field is None, f"{note} {shown(field)}")
            return
        right = set(wanted) | ({sum(wanted, Decimal(0))} if name == "tax" else set())
        self._score(name, note, field, lambda value: Decimal(value) in right, str(printed))

    def _score(self, key: str, note: str, field: Field | None, fits: Any, wanted: str) -> None:
        right = bool(field and field.value and fits(field.value))
        self._mark(key, right, f"{note} {wanted} {shown(field)}")
        if field is not None:
            self._mark(f"  {key}, of those given", right)
            self.sure.append((key, field.confidence, right, field.failed))

    def _mark(self, key: str, right: bool, note: str = "") -> None:
        self._of[key] += 1
        self._right[key] += right
        if not right and note:
            self._misses[key].append(note)

    def report(self, *, misses: bool) -> None:
        """Print the figures, and the misses if wanted."""
        for key in sorted(self._of, key=str.strip):
            share = self._right[key] / self._of[key]
            print(f"  {key:45} {self._right[key]:4} of {self._of[key]:4}  {share:.3f}")
        if self.sure:
            print(f"  right ones rank above wrong ones: {ranking(self.sure):.3f} (area under the ROC curve)")
        for key, notes in self._misses.items() if misses else ():
            print(f"  {key}:", *notes, sep="\n    ")


def ranking(sure: Sequence[tuple[str, float, bool, bool]]) -> float:
    """Share of the pairs of a right and a wrong value in which the right one has the higher confidence."""
    right = [confidence for _, confidence, fits, _ in sure if fits]
    wrong = [confidence for _, confidence, fits, _ in sure if not fits]
    above = sum((r > w) + 0.5 * (r == w) for r in right for w in wrong)
    return above / max(len(right) * len(wrong), 1)


def shown(field: Field | None) -> str:
    return f"-> {field.value} ({field.confidence:.2f}) {' '.join(field.checks)}" if field else "-> -"


def squash(text: str) -> str:
    return re.sub("[^a-z0-9]", "", text.lower())


def made_of(text: str, lines: Sequence[str]) -> bool:
    """Whether a text is made of these lines and nothing else, in any order."""
    for line in sorted(lines, key=len, reverse=True):
        if line not in text:
            return False
        text = text.replace(line, "", 1)
    return not text


def days_of(text: str) -> Iterator[str]:
    """The readings of a printed date, day first before month first."""
    text = text.lower()
    if m := re.search(r"(?<!\d)((?:19|20)\d\d)[-/.]?(\d{1,2})[-/.]?(\d{1,2})(?!\d)", text):
        orders = [(m[1], m[2], m[3])]
    elif m := re.search(rf"(\d{{1,2}})(?:st|nd|rd|th)?{_GAP}{_MONTH}{_GAP}{_YEAR}", text):
        orders = [(m[3], str(_MONTHS[m[2]]), m[1])]
    elif m := re.search(rf"{_MONTH}{_GAP}(\d{{1,2}})(?:st|nd|rd|th)?[-/. ,']+{_YEAR}", text):
        orders = [(m[3], str(_MONTHS[m[1]]), m[2])]
    elif m := re.search(r"(?<!\d)(\d{1,2})[-/.](\d{1,2})[-/.]((?:19|20)\d\d|\d\d(?!\d))", text):
        orders = [(m[3], m[2], m[1]), (m[3], m[1], m[2])]
    else:
        return
    seen = set()
    for year, month, day in orders:
        full = int(year) if len(year) == 4 else int(year) + (2000 if int(year) < 50 else 1900)
        try:
            value = date(full, int(month), int(day)).isoformat()
        except ValueError:
            continue
        if value not in seen:
            seen.add(value)
            yield value


if __name__ == "__main__":
    main()
