"""F1 of the key information of receipts (SROIE), and the fields of the Chinese invoices.

    python benchmarks/fields.py [DATA] --store STORE [--half even|odd] [--misses] [--samples FILE]

STORE is the output of `nightshift run DATA/sroie/img DATA/zh_docs --out STORE`: its pages and entities are
used, the fields are extracted again. DATA contains `sroie/key/*.json`. Exact match: dates and totals as dates and
numbers, company and address after upper-casing and dropping spaces; a second figure drops punctuation too.
F1 counts a wrong value as false positive and false negative, a missing one as false negative only. The last line of
each part says how well confidence and checks single out the wrong values.
`--half` uses every other receipt in the order of their names: the rules were developed on `even` only.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import time
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from fields_recall import key_date, key_total

from pipeline import fields
from pipeline.fields.filler import Filler
from pipeline.models import DocumentResult, Extraction, Field, from_json
from pipeline.settings import Settings
from samples import DEVELOPED_ON, Sample, write

NAMES = ("company", "date", "address", "total")
INVOICES = ("invoice-1", "invoice-3", "vat_special_specimen")


def same(name: str, gold: str, value: str, *, punctuation: bool) -> bool:
    if name == "date":
        return key_date(gold) == value
    if name == "total":
        return key_total(gold) == Decimal(value)
    drop = r"[\W_]" if not punctuation else r"\s"
    return re.sub(drop, "", gold.upper()) == re.sub(drop, "", value.upper())


def results_of(store: Path) -> dict[str, DocumentResult]:
    found = (from_json(path.read_bytes(), DocumentResult) for path in sorted(store.glob("results/**/*.json")))
    return {Path(result.source).stem: result for result in found}


def f1(counts: Counter[str]) -> float:
    return 2 * counts["hit"] / max(2 * counts["hit"] + counts["wrong"] + counts["gold"] - counts["hit"], 1)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    default = os.environ.get("NIGHTSHIFT_DATA", "data")
    parser.add_argument("data", nargs="?", type=Path, default=Path(default))
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--half", choices=("even", "odd"))
    parser.add_argument("--misses", action="store_true", help="print values that differ from the key")
    parser.add_argument("--samples", type=Path, help="write scores for benchmarks/calibrate.py")
    args = parser.parse_args()

    started = time.perf_counter()
    filler = fields.load(Settings.from_env())
    fitted = time.perf_counter() - started
    results = results_of(args.store)
    keys = sorted((args.data / "sroie/key").glob("*.json"))
    halves = {"even": keys[::2], "odd": keys[1::2]}
    records: dict[str, Extraction] = {}
    started = time.process_time()
    for stem, result in results.items():
        records[stem] = filler.fill(result.pages, result.entities)
    each = (time.process_time() - started) / max(len(results), 1)
    print(f"classifier fitted in {fitted * 1000:.0f} ms; {each * 1000:.1f} ms of CPU per document")
    for half, paths in halves.items():
        if args.half in (None, half):
            report(half, paths, records, args.misses)
    if args.samples:
        write(args.samples, samples_of(filler, results, halves))
    if args.half is None:
        report("all", keys, records, False)
        for stem in INVOICES:
            if stem in records:
                show(stem, records[stem])


def samples_of(
    filler: Filler, results: dict[str, DocumentResult], halves: dict[str, list[Path]]
) -> Iterator[Sample]:
    for half, paths in enumerate(halves.values()):
        for path in paths:
            gold = json.loads(path.read_text(encoding="utf-8"))
            result = results[path.stem]
            for field in filler.scored(result.pages, result.entities).fields:
                if field.value is not None and field.name in gold:
                    right = same(field.name, gold[field.name], field.value, punctuation=False)
                    weight = 1.0 if half else DEVELOPED_ON
                    yield Sample("receipt", field.name, field.confidence, right, half, weight, field.failed)


def report(half: str, paths: list[Path], records: dict[str, Extraction], misses: bool) -> None:
    kinds = Counter(records[path.stem].document_type for path in paths if path.stem in records)
    print(f"{half}: {len(paths)} receipts, classified as {dict(kinds)}")
    judged: list[tuple[Field, bool]] = []
    for name in NAMES:
        strict: Counter[str] = Counter()
        loose: Counter[str] = Counter()
        for path in paths:
            gold = json.loads(path.read_text(encoding="utf-8"))[name]
            record = records.get(path.stem)
            found = next((f for f in record.fields if f.name == name), None) if record else None
            for counts, punctuation in ((strict, True), (loose, False)):
                counts["gold"] += 1
                if found and found.value:
                    hit = same(name, gold, found.value, punctuation=punctuation)
                    counts["hit" if hit else "wrong"] += 1
                    if punctuation:
                        judged.append((found, hit))
            if misses and not (found and found.value and same(name, gold, found.value, punctuation=True)):
                print(
                    f"  {path.stem} {name}: {gold!r} | {found.value if found else None!r} {found and found.confidence}"
                )
        print(
            f"  {name:8} F1 {f1(strict):.3f} ({strict['hit']}/{strict['gold']}, {strict['wrong']} wrong)"
            f"   without punctuation {f1(loose):.3f}"
        )

    right = [field for field, hit in judged if hit]
    wrong = [field for field, hit in judged if not hit]
    pairs = [
        (r.confidence > w.confidence) + 0.5 * (r.confidence == w.confidence) for r in right for w in wrong
    ]
    print(
        f"  to review: {sum(f.needs_review for f in wrong)} of {len(wrong)} wrong values,"
        f" {sum(f.needs_review for f in right)} of {len(right)} right ones;"
        f" a right one has the higher confidence in {sum(pairs) / max(len(pairs), 1):.3f} of the pairs"
    )


def show(stem: str, record: Extraction) -> None:
    print(f"{stem}: {record.document_type} ({record.confidence:.2f})")
    for field in record.fields:
        print(f"  {field.name:14} {format_value(field)}")


def format_value(field: Field) -> str:
    return f"{field.value} {field.currency or ''} ({field.confidence:.2f})" if field.value else "-"


if __name__ == "__main__":
    main()
