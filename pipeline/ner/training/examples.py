"""Sentences as numbers: vocabulary, held-out split, batches by length."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.ner.bioes import Span, spell
from pipeline.ner.training.sentences import Sentence, apart
from pipeline.ner.windows import SIZE, lines

UNKNOWN = "<unknown>"
Ints = NDArray[np.int64]


class Example(NamedTuple):
    """Training input from one line: character and tag numbers."""

    characters: list[int]
    tags: list[int]


class Batch(NamedTuple):
    """Examples side by side, padded: `characters` and `tags` [B, T], `lengths` [B]."""

    characters: Ints
    tags: Ints
    lengths: Ints


def split(sentences: Sequence[Sentence], share: float, seed: int) -> tuple[list[Sentence], list[Sentence]]:
    """Split the sentences at random into a training part and a held-out part."""
    order = list(range(len(sentences)))
    random.Random(seed).shuffle(order)  # noqa: S311 - for order, not for secrets
    held = frozenset(order[: round(share * len(order))])
    return (
        [s for at, s in enumerate(sentences) if at not in held],
        [s for at, s in enumerate(sentences) if at in held],
    )


def pieces(sentence: Sentence) -> Iterator[Sentence]:
    """The lines of a sentence, long ones cut between entities; an entity across lines is dropped."""
    spans = apart(sentence.spans)
    for begin, stop in lines(sentence.text):
        start = begin
        while start < stop:
            end = min(start + SIZE, stop)
            end = next((s.start for s in spans if start < s.start < end < s.end), end)
            inside = [
                Span(s.type, s.start - start, s.end - start)
                for s in spans
                if start <= s.start and s.end <= end
            ]
            yield Sentence(sentence.text[start:end], tuple(inside))
            start = end


def characters(sentences: Sequence[Sentence], plain: Callable[[str], str], least: int) -> list[str]:
    """The characters that occur at least `least` times, most frequent first."""
    counts = Counter(character for sentence in sentences for character in plain(sentence.text))
    common = [c for c, n in counts.items() if n >= least and c.isprintable()]
    return sorted(common, key=lambda c: (-counts[c], c))


def encode(
    sentences: Sequence[Sentence],
    plain: Callable[[str], str],
    numbers: dict[str, int],
    tags: Sequence[str],
) -> list[Example]:
    """Number the characters (0: unknown) and tags of all lines of all sentences."""
    places = {tag: place for place, tag in enumerate(tags)}
    return [
        Example(
            [numbers.get(c, 0) for c in plain(piece.text)],
            [places[tag] for tag in spell(piece.spans, len(piece.text))],
        )
        for sentence in sentences
        for piece in pieces(sentence)
    ]


def batches(examples: Sequence[Example], size: int, draw: random.Random) -> list[Batch]:
    """Batches of about `size` characters, of similar length each, in random order."""
    near = sorted(examples, key=lambda e: len(e.characters) * draw.uniform(0.9, 1.1))
    groups: list[list[Example]] = []
    room = 0
    for example in near:
        if room < len(example.characters):
            groups.append([])
            room = size
        groups[-1].append(example)
        room -= len(example.characters)
    draw.shuffle(groups)
    return [pad(group) for group in groups]


def pad(group: Sequence[Example]) -> Batch:
    """Stack examples into one padded batch."""
    lengths = np.array([len(e.characters) for e in group], np.int64)
    size = len(group), int(lengths.max())
    made = Batch(np.zeros(size, np.int64), np.zeros(size, np.int64), lengths)
    for row, example in enumerate(group):
        made.characters[row, : lengths[row]] = example.characters
        made.tags[row, : lengths[row]] = example.tags
    return made
