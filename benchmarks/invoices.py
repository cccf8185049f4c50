"""Fields of invoices against known values: recall of what is printed, precision of what is given.

    python benchmarks/invoices.py FOLDER --store STORE [--as-invoice] [--misses] [--samples FILE]

FOLDER contains `truth.json`: file name -> field -> value, for values that are printed. STORE is the output of
`nightshift run FOLDER/pdf --out STORE`: its pages and entities are used, the fields are extracted again. Text is
compared by letters and digits, a party also by one line of its name, amounts as numbers; a value that has no truth
does not count. `--as-invoice` skips the classifier. `--samples` writes the scores for `benchmarks/calibrate.py`; files
whose names differ only by digits and by the version of the standard are in the same half.
"""

from __future__ import annotations

import argparse
import json
import re
import time
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from zlib import crc32

from fields import results_of

from pipeline import fields
from pipeline.fields.filler import Filler
from pipeline.fields.kinds import KINDS
from pipeline.fields.values import is_amount
from pipeline.models import DocumentResult, Extraction, Field
from pipeline.ner.locale import localised
from pipeline.settings import Settings
from samples import DEVELOPED_ON, Sample, write

SURE = 0.5


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--as-invoice", action="store_true", help="read every document as an invoice")
    parser.add_argument("--misses", action="store_true", help="print values that differ from the truth")
    parser.add_argument("--samples", type=Path, help="write scores for benchmarks/calibrate.py")
    args = parser.parse_args()
    truth: dict[str, dict[str, str | int]] = json.loads((args.folder / "truth.json").read_text("utf-8"))
    results = results_of(args.store)
    filler = fields.load(Settings.from_env())
    started = time.perf_counter()
    records = {
        name: scored(filler, results[Path(name).stem], args.as_invoice)
        for name in truth
        if Path(name).stem in results
    }
    each = (time.perf_counter() - started) / max(len(records), 1)
    print(f"{len(records)} of {len(truth)} documents, {each * 1000:.1f} ms per document")
    report(truth, records, args.misses)
    if args.samples:
        write(args.samples, samples_of(truth, records))


def scored(filler: Filler, result: DocumentResult, as_invoice: bool) -> Extraction:
    """The record with the scores of the rules for confidences."""
    if not as_invoice:
        return filler.scored(result.pages, result.entities)
    find_all = KINDS["invoice"].find_all
    assert find_all is not None
    found, warnings = find_all(localised(result.pages), result.entities)
    return Extraction(document_type="invoice", confidence=1.0, fields=tuple(found), warnings=tuple(warnings))


def value_of(record: Extraction, name: str) -> Field | None:
    return next((f for f in record.fields if f.name == name and f.value is not None), None)


def fold(text: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).lower())


def same(name: str, gold: str, value: str) -> bool:
    if is_amount(name):
        return abs(float(value) - float(gold)) < 0.005
    if name not in ("seller", "buyer"):
        return fold(value) == fold(gold)
    lines = [fold(line) for line in gold.splitlines() if line.strip()]
    given = fold(value)
    return given in lines or any(len(x) > 4 and x in given and len(given) < 1.3 * len(x) for x in lines)


def report(
    truth: Mapping[str, Mapping[str, str | int]], records: Mapping[str, Extraction], misses: bool
) -> None:
    printed: Counter[str] = Counter()
    given: Counter[str] = Counter()
    right: Counter[str] = Counter()
    sure: Counter[bool] = Counter()
    for document, values in truth.items():
        record = records.get(document)
        for name, gold in values.items():
            if not isinstance(gold, str):
                continue
            printed[name] += 1
            found = value_of(record, name) if record else None
            hit = found is not None and same(name, gold, found.value or "")
            given[name] += found is not None
            right[name] += hit
            if found and found.confidence >= SURE:
                sure[hit] += 1
            if misses and not hit:
                print(
                    f"  {document} {name}: {gold!r} | {found and found.value!r} {found and found.confidence}"
                )
    for name in printed:
        print(f"{name:14} printed {printed[name]:3} given {given[name]:3} right {right[name]:3}")
    kinds = Counter(record.document_type for record in records.values())
    hits = sum(right.values())
    print(
        f"recall {hits / max(sum(printed.values()), 1):.3f}, precision {hits / max(sum(given.values()), 1):.3f}, "
        f"at {SURE} or more {sure[True] / max(sum(sure.values()), 1):.3f} of {sum(sure.values())}; types {dict(kinds)}"
    )


def samples_of(
    truth: Mapping[str, Mapping[str, str | int]], records: Mapping[str, Extraction]
) -> Iterator[Sample]:
    for document, record in records.items():
        family = re.sub(r"[0-9]|XML-Rechnung_FX|ZUGFeRDv|zugferd|p[0-9]", "", document)
        for name, gold in truth[document].items():
            found = value_of(record, name)
            if isinstance(gold, str) and found and found.value:
                right = same(name, gold, found.value)
                yield Sample(
                    "invoice", name, found.confidence, right, crc32(family.encode()) % 2, DEVELOPED_ON
                )


if __name__ == "__main__":
    main()
