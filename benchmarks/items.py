"""Line items against what is known about papers: number of rows, sums, prices.

    python benchmarks/items.py --store STORE --truth truth.json    # invoices: rows, and whether they add up to the net
    python benchmarks/items.py --store STORE --keys sroie/key      # receipts: whether they add up to the total
    python benchmarks/items.py --receipts wildreceipt              # annotated lines: prices of the items

STORE is the output of `nightshift run`: its pages and entities are used, items are found again. `truth.json`: by file
name, an object with `items` (number of rows; 0 is unknown) and perhaps `net`. `wildreceipt`: `test.txt` and
`class_list.txt` as in SDMG-R; the lines are taken as annotated, without OCR. Invoices and receipts are read as such,
whatever the classifier says. `--misses` prints papers that differ.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

from pipeline.documents.layout import assemble
from pipeline.fields.items import Found, find_items
from pipeline.fields.items.sums import sum_of
from pipeline.models import DocumentResult, LineItem, Page, TextLine, from_json
from pipeline.ner.locale import localised

_CENT = Decimal("0.011")
_CASH = Decimal("0.06")
"""Totals paid in cash are rounded."""
_BANDS = (0.0, 0.6, 0.75, 0.9, 1.01)


def results_of(store: Path) -> Iterator[DocumentResult]:
    for path in sorted(store.glob("results/**/*.json")):
        yield from_json(path.read_bytes(), DocumentResult)


def read(kind: str, pages: Sequence[Page], result: DocumentResult | None) -> Found:
    fields = result.extraction.fields if result and result.extraction else ()
    return find_items(kind, localised(pages), result.entities if result else (), fields)


def invoices(store: Path, truth: Path, misses: bool) -> None:
    known = json.loads(truth.read_text(encoding="utf-8"))
    counts: Counter[str] = Counter()
    for result in results_of(store):
        gold = known.get(Path(result.source).name, {})
        if not gold.get("items"):
            continue
        items = read("invoice", result.pages, result).items
        counts["invoices"] += 1
        counts["rows right"] += len(items) == gold["items"]
        counts["add up to the net"] += "net" in gold and abs(sum_of(items) - Decimal(gold["net"])) < _CENT
        counts["rows"] += len(items)
        counts["rows with all of text, quantity, price, amount"] += sum(
            bool(i.description and i.quantity and i.unit_price and i.amount) for i in items
        )
        if misses and len(items) != gold["items"]:
            show(Path(result.source).name, items, f"{gold['items']} rows")
    print(dict(counts))


def receipts(store: Path, keys: Path, misses: bool) -> None:
    counts: Counter[str] = Counter()
    for result in results_of(store):
        key = keys / f"{Path(result.source).stem}.json"
        if not key.exists():
            continue
        total = amount(json.loads(key.read_text(encoding="utf-8"))["total"])
        items = read("receipt", result.pages, result).items
        same = total is not None and abs(sum_of(items) - total) < _CASH
        sure = any(item.confidence >= 0.85 for item in items)
        counts.update({"receipts": 1, "add up to the total": same, "surer by a printed sum": sure})
        counts["items"] += len(items)
        if misses and not (same or sure):
            show(result.source, items, f"total {total}")
    print(dict(counts))


def annotated(folder: Path, misses: bool) -> None:
    names = (folder / "class_list.txt").read_text(encoding="utf-8").split()
    counts: Counter[str] = Counter()
    right: Counter[float] = Counter()
    given: Counter[float] = Counter()
    papers = [json.loads(row) for row in (folder / "test.txt").read_text(encoding="utf-8").splitlines()]
    started = time.perf_counter()
    for paper in papers:
        page, gold = paper_of(paper, names)
        items = read("receipt", [page], None).items
        wanted = Counter(v for text in gold["Prod_price_value"] if (v := amount(text)) is not None)
        left = wanted.copy()
        for item in items:
            value = abs(Decimal(item.amount or 0))
            band = max(edge for edge in _BANDS if edge <= item.confidence)
            given[band] += 1
            if left[value] > 0:
                left[value] -= 1
                right[band] += 1
        found = sum(wanted.values()) - sum(left.values())
        counts.update({"receipts": 1, "prices": sum(wanted.values()), "found": found, "given": len(items)})
        counts["all prices right"] += found == len(items) == sum(wanted.values())
        if misses and not found == len(items) == sum(wanted.values()):
            show(paper["file_name"], items, f"missing {[str(v) for v in left.elements()]}")
    seconds = time.perf_counter() - started
    print(dict(counts), f"{1000 * seconds / len(papers):.1f} ms per receipt")
    print(
        f"recall {counts['found'] / counts['prices']:.3f}, precision {counts['found'] / counts['given']:.3f}"
    )
    for band in _BANDS[:-1]:
        if given[band]:
            print(f"  confidence from {band}: {right[band] / given[band]:.3f} of {given[band]} right")


def paper_of(paper: dict[str, object], names: Sequence[str]) -> tuple[Page, dict[str, list[str]]]:
    lines, gold = [], defaultdict(list)
    annotations = paper["annotations"]
    assert isinstance(annotations, list)
    for one in annotations:
        gold[names[one["label"]]].append(one["text"])
        xs, ys = one["box"][::2], one["box"][1::2]
        left, right, top, bottom = min(xs), max(xs), min(ys), max(ys)
        if one["text"].strip():
            box = ((left, top), (right, top), (right, bottom), (left, bottom))
            lines.append(TextLine(text=one["text"].strip(), box=box, confidence=1.0))
    width, height = int(str(paper["width"])), int(str(paper["height"]))
    text, placed = assemble(lines, width, height)
    return Page(number=1, width=width, height=height, text=text, lines=placed), gold


def amount(text: str) -> Decimal | None:
    match = re.search(r"(?<![0-9.,])([0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)[.,]([0-9]{2})(?![0-9])", text)
    return Decimal(f"{match[1].replace(',', '')}.{match[2]}") if match else None


def show(name: str, items: Sequence[LineItem], wanted: str) -> None:
    print(f"{name}: {wanted}, found {len(items)}, sum {sum_of(items)}")
    for item in items:
        print(
            f"  {item.description[:50]:50} {item.quantity} {item.unit} {item.unit_price} {item.amount}",
            item.confidence,
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--store", type=Path)
    parser.add_argument("--truth", type=Path)
    parser.add_argument("--keys", type=Path)
    parser.add_argument("--receipts", type=Path)
    parser.add_argument("--misses", action="store_true")
    args = parser.parse_args()
    if args.store and args.truth:
        invoices(args.store, args.truth, args.misses)
    if args.store and args.keys:
        receipts(args.store, args.keys, args.misses)
    if args.receipts:
        annotated(args.receipts, args.misses)


if __name__ == "__main__":
    main()
