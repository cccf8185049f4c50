"""Settings of a training run: everything except the labels that determines the weights."""

from __future__ import annotations

from typing import Literal

import msgspec


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """The defaults scored best on medical questions, with many labels and with few (docs/reference/benchmarks.md).

    `embedding` and `layers`: start from LAC's weights or at random (`layers` needs LAC's embedding);
    `freeze` keeps LAC's embedding unchanged. Learning rates: `old_rate` for LAC's weights, `rate` for all
    others. `blanks`: share of characters replaced by the unknown one. `batch`: size in characters.
    `averaging`: decay of the averaged weights per step. `minutes` (0: no limit) makes the learning rate
    fall by the clock, so that weights depend on the machine.
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
