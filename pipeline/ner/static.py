"""Export a trained network for `pipeline.ner.predictor`; imports Paddle."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.ner.quiet_paddle import import_paddle

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from paddle import nn

FILES = ("inference.json", "inference.pdiparams", "transitions.npy")


def export(network: nn.Layer, transitions: NDArray[np.float32], folder: Path) -> None:
    """Write `FILES` to `folder`: label scores of (ids [B, T], lengths [B]) and the CRF's [from, to]."""
    paddle = import_paddle()
    inputs = [
        paddle.static.InputSpec([None, None], "int64", "ids"),
        paddle.static.InputSpec([None], "int64", "lengths"),
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Paddle's tracer warns about its own code.
        static = paddle.jit.to_static(network, input_spec=inputs, full_graph=True)
        paddle.jit.save(static, str(folder / "inference"))
    np.save(folder / "transitions.npy", transitions)


def sync(folder: Path) -> None:
    """Flush the files of a folder to disk, before it is renamed to its final path."""
    for file in folder.iterdir():
        with file.open("rb") as handle:
            os.fsync(handle.fileno())
