"""What all places have in common: one document to read, and what was noticed on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Literal

import msgspec

Kind = Literal["zip", "mail", "outlook"]
"""What documents can be taken out of: a zip archive, an e-mail (RFC 5322), an Outlook message."""


class Source(msgspec.Struct, frozen=True):
    """One document to process: `url` names it in messages and results, `read` fetches its bytes.

    `url`: an absolute path without symbolic links, `s3://bucket/key`, or either followed by `!` and the name inside
    an archive or e-mail; always valid Unicode on one line (`pipeline.documents.sources.names`).
    `read` raises a `PermanentError` when this document can't be fetched.
    """

    url: str
    read: Callable[[], bytes]


class Member(msgspec.Struct, frozen=True):
    """One document in an archive or e-mail.

    `name` is shown and never used as a path. `read` takes the maximum size in bytes and raises a `PermanentError`.
    `kind`: what it is itself, where that is known without its name. `size`: bytes that it claims to unpack to.
    """

    name: str
    read: Callable[[int], bytes]
    kind: Kind | None = None
    size: int = 0


class Notes:
    """What `find` did not list, and why.

    `left_out`: number of files and folders by reason. `unreachable`: what could not be entered or followed, each with
    the reason.
    """

    def __init__(self) -> None:
        self.left_out: Counter[str] = Counter()
        self.unreachable: list[tuple[str, str]] = []

    def lines(self, most: int = 20) -> list[str]:
        """Sentences for people: at most `most` places, and one line with the counts."""
        said = [f"Not read: {place}: {why}" for place, why in self.unreachable[:most]]
        if len(self.unreachable) > most:
            said.append(f"Not read: {len(self.unreachable) - most} more (--json lists all)")
        if self.left_out:
            counts = ", ".join(f"{n} {reason}" for reason, n in sorted(self.left_out.items()))
            said.append(f"Left out: {counts}.")
        return said

    def figures(self) -> dict[str, Any]:
        """The same for machines."""
        return {
            "left_out": dict(sorted(self.left_out.items())),
            "unreachable": [{"source": place, "reason": why} for place, why in self.unreachable],
        }
