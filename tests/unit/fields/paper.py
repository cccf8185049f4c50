"""Build test pages from text: cells with a left edge, row by row."""

from pipeline import fields
from pipeline.documents.layout import assemble
from pipeline.models import Box, Entity, Field, Page, TextLine
from pipeline.ner.overlap import resolve
from pipeline.ner.patterns.finder import find
from pipeline.settings import Settings
from pipeline.steps.entities import entities_of

HEIGHT, STEP, WIDTH = 20.0, 30.0, 10.0


def page(rows: str, number: int = 1) -> Page:
    """A page with one line of text per cell; cells are separated by two or more spaces, their position gives x."""
    lines = []
    for place, row in enumerate(rows.strip("\n").splitlines()):
        at = 0
        for piece in row.split("  "):
            text = piece.strip()
            if text:
                left = WIDTH * (at + len(piece) - len(piece.lstrip()))
                lines.append(line(text, left, STEP * place))
            at += len(piece) + 2
    text, placed = assemble(lines, 1500, 2000)
    return Page(number=number, width=1500, height=2000, text=text, lines=placed)


def line(text: str, left: float, top: float) -> TextLine:
    wide = sum(2 * WIDTH if c > "\u3000" else WIDTH for c in text)
    box: Box = ((left, top), (left + wide, top), (left + wide, top + HEIGHT), (left, top + HEIGHT))
    return TextLine(text=text, box=box, confidence=1.0)


def entities(*pages: Page) -> list[Entity]:
    """Entities found by the patterns."""
    return [e for p in pages for e in entities_of(p, resolve(find(p.text)))]


def fields_of(rows: str) -> tuple[str, dict[str, Field]]:
    """The type of a page, and its fields that were found, with scores for confidences."""
    one = page(rows)
    record = fields.load(Settings()).scored([one], entities(one))
    return record.document_type, {field.name: field for field in record.fields if field.value is not None}


def values_of(rows: str) -> tuple[str, dict[str, str | None]]:
    """The type of a page, and the values that were found."""
    kind, found = fields_of(rows)
    return kind, {name: field.value for name, field in found.items()}
