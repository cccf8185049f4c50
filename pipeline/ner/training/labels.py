"""Read labelled text: tags line by line (BIO, BMES, BIOES) or JSON lines with spans."""

from __future__ import annotations

from pathlib import Path

import msgspec

from pipeline.errors import UsageError
from pipeline.ner.bioes import Span
from pipeline.ner.training.sentences import Sentence
from pipeline.ner.training.tagged import read_tagged


class _Entity(msgspec.Struct):
    type: str
    start: int
    end: int


class _Line(msgspec.Struct):
    """`entities`: half-open spans; `label`: type -> wording -> [start, last] (as CLUENER has it)."""

    text: str
    entities: list[_Entity] | None = None
    label: dict[str, dict[str, list[tuple[int, int]]]] | None = None


def read(path: Path) -> list[Sentence]:
    """Read a label file; JSON lines are distinguished from tags by the first character.

    Raises `UsageError` with the line number for invalid lines, and for a file that has no sentences, does
    not exist or is not UTF-8.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _bad(f"The label file {path} can't be read ({error.strerror}): name another.") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _bad(f"{path}, line {line} is not UTF-8: convert the file to UTF-8.") from None
    rows = [line.removesuffix("\r") for line in text.split("\n")]
    sentences = _read_json(rows, path) if text.lstrip().startswith("{") else read_tagged(rows, path)
    if not sentences:
        raise _bad(f"The label file {path} contains no sentences: name one with labelled text.")
    return sentences


def _read_json(rows: list[str], path: Path) -> list[Sentence]:
    sentences = []
    for number, row in enumerate(rows, 1):
        if row.strip():
            where = f"{path}, line {number}"
            try:
                line = msgspec.json.decode(row, type=_Line)
            except msgspec.DecodeError as error:
                raise _bad(f'{where} is not a JSON object {{"text", "entities"}} ({error}).') from None
            sentences.append(Sentence(line.text, tuple(_spans(line, where))))
    return sentences


def _spans(line: _Line, where: str) -> list[Span]:
    if line.entities is None and line.label is None:
        raise _bad(f"{where} has neither 'entities' nor 'label': use an empty list if there are no entities.")
    spans = [Span(entity.type, entity.start, entity.end) for entity in line.entities or ()]
    for kind, wordings in (line.label or {}).items():
        for wording, places in wordings.items():
            for start, last in places:
                spans.append(Span(kind, start, last + 1))
                if 0 <= start <= last < len(line.text) and line.text[start : last + 1] != wording:
                    raise _bad(
                        f"{where}: the text of the {kind} at {start} to {last} differs from its label."
                    )
    for kind, start, end in spans:
        if not 0 <= start < end <= len(line.text):
            raise _bad(f"{where}: the {kind} from {start} to {end} is outside its text, or empty.")
        if not kind or not kind.isprintable():
            raise _bad(f"{where}: an entity from {start} to {end} has no printable type.")
    return sorted(set(spans), key=lambda span: (span.start, span.end, span.type))


def _bad(message: str) -> UsageError:
    return UsageError(message, code="bad_labels")
