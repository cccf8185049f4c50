"""Entity F1 of persons and organisations in résumés: LAC alone, and joined with the patterns.

    python benchmarks/ner_resume.py FOLDER

Each `*.bmes` file in FOLDER has one character and its BMES tag per line, a blank line after each sentence, as in
ResumeNER (Zhang and Yang 2018): NAME is PER, ORG is ORG, other tags are ignored. Exact spans are counted.

Exits with 1 if the F1 of a type is lower joined than with LAC alone: a pattern must never make it worse.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from pipeline import ner  # noqa: E402
from pipeline.ner.base import NerEngine  # noqa: E402
from pipeline.ner.lac import LacEngine  # noqa: E402
from pipeline.ner.scores import Scores, score  # noqa: E402
from pipeline.settings import Settings  # noqa: E402

TYPES = {"NAME": "PER", "ORG": "ORG"}
Span = tuple[str, int, int]


def read(path: Path) -> Iterator[tuple[str, set[Span]]]:
    """Yield the sentences of a file, each with its entities."""
    for block in path.read_text("utf-8").split("\n\n"):
        rows = [row.rsplit(" ", 1) for row in block.splitlines() if row.strip()]
        if rows:
            yield "".join(character for character, _ in rows), set(spans([tag for _, tag in rows]))


def spans(tags: Sequence[str]) -> Iterator[Span]:
    """Yield (type, start, end) of the entities encoded by BMES tags."""
    start = 0
    for at, tag in enumerate(tags):
        position, _, name = tag.partition("-")
        if position in ("B", "S"):
            start = at
        if position in ("E", "S") and name in TYPES:
            yield TYPES[name], start, at + 1


def measure(engine: NerEngine, sentences: Sequence[tuple[str, set[Span]]]) -> Scores:
    """Read the sentences and compare the entities found with those expected."""
    found = engine.extract([text for text, _ in sentences])
    kept = [{(m.type, m.start, m.end) for m in each if m.type in TYPES.values()} for each in found]
    return score([gold for _, gold in sentences], kept)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    files = sorted(parser.parse_args().folder.glob("*.bmes"))
    if not files:
        print("No *.bmes file in this folder.", file=sys.stderr)
        return 2
    sentences = [sentence for file in files for sentence in read(file)]
    settings = Settings(ner_engine="lac")
    alone, joined = (measure(engine, sentences) for engine in (LacEngine(settings), ner.load(settings)))
    print(f"{', '.join(file.name for file in files)}: {len(sentences)} sentences")
    for name, scores in (("LAC alone", alone), ("joined", joined)):
        for kind, f in scores.types.items():
            counts = f"({f.right} right, {f.found} found, {f.support} gold)"
            print(f"  {name:9} {kind}  P {f.precision:6.1%}  R {f.recall:6.1%}  F1 {f.f1:6.1%}  {counts}")
    return int(any(joined.types[kind].f1 < alone.types[kind].f1 for kind in alone.types))


if __name__ == "__main__":
    sys.exit(main())
