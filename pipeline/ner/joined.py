"""Several engines as one: LAC with the patterns, a general model with a medical one."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from pipeline.models import Mention, ModelInfo, PageLocale
from pipeline.ner import locale as pages
from pipeline.ner.base import NerEngine, extract_in
from pipeline.ner.overlap import resolve


class JoinedEngine:
    """`NerEngine` that runs `engines` on the same texts; `resolve` decides between overlapping mentions.

    Each mention gets the name and digest of the model that found it, unless it has them already.
    """

    def __init__(self, engines: Sequence[NerEngine], info: ModelInfo) -> None:
        self.info = info
        self._engines = engines

    def extract(self, texts: Sequence[str]) -> list[list[Mention]]:
        """Find the mentions of each text, in order of `start`, none overlapping another.

        Each text is read by its own locale. Raises what the engines raise.
        """
        return self.extract_in(texts, [pages.read(text) for text in texts])

    def extract_in(self, texts: Sequence[str], locales: Sequence[PageLocale]) -> list[list[Mention]]:
        """As `extract`, each text read by the locale of its page. Raises what the engines raise."""
        found = [extract_in(engine, texts, locales) for engine in self._engines]
        return [
            resolve(
                _signed(mention, engine.info)
                for engine, mentions in zip(self._engines, each, strict=True)
                for mention in mentions
            )
            for each in zip(*found, strict=True)
        ]


def _signed(mention: Mention, info: ModelInfo) -> Mention:
    if mention.model:
        return mention
    return structs.replace(mention, model=info.name, model_digest=info.digest)
