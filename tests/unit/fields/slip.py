"""The fields of a receipt that a test writes as text, without the classifier."""

from pipeline.fields import receipt
from pipeline.models import Entity, Field, Page
from pipeline.ner.locale import localised
from pipeline.ner.overlap import resolve
from pipeline.ner.patterns.finder import find
from pipeline.steps.entities import entities_of
from tests.unit.fields.paper import page


def read(text: str | Page) -> tuple[Page, list[Entity]]:
    """A page and the entities on it, both with the page's locale."""
    (one,) = localised([page(text) if isinstance(text, str) else text])
    return one, list(entities_of(one, resolve(find(one.text, one.locale))))


def fields(text: str | Page) -> dict[str, Field]:
    """The fields that are found, by name."""
    one, entities = read(text)
    return {field.name: field for field in receipt.find(one, entities)}


def values(text: str | Page) -> dict[str, str | None]:
    """Their values."""
    return {name: field.value for name, field in fields(text).items()}
