"""Entity F1 of the NER engines on a file of the MSRA corpus, and their speed.

    python benchmarks/ner_msra.py [DATA] [--file FILE] [--engine lac|lac+patterns ...]

The file (default DATA/ner/msra_test.char.bmes; DATA is $NIGHTSHIFT_DATA or data) has one
character and its BMES tag per line, a blank line after each sentence: NR person, NS place, NT organisation.

Exact spans are counted. A mention is right if type, start and end all equal a gold entity's; PER = NR,
LOC = NS, ORG = NT; mentions of other types are ignored. P = right/found, R = right/gold, F1 their harmonic
mean; "all" counts the three types together (micro). Sentences are passed unchanged, all in one call;
loading time and reading time of an engine are reported separately.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from pipeline import ner  # noqa: E402
from pipeline.ner.base import NerEngine  # noqa: E402
from pipeline.ner.lac import LacEngine  # noqa: E402
from pipeline.settings import Settings  # noqa: E402

TYPES = {"NR": "PER", "NS": "LOC", "NT": "ORG"}
Span = tuple[str, int, int]


class Sentence(NamedTuple):
    """One sentence and its entities."""

    text: str
    gold: frozenset[Span]


def read(path: Path) -> Iterator[Sentence]:
    """Yield the sentences of a BMES file."""
    for block in path.read_text("utf-8").split("\n\n"):
        rows = [line.rsplit(" ", 1) for line in block.split("\n") if line]
        if rows:
            yield Sentence("".join(row[0] for row in rows), frozenset(spans([row[1] for row in rows])))


def spans(tags: Sequence[str]) -> Iterator[Span]:
    """Yield (type, start, end) of the entities encoded by BMES tags."""
    start = 0
    for at, tag in enumerate(tags):
        if tag[0] in "BS":
            start = at
        if tag[0] in "ES":
            yield TYPES[tag[2:]], start, at + 1


def score(sentences: Iterable[Sentence], found: Iterable[set[Span]]) -> list[str]:
    """Return one line per type, and one for all: P, R and F1 in percent, and the underlying counts."""
    right, guessed, gold = Counter[str](), Counter[str](), Counter[str]()
    for sentence, guess in zip(sentences, found, strict=True):
        for counts, items in ((right, guess & sentence.gold), (guessed, guess), (gold, sentence.gold)):
            counts.update(kind for kind, _, _ in items)
            counts["all"] += len(items)
    rows = []
    for kind in (*TYPES.values(), "all"):
        precision, recall = right[kind] / max(guessed[kind], 1), right[kind] / max(gold[kind], 1)
        f1 = 2 * right[kind] / max(guessed[kind] + gold[kind], 1)
        counted = f"({right[kind]} right, {guessed[kind]} found, {gold[kind]} gold)"
        rows.append(f"  {kind:4} P {precision:6.1%}  R {recall:6.1%}  F1 {f1:6.1%}  {counted}")
    return rows


def engine_of(name: str) -> NerEngine:
    settings = Settings(ner_engine="lac")
    return LacEngine(settings) if name == "lac" else ner.load(settings)


def measure(name: str, sentences: Sequence[Sentence]) -> None:
    started = time.perf_counter()
    engine = engine_of(name)
    engine.extract(["你好"])
    loaded = time.perf_counter()
    mentions = engine.extract([sentence.text for sentence in sentences])
    seconds = time.perf_counter() - loaded
    found = [{(m.type, m.start, m.end) for m in each if m.type in TYPES.values()} for each in mentions]
    characters = sum(len(sentence.text) for sentence in sentences)
    speed = f"{seconds:.1f} s for {characters:,} characters ({characters / seconds:,.0f}/s)"
    print(f"{name}: loaded in {loaded - started:.1f} s; {speed}; model {engine.info.digest}")
    print("\n".join(score(sentences, found)))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    default = os.environ.get("NIGHTSHIFT_DATA", "data")
    parser.add_argument("data", nargs="?", type=Path, default=Path(default), metavar="DATA")
    parser.add_argument("--file", type=Path, help="another file of the same layout")
    parser.add_argument(
        "--engine", nargs="+", default=["lac", "lac+patterns"], choices=["lac", "lac+patterns"]
    )
    options = parser.parse_args()
    path = options.file or options.data / "ner" / "msra_test.char.bmes"
    if not path.is_file():
        print(f"{path} does not exist: name the data folder or use --file.", file=sys.stderr)
        return 2
    sentences = list(read(path))
    print(f"{path.name}: {len(sentences)} sentences")
    for name in options.engine:
        measure(name, sentences)
    return 0


if __name__ == "__main__":
    sys.exit(main())
