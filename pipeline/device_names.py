"""The devices that a setting names."""

from __future__ import annotations

import re

_NAME = re.compile(r"cpu|gpu:(0|[1-9]\d{0,2})")
EXPECTED = "cpu, or GPUs with their numbers, each once, such as gpu:0 or gpu:0,gpu:1"


def parse(text: str) -> tuple[str, ...]:
    """`cpu` or `gpu:0,gpu:1` as names; none of an empty text. Raises `ValueError`."""
    names = tuple(name.strip() for name in text.split(",")) if text.strip() else ()
    if not all(map(_NAME.fullmatch, names)) or len(set(names)) < len(names):
        raise ValueError(EXPECTED)
    if "cpu" in names and len(names) > 1:
        raise ValueError(EXPECTED)
    return names
