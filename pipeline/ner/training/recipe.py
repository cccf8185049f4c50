"""What a training run does: every choice that decides the weights besides the labels."""

from __future__ import annotations

from typing import Literal

import msgspec


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """The defaults are what did best on held-out parts of training data (docs/benchmarks.md).

    `embedding` and `layers`: start from LAC's weights or at random (`layers` needs LAC's embedding);
    `freeze` keeps LAC's embedding as it is. `old_rate` is the share of the learning rate for weights that
    came from LAC. `minutes` (0: no limit) makes the learning rate fall by the clock, so that weights then
    depend on the machine.
    """

    embedding: Literal["lac", "none"] = "lac"
    layers: Literal["lac", "none"] = "lac"
    freeze: bool = False
    hidden: int = 128
    pairs: int = 0
    dropout: float = 0.4
    blanks: float = 0.03
    swaps: float = 0.3
    batch: int = 1600
    rate: float = 2e-3
    old_rate: float = 0.5
    averaging: float = 0.995
    epochs: int = 25
    minutes: float = 0.0
    patience: int = 6
    held_out: float = 0.1
    seed: int = 1
