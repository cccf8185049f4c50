"""Share of SROIE receipts whose key date and key total are found as DATE and MONEY entities.

    python benchmarks/fields_recall.py [DATA] --store STORE   # entities of a finished `nightshift run`
    python benchmarks/fields_recall.py [DATA] --gold          # recognisers on the human transcripts
    python benchmarks/fields_recall.py [DATA] --texts FOLDER  # recognisers on <stem>.txt page texts

DATA contains `sroie/key/*.json` and `sroie/box/*.csv` (default: $NIGHTSHIFT_DATA, else data).
With --store a receipt is matched by the file stem of the result's `source`; a receipt without a result
counts as missed. A date counts when some DATE entity has the key's ISO value, a total when some MONEY
entity equals it as a decimal number, whatever its currency.
"""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from pipeline.models import DocumentResult, Entity, Mention, from_json
from pipeline.ner.overlap import resolve
from pipeline.ner.patterns.finder import find

_KEY_DATES: tuple[str, ...] = (
    "%d/%m/%Y",
    "%d-%m-%Y",
    "%d.%m.%Y",
    "%d/%m/%y",
    "%d-%m-%y",
    "%d.%m.%y",
    "%d %b %Y",
    "%d %b %y",
)
_KEY_DATES += (
    "%d-%b-%Y",
    "%d-%b-%y",
    "%d%b%Y",
    "%d%b%y",
    "%d %B %Y",
    "%d/%b/%Y",
    "%Y%m%d",
    "%Y-%m-%d",
    "%Y/%m/%d",
)
_KEY_DATES += ("%b %d, %Y", "%B %d, %Y", "%d %B, %Y", "%d-%B-%Y", "%m/%d/%Y")

Found = Mention | Entity


def key_date(text: str) -> str | None:
    """The key's date as ISO, day first; `None` if the format is unknown."""
    clean = re.sub(r"\s+", " ", text.strip())
    for form in _KEY_DATES:
        try:
            return datetime.strptime(clean, form).date().isoformat()
        except ValueError:
            continue
    return None


def key_total(text: str) -> Decimal:
    """The key's total as a number."""
    return Decimal(re.sub(r"RM|[$,\s]", "", text.upper()))


def rows_of(box_file: Path) -> str:
    """Arrange a transcript's boxes in rows, left to right, like a page text."""
    rows: list[tuple[float, float, list[tuple[float, str]]]] = []
    with box_file.open(encoding="utf-8", errors="replace", newline="") as file:
        cells = [line.rstrip("\r\n").split(",", 8) for line in file if line.count(",") >= 8]
    boxes = sorted(
        ((float(c[1]) + float(c[5])) / 2, float(c[5]) - float(c[1]), float(c[0]), c[8]) for c in cells
    )
    for middle, height, left, text in boxes:
        for row_middle, row_height, row in reversed(rows[-3:]):
            if abs(row_middle - middle) < 0.5 * min(height, row_height):
                row.append((left, text))
                break
        else:
            rows.append((middle, height, [(left, text)]))
    return "\n".join(" ".join(text for _, text in sorted(row)) for _, _, row in rows)


def stored(store: Path) -> dict[str, tuple[str, list[Entity]]]:
    """Page text and entities of each result in a store, by the stem of its source."""
    pages = {}
    for path in sorted(store.glob("results/**/*.json")):
        result = from_json(path.read_bytes(), DocumentResult)
        pages[Path(result.source).stem] = ("\n".join(p.text for p in result.pages), list(result.entities))
    return pages


def read(args: argparse.Namespace, stems: Iterable[str]) -> dict[str, tuple[str, Sequence[Found]]]:
    if args.store:
        return dict(stored(args.store))
    texts: dict[str, tuple[str, Sequence[Found]]] = {}
    for stem in stems:
        if args.gold:
            text = rows_of(args.data / "sroie/box" / f"{stem}.csv")
        else:
            text = (args.texts / f"{stem}.txt").read_text(encoding="utf-8")
        texts[stem] = (text, resolve(find(text)))
    return texts


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    default = os.environ.get("NIGHTSHIFT_DATA", "data")
    parser.add_argument("data", nargs="?", type=Path, default=Path(default))
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--store", type=Path)
    source.add_argument("--gold", action="store_true")
    source.add_argument("--texts", type=Path)
    parser.add_argument("--show", action="store_true", help="print every DATE and MONEY entity with its row")
    args = parser.parse_args()

    keys = {
        p.stem: json.loads(p.read_text(encoding="utf-8"))
        for p in sorted((args.data / "sroie/key").glob("*.json"))
    }
    pages = read(args, keys)
    hits = {"date": 0, "total": 0}
    counts = {"DATE": 0, "MONEY": 0}
    for stem, key in keys.items():
        text, entities = pages.get(stem, ("", []))
        values = {kind: [e.value for e in entities if e.type == kind and e.value] for kind in counts}
        date, total = key_date(key["date"]), key_total(key["total"])
        found = {"date": date in values["DATE"], "total": total in map(Decimal, values["MONEY"])}
        for field, hit in found.items():
            hits[field] += int(hit)
            if not hit:
                print(f"missed {stem} {field}: {key[field]!r}" + ("" if stem in pages else " (no result)"))
        for kind in counts:
            counts[kind] += len(values[kind])
        if args.show:
            show(stem, text, entities)
    size = len(keys)
    for field, number in hits.items():
        print(f"{field}: {number}/{size} = {number / size:.4f}")
    for kind, count in counts.items():
        print(f"{kind} entities per page: {count / size:.1f}")


def show(stem: str, text: str, entities: Iterable[Found]) -> None:
    for entity in entities:
        if entity.type in {"DATE", "MONEY"}:
            start = text.rfind("\n", 0, entity.start) + 1
            row = text[start : (text.find("\n", entity.end) + 1 or len(text) + 1) - 1]
            print(f"{stem} {entity.type:5} {entity.value:>12} {entity.currency or '-':4} | {row}")


if __name__ == "__main__":
    main()
