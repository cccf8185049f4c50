"""What a training run does: every choice that decides the weights besides the labels."""

from __future__ import annotations

from typing import Literal

import msgspec


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """The defaults did best on medical questions, many labels and few (docs/reference/benchmarks.md).

    `embedding` and `layers`: start from LAC's weights or at random (`layers` needs LAC's embedding);
    `freeze` keeps LAC's embedding as it is. Learning rates: `old_rate` for what LAC has learned,
    `rate` for all else.
    `blanks`: share of characters shown as unknown ones. `batch`: characters. `averaging`: how much of the
    averaged weights stays at each step. `minutes` (0: no limit) makes the learning rate fall by the clock, so
    that weights then depend on the machine.
    """

    embedding: Literal["lac", "none"] = "lac"
    layers: Literal["lac", "none"] = "none"
    freeze: bool = False
    hidden: int = 128
    dropout: float = 0.4
    blanks: float = 0.03
    batch: int = 1600
    rate: float = 2e-3
    old_rate: float = 1e-3
    averaging: float = 0.995
    epochs: int = 20
    minutes: float = 0.0
    patience: int = 6
    held_out: float = 0.1
    seed: int = 1
