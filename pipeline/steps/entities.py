"""From mentions in a page's text to entities: page number, text and boxes are added."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.documents.layout import boxes_of
from pipeline.models import Entity, Mention, Page


def entities_of(page: Page, mentions: Sequence[Mention]) -> tuple[Entity, ...]:
    """Return one entity per mention, in the same order.

    Spans are offsets into `page.text`; boxes are in pixels of the page, one per line touched.
    """
    return tuple(
        Entity(
            page=page.number,
            type=mention.type,
            text=page.text[mention.start : mention.end],
            value=mention.value,
            currency=mention.currency,
            confidence=mention.confidence,
            start=mention.start,
            end=mention.end,
            boxes=boxes_of(page.lines, mention.start, mention.end),
            engine=mention.engine,
            model=mention.model,
            model_digest=mention.model_digest,
            other=mention.other,
        )
        for mention in mentions
    )
