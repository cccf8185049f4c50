"""Label files with one character or word and its tag per line, a blank line after each sentence (CoNLL)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pipeline.errors import UsageError
from pipeline.ner.bioes import may_follow, spans_of
from pipeline.ner.training.sentences import Sentence

_TAG = re.compile(r"O|([BIMES])[-_](\S+)")
_WORD = re.compile(r"[^\W\d_\u2e80-\uffef]{2,}.*")
_HAN = re.compile(r"[\u2e80-\uffef]")
_CLOSING, _OPENING = frozenset(".,;:!?)]}%'"), frozenset("([{$#")


class _Row(NamedTuple):
    line: int  # from 1
    token: str
    tag: str


def read_tagged(rows: Sequence[str], path: Path) -> list[Sentence]:
    """Parse lines `token … tag`, separated by white space, into sentences with character spans.

    Words of languages that use spaces are joined with spaces, single characters are not. Lines that begin
    with -DOCSTART- are skipped. Raises `UsageError` with the line number for a line without a tag and for
    tags that violate their scheme, which is detected from the prefixes used: BIO, BMES or BIOES.
    """
    blocks = _blocks(rows, path)
    marks = {row.tag[0]: row.line for block in reversed(blocks) for row in reversed(block)}
    if "M" in marks and "I" in marks:
        line = max(marks["M"], marks["I"])
        raise _bad(path, line, "mixes the prefixes M and I: use one scheme of BIO, BMES and BIOES")
    closes = not marks.keys().isdisjoint("MES")
    scheme = ("BMES" if "M" in marks else "BIOES") if closes else "BIO"
    spaced = any(_WORD.fullmatch(row.token) for block in blocks for row in block)
    return [_sentence(block, path, scheme, spaced) for block in blocks]


def _blocks(rows: Sequence[str], path: Path) -> list[list[_Row]]:
    blocks: list[list[_Row]] = [[]]
    for number, row in enumerate(rows, 1):
        if not row.strip() or row.startswith("-DOCSTART-"):
            blocks.append([])
            continue
        columns = row.split()
        token = row[0] if len(columns) == 1 and row[0].isspace() else columns[0]
        tag = columns[-1]
        if not token.isspace() and len(columns) < 2:
            raise _bad(path, number, "has no tag: use a character or word, a space and its tag")
        if not _TAG.fullmatch(tag):
            raise _bad(
                path, number, f"has the invalid tag '{tag}': use O, or B-, I-, M-, E- or S- and a type"
            )
        blocks[-1].append(_Row(number, token, tag if tag == "O" else f"{tag[0]}-{tag[2:]}"))
    return [block for block in blocks if block]


def _sentence(block: list[_Row], path: Path, scheme: str, spaced: bool) -> Sentence:
    text, places = "", []
    for row in block:
        if spaced and text and _parted(text[-1], row.token[0]):
            text += " "
        places.append((len(text), len(text) + len(row.token)))
        text += row.token
    tags = _closed(block, path, scheme)
    spans = tuple(
        span._replace(start=places[span.start][0], end=places[span.end - 1][1]) for span in spans_of(tags)
    )
    return Sentence(text, spans)


def _parted(before: str, after: str) -> bool:
    if _HAN.match(before) or _HAN.match(after):
        return False
    return after not in _CLOSING and before not in _OPENING


def _closed(block: list[_Row], path: Path, scheme: str) -> list[str]:
    """The tags of a sentence as BIOES, checked."""
    tags = [row.tag.replace("M-", "I-", 1) if row.tag[0] == "M" else row.tag for row in block]
    if scheme == "BIO":
        following = [*tags[1:], "O"]
        tags = [
            tag if tag == "O" else _close(tag, continues=after == f"I-{tag[2:]}")
            for tag, after in zip(tags, following, strict=True)
        ]
    last = ["O", *tags]
    for at, (before, tag) in enumerate(zip(last, [*tags, "O"], strict=True)):
        if not may_follow(before, tag):
            row = block[min(at, len(block) - 1)]
            problem = f"has {row.tag} after {block[at - 1].tag if at else 'nothing'}"
            if at == len(block):
                problem = f"ends its sentence with {row.tag}"
            raise _bad(path, row.line, f"{problem}, which {scheme} does not allow")
    return tags


def _close(tag: str, *, continues: bool) -> str:
    mark = {"B": "B" if continues else "S", "I": "I" if continues else "E"}[tag[0]]
    return mark + tag[1:]


def _bad(path: Path, line: int, what: str) -> UsageError:
    return UsageError(f"{path}, line {line} {what}.", code="bad_labels")
