"""A whole result, masked: what tables, commands and reports show of it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby

from msgspec import structs

from pipeline.mask_policy import IDS, NUMBERS, Policy, policy
from pipeline.models import Code, DocumentResult, Entity, Extraction, Failure, LineItem, Page
from pipeline.tables.masking.descriptions import masked_descriptions
from pipeline.tables.masking.fields import field_spans, masked_field
from pipeline.tables.masking.labelled import labelled
from pipeline.tables.masking.repeats import NO_TERMS, Terms, terms
from pipeline.tables.masking.sensitive import joined, mask_text, sensitive_spans
from pipeline.tables.masking.sources import masked_sentence, masked_source
from pipeline.tables.masking.spans import NO_SPANS, Span, Spans, mask, mask_spans

Hidden = Mapping[int, Spans]
"""The sensitive spans of each page, by its number."""


def masked_result(result: DocumentResult, mask: str = IDS) -> DocumentResult:
    """The result without what the policy `mask` hides; spans, boxes and numbers of rows stay as they are."""
    rules = policy(mask)
    if not rules.kinds:
        return result
    repeated = _repeated(result) if not rules.kinds.issubset(NUMBERS) else NO_TERMS
    by_page: dict[int, list[Entity]] = {}
    for entity in result.entities:
        by_page.setdefault(entity.page, []).append(entity)
    hidden = {
        page.number: joined(
            sensitive_spans(page.text, by_page.get(page.number, ()), mask, repeated),
            _of_fields(result, page, mask),
        )
        for page in result.pages
    }

    def said(text: str) -> str:
        return masked_sentence(text, mask, source=result.source, sha256=result.sha256, repeated=repeated)

    def failure(error: Failure | None) -> Failure | None:
        return structs.replace(error, message=said(error.message)) if error else None

    return structs.replace(
        result,
        source=masked_source(result.source, mask, result.sha256),
        error=failure(result.error),
        pages=tuple(
            structs.replace(
                _masked_page(page, hidden[page.number]),
                error=failure(page.error),
                warnings=tuple(map(said, page.warnings)),
            )
            for page in result.pages
        ),
        entities=tuple(
            masked_entity(entity, hidden.get(entity.page, NO_SPANS), mask) for entity in result.entities
        ),
        extraction=_masked_extraction(result, hidden, mask, tuple(map(said, result.extraction.warnings)))
        if result.extraction
        else None,
        outputs={
            step: {name: mask_text(text, mask, repeated) for name, text in found.items()}
            for step, found in result.outputs.items()
        },
        metadata={name: mask_text(text, mask, repeated) for name, text in result.metadata.items()},
    )


def masked_entity(entity: Entity, spans: Spans, mask_: str = IDS) -> Entity:
    """The entity with sensitive parts of its text masked, and then its values as well."""
    rules = policy(mask_)
    if rules.covers(entity.type):
        return _masked_values(entity, mask(entity.text, whole=rules.whole(entity.type)), rules, entity.type)
    text = mask_spans(entity.text, spans, entity.start)
    if text == entity.text:
        return entity
    whole = any(span.whole for span in spans.near(entity.start, entity.end))
    return _masked_values(entity, text, rules, "MRZ" if whole else "")


def _masked_values(entity: Entity, text: str, rules: Policy, type_: str) -> Entity:
    whole = bool(type_) and rules.whole(type_)
    value, other = (mask(one, whole=whole) if one else None for one in (entity.value, entity.other))
    return structs.replace(entity, text=text, value=value, other=other)


def _of_fields(result: DocumentResult, page: Page, mask_: str) -> list[Span]:
    if result.extraction is None:
        return []
    document_type = result.extraction.document_type
    return [
        span for field in result.extraction.fields for span in field_spans(field, document_type, page, mask_)
    ]


def _repeated(result: DocumentResult) -> Terms:
    """Names that stand behind a label on some page, or that the NER engine found."""
    known: dict[str, str] = {}
    for page in result.pages:
        known |= terms(page.text, labelled(page.text))
    people = (e for e in result.entities if e.type in {"PER", "PERSON"} and len(e.text) > 2)
    return Terms(known | {entity.text: "PERSON" for entity in people if "\n" not in entity.text})


def _masked_page(page: Page, spans: Spans) -> Page:
    lines = tuple(
        line
        if (text := mask_spans(line.text, spans, line.start)) == line.text
        else structs.replace(line, text=text)
        for line in page.lines
    )
    codes = tuple(Code(kind=code.kind, text="*" * len(code.text), box=code.box) for code in page.codes)
    return structs.replace(page, text=mask_spans(page.text, spans), lines=lines, codes=codes)


def _masked_extraction(
    result: DocumentResult, hidden: Hidden, mask_: str, warnings: tuple[str, ...]
) -> Extraction:
    extraction = result.extraction
    assert extraction is not None
    pages = {page.number: page for page in result.pages}
    fields = tuple(
        masked_field(
            field,
            extraction.document_type,
            pages.get(field.page or 0),
            hidden.get(field.page or 0, NO_SPANS),
            mask_,
        )
        for field in extraction.fields
    )
    items: list[LineItem] = []
    for number, of_page in groupby(extraction.items, key=lambda item: item.page):
        rows = list(of_page)
        texts = masked_descriptions(
            [item.description for item in rows], pages.get(number), hidden.get(number, NO_SPANS), mask_
        )
        items += [structs.replace(item, description=text) for item, text in zip(rows, texts, strict=True)]
    return structs.replace(extraction, fields=fields, items=tuple(items), warnings=warnings)
