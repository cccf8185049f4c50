"""What the searches for personal data find in a text."""

from __future__ import annotations

from typing import NamedTuple


class Found(NamedTuple):
    """A half-open range of a text with personal data of a kind of `pipeline.mask_policy`.

    `certain`: it is that, whatever else was found there; otherwise an entity such as an amount explains it.
    """

    start: int
    end: int
    kind: str
    certain: bool = True
