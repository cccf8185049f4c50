"""The BiGRU-CRF tagger as a Paddle layer: LAC's network, also used to train custom models.

Lample et al. 2016 (BiLSTM-CRF, here with GRU) after Baidu's LAC (Jiao et al. 2018). Importing this
module imports Paddle: do so only where a model is converted or trained.
"""

from __future__ import annotations

import paddle
from paddle import Tensor, nn
from paddle.nn import functional as F  # noqa: N812 - Paddle's own name for it


class BiGru(nn.Layer):
    """Both directions of one GRU layer in one loop; their outputs are joined on the last axis.

    The reset gate acts on the state before the candidate's product, c = tanh(x + (r*h) W), as in
    Cho et al. 2014; `paddle.nn.GRU` computes r*(h W), so weights trained this way need a custom cell.
    `state_gates` [2, H, 2H] and `state_candidate` [2, H, H] contain the forward, then the backward weights.
    """

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.forward_input = nn.Linear(inputs, 3 * hidden)
        self.backward_input = nn.Linear(inputs, 3 * hidden)
        self.state_gates = self.create_parameter([2, hidden, 2 * hidden])
        self.state_candidate = self.create_parameter([2, hidden, hidden])

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Run over `x` [B, T, D] with `mask` [B, T, 1] (1.0 on text, 0.0 on padding) -> [B, T, 2H]."""
        hidden = self.hidden
        backward = paddle.flip(self.backward_input(x), [1])
        steps = paddle.stack([self.forward_input(x), backward]).transpose([2, 0, 1, 3])  # [T, 2, B, 3H]
        # In the backward direction, padding comes first: the mask keeps the state at zero until the text begins.
        masks = paddle.stack([mask, paddle.flip(mask, [1])]).transpose([2, 0, 1, 3])
        state = paddle.zeros_like(steps[0])[:, :, :hidden]
        states = []
        for t in range(paddle.shape(steps)[0]):
            step = steps[t]
            gates = F.sigmoid(step[:, :, : 2 * hidden] + state @ self.state_gates)
            update, reset = gates[:, :, :hidden], gates[:, :, hidden:]
            candidate = F.tanh(step[:, :, 2 * hidden :] + (reset * state) @ self.state_candidate)
            state = (state + update * (candidate - state)) * masks[t]
            states.append(state)
        both = paddle.stack(states)  # [T, 2, B, H]
        joined = paddle.concat([both[:, 0], paddle.flip(both[:, 1], [0])], axis=-1)
        return joined.transpose([1, 0, 2])


class BiGruCrf(nn.Layer):
    """Embedding, two `BiGru` layers, a linear layer to label scores, and a linear-chain CRF on top."""

    def __init__(self, vocabulary: int, embedding: int, labels: int, hidden: int = 128) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, embedding)
        self.lower = BiGru(embedding, hidden)
        self.upper = BiGru(2 * hidden, hidden)
        self.output = nn.Linear(2 * hidden, labels)
        self.start = self.create_parameter([labels])
        self.stop = self.create_parameter([labels])
        self.transitions = self.create_parameter([labels, labels])  # [from, to]

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Score the labels of `ids` [B, T] (int64) of `lengths` [B] (int64, each >= 1) -> [B, T, labels].

        The CRF's start and stop scores are added to those of the first and the last character, so
        `pipeline.ner.crf` needs only these scores and `transitions`.
        """
        positions = paddle.arange(paddle.shape(ids)[1]).unsqueeze(0)
        mask = (positions < lengths.unsqueeze(1)).astype("float32").unsqueeze(-1)
        scores: Tensor = self.output(self.upper(self.lower(self.embedding(ids), mask), mask))
        first = (positions == 0).astype("float32").unsqueeze(-1)
        last = (positions == (lengths - 1).unsqueeze(1)).astype("float32").unsqueeze(-1)
        return scores + first * self.start + last * self.stop
