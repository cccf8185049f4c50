"""What the machine-readable data of a document says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from pipeline.models import Box, LineItem


class Stated(msgspec.Struct, frozen=True, kw_only=True):
    """The data of one attached XML or one code on the page.

    `kind`: type of document. `values`: by field, all that are right for it, the preferred one first. `checks`: codes of
    failed checks, by field. `page`, `box`: where it is. `whole`: it is the document, not an addition to a page.
    `confirming`: values that may be of someone else, and count only where they agree. `amount`: an amount of the
    invoice, where only the page shows which: `net` or `total`.
    """

    source: Literal["xml", "qr"]
    kind: str
    values: Mapping[str, tuple[str, ...]]
    page: int
    box: Box | None = None
    checks: Mapping[str, str] = {}
    currency: str | None = None
    items: tuple[LineItem, ...] = ()
    whole: bool = False
    confirming: tuple[str, ...] = ()
    amount: str = ""

    @property
    def name(self) -> str:
        """What it is called in sentences."""
        return "attached XML" if self.source == "xml" else "QR code"
