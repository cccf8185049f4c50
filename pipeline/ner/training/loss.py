"""The CRF's loss: negative log-probability of the correct path, and its gradient, in NumPy.

Forward-backward with scaling (Rabiner 1989, section V); the gradient is expected minus observed counts
(Lafferty et al. 2001). One pass per character over the whole batch, whatever device the rest runs on.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import paddle
from numpy.typing import NDArray
from paddle import Tensor
from paddle.autograd import PyLayer

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]


def crf_loss(scores: Tensor, transitions: Tensor, labels: Tensor, lengths: Tensor) -> Tensor:
    """Mean loss per sentence, in nats: `scores` [B, T, L], `transitions` [L, L] as [from, to], `labels` [B, T]."""
    loss: Tensor = _CrfLoss.apply(scores, transitions, labels, lengths)  # type: ignore[no-untyped-call]
    return loss


class _CrfLoss(PyLayer):
    @staticmethod
    def forward(ctx: Any, scores: Tensor, transitions: Tensor, labels: Tensor, lengths: Tensor) -> Tensor:
        loss, *grads = loss_and_gradients(
            scores.numpy(), transitions.numpy(), labels.numpy(), lengths.numpy()
        )
        ctx.grads = grads
        return paddle.to_tensor(np.float32(loss))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        unary, pairs = (paddle.to_tensor(g.astype(np.float32)) * grad for g in ctx.grads)
        return unary, pairs


def loss_and_gradients(
    scores: Floats, transitions: Floats, labels: Ints, lengths: Ints
) -> tuple[float, Floats, Floats]:
    """Mean loss of a batch, and its gradients with respect to `scores` and `transitions`."""
    batch, longest, _ = scores.shape
    step = np.exp(transitions.astype(np.float64))
    tops = scores.max(axis=2, keepdims=True)
    weights = np.exp((scores - tops).astype(np.float64)).transpose(1, 0, 2)  # [T, B, L]
    inside = np.arange(longest)[:, None] < lengths  # [T, B]
    ahead, scale = _ahead(weights, step, inside)
    weights /= scale[:, :, None]
    behind = _behind(weights, step, inside)
    expected = ahead * behind * inside[:, :, None]
    follows = inside[1:, :, None]
    incoming = weights[1:] * behind[1:] * follows
    size = step.shape[0]
    pairs = step * (ahead[:-1].reshape(-1, size).T @ incoming.reshape(-1, size))
    at, row = np.nonzero(inside)
    gold = labels[row, at]
    expected[at, row, gold] -= 1
    at2, row2 = np.nonzero(inside[1:])
    moves = labels[row2, at2], labels[row2, at2 + 1]
    right = scores[row, at, gold].sum() + transitions[moves].sum()
    total = np.log(scale).sum() + tops[row, at].sum()
    np.subtract.at(pairs, moves, 1)
    return float(total - right) / batch, expected.transpose(1, 0, 2) / batch, pairs / batch


def _ahead(weights: Floats, step: Floats, inside: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Scaled forward weights [T, B, L] and the scales [T, B], which are 1 after a sentence's end."""
    ahead = np.empty_like(weights)
    scale = np.ones(weights.shape[:2])
    for t, weight in enumerate(weights):
        ahead[t] = weight if t == 0 else weight * (ahead[t - 1] @ step)
        scale[t] = np.where(inside[t], ahead[t].sum(axis=1), 1.0)
        ahead[t] /= scale[t][:, None]
    return ahead, scale


def _behind(weights: Floats, step: Floats, inside: NDArray[np.bool_]) -> Floats:
    """Scaled backward weights [T, B, L]: 1 at the last character of each sentence."""
    behind = np.ones_like(weights)
    for t in range(len(weights) - 2, -1, -1):
        ahead = (weights[t + 1] * behind[t + 1]) @ step.T
        behind[t] = np.where(inside[t + 1][:, None], ahead, 1.0)
    return behind
