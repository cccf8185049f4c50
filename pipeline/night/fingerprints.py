"""Fingerprints of lines of text, to search for a text without keeping it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from pipeline.ledger import pseudonyms
from pipeline.storage import Store

SHORTEST = 12
"""Characters of a line that is searched for: shorter ones are on other papers, too."""


class Fingerprints:
    """Keyed hashes of lines, by the key of a store."""

    def __init__(self, store: Store) -> None:
        self._key = pseudonyms.key_of(store)

    def of(self, line: str) -> str:
        """16 hex digits."""
        data = line.encode(errors="replace")
        return hashlib.blake2b(data, digest_size=8, key=self._key).hexdigest()

    @staticmethod
    def lines(texts: Iterable[str]) -> Iterator[str]:
        """The lines of texts that are long enough."""
        for text in texts:
            for line in text.splitlines():
                if len(line := line.strip()) >= SHORTEST:
                    yield line
