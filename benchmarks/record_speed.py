"""CPU time of the pattern recognisers and of the fields, per document of a store.

    python benchmarks/record_speed.py STORE [--rounds 7]

STORE is the output of `nightshift run`. The best of several rounds counts, after one that is not counted. To compare
two versions, run this file with the Python of each, in turn.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

from pipeline import fields
from pipeline.models import DocumentResult, from_json
from pipeline.ner.overlap import resolve
from pipeline.ner.patterns import finder as patterns
from pipeline.settings import Settings


def best(rounds: int, work: Callable[[], None]) -> float:
    """CPU seconds of the fastest round."""
    spent = []
    for _ in range(rounds + 1):
        started = time.process_time()
        work()
        spent.append(time.process_time() - started)
    return min(spent[1:])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("store", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    results = [
        from_json(path.read_bytes(), DocumentResult) for path in sorted(args.store.glob("results/**/*.json"))
    ]
    filler = fields.load(Settings.from_env())

    def recognise() -> None:
        for result in results:
            for page in result.pages:
                resolve(patterns.find(page.text))

    def fill() -> None:
        for result in results:
            filler.fill(result.pages, result.entities)

    characters = sum(len(page.text) for result in results for page in result.pages)
    found, filled = best(args.rounds, recognise), best(args.rounds, fill)
    per = 1000 / max(len(results), 1)
    print(
        f"{len(results)} documents: patterns {found * per:.2f} ms, fields {filled * per:.2f} ms per document, "
        f"{characters / (found + filled):,.0f} characters/s together"
    )


if __name__ == "__main__":
    main()
