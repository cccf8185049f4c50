"""Document types: leave-one-out over the examples, and the confusion on sets of documents whose type is known.

    python benchmarks/kinds.py [KIND[,KIND]=PATH ...] [--misses]

PATH is a store (output of `nightshift run`) or a folder of text files, all of whose documents are of the kind named
(or of one of the kinds). Each example is classified by a classifier fitted without it. Prints the types found, and
for each band of confidence how many were right.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from pipeline.fields import examples
from pipeline.fields.classifier import OTHER, Classifier
from pipeline.models import DocumentResult, from_json

_PAGES = 3


class Guess(NamedTuple):
    """A document: its possible right types, and what the classifier says."""

    name: str
    right: tuple[str, ...]
    found: str
    confidence: float

    @property
    def hit(self) -> bool:
        """Whether the type found is one of the right ones."""
        return self.found in self.right


def leave_one_out() -> Iterable[Guess]:
    texts = examples.load(None)
    for kind, own in texts.items():
        for number, text in enumerate(own):
            rest = {**texts, kind: [*own[:number], *own[number + 1 :]]}
            found = Classifier(rest).classify(text)
            yield Guess(" ".join(text.split())[:50], (kind,), *found)


def texts_of(path: Path) -> dict[str, str]:
    found = {file.stem: file.read_text(encoding="utf-8") for file in sorted(path.glob("*.txt"))}
    for file in sorted(path.glob("results/**/*.json")):
        result = from_json(file.read_bytes(), DocumentResult)
        found[Path(result.source).stem] = "\n".join(page.text for page in result.pages[:_PAGES])
    return found


def report(title: str, guesses: list[Guess], misses: bool) -> None:
    if not guesses:
        print(f"{title}: no documents")
        return
    right = sum(guess.hit for guess in guesses)
    wrong = sum(not guess.hit and guess.found != OTHER for guess in guesses)
    print(
        f"{title}: {right} of {len(guesses)} right ({right / len(guesses):.3f}), {wrong} given a wrong type, "
        f"{len(guesses) - right - wrong} left as other"
    )
    confused = Counter((guess.right[0], guess.found) for guess in guesses if not guess.hit)
    for (kind, found), count in sorted(confused.items(), key=lambda item: -item[1]):
        print(f"    {kind} -> {found}: {count}")
    for least in (0.9, 0.8, 0.7, 0.6, 0.0):
        band = [
            g for g in guesses if least <= g.confidence and (least == 0.9 or g.confidence < _above(least))
        ]
        if band:
            print(f"    confidence {least:.1f}: {sum(g.hit for g in band)} of {len(band)} right")
    for guess in guesses if misses else ():
        if not guess.hit:
            print(f"    {guess.name}: {guess.found} {guess.confidence}, not {' or '.join(guess.right)}")


def _above(least: float) -> float:
    return 0.6 if not least else round(least + 0.1, 1)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="*", metavar="KIND=PATH")
    parser.add_argument("--misses", action="store_true", help="print the documents with another type")
    args = parser.parse_args()
    report("leave-one-out", list(leave_one_out()), args.misses)
    fitted = Classifier(examples.load(None))
    for argument in args.sets:
        kinds, _, path = argument.partition("=")
        right = tuple(kinds.split(","))
        guesses = [Guess(n, right, *fitted.classify(text)) for n, text in texts_of(Path(path)).items()]
        report(argument, guesses, args.misses)


if __name__ == "__main__":
    main()
