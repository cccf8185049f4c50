"""The network to train: LAC's BiGRU-CRF with dropout and forbidden transitions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import paddle
from numpy.typing import NDArray
from paddle import Tensor, nn

from pipeline.ner.bioes import may_follow
from pipeline.ner.network import BiGru, BiGruCrf
from pipeline.ner.training.fast_gru import FastBiGru

_FORBIDDEN = -1e4


class Tagger(BiGruCrf):
    """`BiGruCrf` with dropout, restricted to valid BIOES sequences.

    Transitions that BIOES forbids get a cost so high that no path uses them. `fast`: recurrence in NumPy,
    for training on a CPU; the slow one is for a GPU and for export, with the same weights.
    """

    def __init__(
        self,
        vocabulary: int,
        tags: Sequence[str],
        *,
        embedding: int = 128,
        hidden: int = 128,
        dropout: float = 0.0,
        fast: bool = False,
    ) -> None:
        super().__init__(vocabulary, embedding, len(tags), hidden)
        recurrent = FastBiGru if fast else BiGru
        self.lower = recurrent(embedding, hidden)
        self.upper = recurrent(2 * hidden, hidden)
        self.dropout = nn.Dropout(dropout)
        allowed = np.array([[may_follow(before, tag) for tag in tags] for before in tags])
        self.register_buffer("walls", _walls(allowed))
        self.register_buffer("start_walls", _walls(allowed[tags.index("O")]))
        self.register_buffer("stop_walls", _walls(allowed[:, tags.index("O")]))

    @property
    def steps(self) -> Tensor:
        """Transition scores [from, to] with the forbidden ones masked."""
        steps: Tensor = self.transitions + self.walls
        return steps

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Score the tags of `ids` [B, T] (int64) of `lengths` [B] -> [B, T, tags], as `BiGruCrf` does."""
        positions = paddle.arange(paddle.shape(ids)[1]).unsqueeze(0)
        inside = positions < lengths.unsqueeze(1)
        mask = inside.astype("float32").unsqueeze(-1)
        lower = self.lower(self.dropout(self.embedding(ids)), mask)
        scores: Tensor = self.output(self.dropout(self.upper(self.dropout(lower), mask)))
        first = (positions == 0).astype("float32").unsqueeze(-1)
        last = (positions == (lengths - 1).unsqueeze(1)).astype("float32").unsqueeze(-1)
        ends: Tensor = first * (self.start + self.start_walls) + last * (self.stop + self.stop_walls)
        return scores + ends


def _walls(allowed: NDArray[np.bool_]) -> Tensor:
    return paddle.to_tensor(np.where(allowed, 0.0, _FORBIDDEN).astype(np.float32))
