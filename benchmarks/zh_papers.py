"""Chinese invoices, tickets, ride lists and medical bills as text: types, and fields found, wrong and left out.

    python benchmarks/zh_papers.py PAGES.json [--misses]

PAGES.json: a list of `{"name", "text", "truth"}`; `text` has a row per line, cells parted by two blanks; `truth` has
the `type` and the right values by the names of their fields. Values are compared without blanks and brackets. A type
with a note, such as "vat_invoice (flat text)", is counted as the type and listed apart: a text that lost its layout.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from pipeline import fields, ner
from pipeline.documents.layout import assemble
from pipeline.models import Box, Extraction, Page, TextLine
from pipeline.settings import Settings
from pipeline.steps.entities import entities_of
from samples import DEVELOPED_ON, Sample, write

LEFT, STEP, HEIGHT, CELL, GAP, MIDDLE = 40.0, 30.0, 20.0, 10.0, 60.0, 820.0
_SIDES = re.compile(r"名 ?称|统一社会信用代码|方信息")
"""A row with two of these has the buyer in its left half and the seller in the right one."""


def page_of(text: str) -> Page:
    """A page with a line per cell; cells follow each other from the left."""
    rows = text.splitlines()
    lines = []
    for number, row in enumerate(rows):
        cells = [cell.strip() for cell in row.split("  ") if cell.strip()]
        halves = len(cells) > 1 and len(_SIDES.findall(row)) > 1
        left, top = LEFT, LEFT + STEP * number
        for place, cell in enumerate(cells):
            if halves and place == len(cells) // 2:
                left = MIDDLE
            right = left + CELL * sum(2 if c > "\u2e80" else 1 for c in cell)
            box: Box = ((left, top), (right, top), (right, top + HEIGHT), (left, top + HEIGHT))
            lines.append(TextLine(text=cell, box=box, confidence=1.0))
            left = right + GAP
    width, height = 1600, int(STEP * len(rows) + 4 * LEFT)
    joined, placed = assemble(lines, width, height)
    return Page(number=1, width=width, height=height, text=joined, lines=placed)


def bare(value: str) -> str:
    return re.sub(r"[\s()（）]", "", value)


def score(truth: dict[str, str], record: Extraction, counts: Counter[str]) -> list[str]:
    """Count the values of one paper; return what is not right."""
    found = {field.name: field for field in record.fields if field.value is not None}
    notes = []
    for name, value in truth.items():
        if name == "type":
            continue
        counts["printed"] += 1
        field = found.get(name)
        if field is None or field.value is None:
            notes.append(f"{name}: nothing, not {value}")
        elif bare(field.value) == bare(value):
            counts["right"] += 1
        else:
            counts["wrong"] += 1
            notes.append(f"{name}: {field.value} ({field.confidence}), not {value}")
    counts["more"] += len(found.keys() - truth.keys())
    return notes


def samples_of(truth: dict[str, str], record: Extraction, half: int) -> list[Sample]:
    return [
        Sample(
            record.document_type,
            f.name,
            f.confidence,
            bare(f.value) == bare(truth[f.name]),
            half,
            DEVELOPED_ON,
        )
        for f in record.fields
        if f.value is not None and f.name in truth
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pages", type=Path)
    parser.add_argument("--misses", action="store_true", help="print values that are missing or wrong")
    parser.add_argument("--samples", type=Path, help="write scores for benchmarks/calibrate.py")
    args = parser.parse_args()

    settings = Settings.from_env()
    engine, filler = ner.load(settings), fields.load(settings)
    papers: list[dict[str, Any]] = json.loads(args.pages.read_text(encoding="utf-8"))
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    types = 0
    samples: list[Sample] = []
    for number, paper in enumerate(papers):
        page = page_of(paper["text"])
        entities = entities_of(page, engine.extract([page.text])[0])
        record = filler.fill([page], entities)
        samples += samples_of(paper["truth"], filler.scored([page], entities), number % 2)
        kind = paper["truth"]["type"]
        right = record.document_type == kind.split(" (")[0]
        types += right
        notes = score(paper["truth"], record, counts[kind])
        if not right:
            print(f"{paper['name']}: {record.document_type} ({record.confidence}), not {kind}")
        for note in notes if args.misses else ():
            print(f"{paper['name']}: {note}")
    if args.samples:
        write(args.samples, samples)
    print(f"type right: {types} of {len(papers)}")
    counts["all"] = sum(counts.values(), Counter())
    for kind, one in counts.items():
        print(
            f"{kind:26s} {one['right']:3d} of {one['printed']:3d} values right, {one['wrong']} wrong, "
            f"{one['more']} more that the truth does not have"
        )


if __name__ == "__main__":
    main()
