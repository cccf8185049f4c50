"""The network that is trained: LAC's BiGRU-CRF with dropout, character pairs, and forbidden transitions."""

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
_SPREAD = 7919  # a prime: neighbouring character numbers must not give neighbouring pairs


class Tagger(BiGruCrf):
    """`BiGruCrf` whose embedding is joined by one of hashed character pairs (`pairs` buckets, 0: none).

    Transitions that BIOES forbids cost so much that no path takes them. `fast`: recurrence in NumPy, for
    training on a CPU; the slow one is for a GPU and for export, with the same weights.
    """

    def __init__(
        self,
        vocabulary: int,
        tags: Sequence[str],
        *,
        embedding: int = 128,
        hidden: int = 128,
        pairs: int = 0,
        pair_size: int = 64,
        dropout: float = 0.0,
        fast: bool = False,
    ) -> None:
        super().__init__(vocabulary, embedding, len(tags), hidden)
        recurrent = FastBiGru if fast else BiGru
        self.lower = recurrent(embedding + (pair_size if pairs else 0), hidden)
        self.upper = recurrent(2 * hidden, hidden)
        self.pairs = pairs
        if pairs:
            zero = paddle.ParamAttr(initializer=nn.initializer.Constant(0.0))
            self.pair_embedding = nn.Embedding(pairs, pair_size, weight_attr=zero)
        self.dropout = nn.Dropout(dropout)
        allowed = np.array([[may_follow(before, tag) for tag in tags] for before in tags])
        self.register_buffer("walls", _walls(allowed))
        self.register_buffer("start_walls", _walls(allowed[tags.index("O")]))
        self.register_buffer("stop_walls", _walls(allowed[:, tags.index("O")]))

    @property
    def steps(self) -> Tensor:
        """Transition scores [from, to] with the forbidden ones walled off."""
        steps: Tensor = self.transitions + self.walls
        return steps

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Score the tags of `ids` [B, T] (int64) of `lengths` [B] -> [B, T, tags], as `BiGruCrf` does."""
        positions = paddle.arange(paddle.shape(ids)[1]).unsqueeze(0)
        inside = positions < lengths.unsqueeze(1)
        mask = inside.astype("float32").unsqueeze(-1)
        scores: Tensor = self.output(self.dropout(self._states(ids, inside, mask)))
        first = (positions == 0).astype("float32").unsqueeze(-1)
        last = (positions == (lengths - 1).unsqueeze(1)).astype("float32").unsqueeze(-1)
        ends: Tensor = first * (self.start + self.start_walls) + last * (self.stop + self.stop_walls)
        return scores + ends

    def states(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """What the output layer reads: the upper layer's states [B, T, 2H]."""
        inside = paddle.arange(paddle.shape(ids)[1]).unsqueeze(0) < lengths.unsqueeze(1)
        return self._states(ids, inside, inside.astype("float32").unsqueeze(-1))

    def _states(self, ids: Tensor, inside: Tensor, mask: Tensor) -> Tensor:
        lower = self.lower(self.dropout(self._embed(ids, inside)), mask)
        states: Tensor = self.upper(self.dropout(lower), mask)
        return states

    def _embed(self, ids: Tensor, inside: Tensor) -> Tensor:
        single: Tensor = self.embedding(ids)
        if not self.pairs:
            return single
        real = ids * inside.astype("int64")
        following = paddle.concat([real[:, 1:], paddle.zeros_like(real[:, :1])], axis=1)
        pair = (real * _SPREAD + following) % self.pairs
        both: Tensor = paddle.concat([single, self.pair_embedding(pair)], axis=-1)
        return both


def _walls(allowed: NDArray[np.bool_]) -> Tensor:
    return paddle.to_tensor(np.where(allowed, 0.0, _FORBIDDEN).astype(np.float32))
