"""The training loop: seeded, with weight averaging, a cosine learning rate, and early stopping."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pipeline.errors import RunError, UsageError
from pipeline.ner.bioes import spans_of, tags_of
from pipeline.ner.crf import best_paths
from pipeline.ner.normalise import PLAIN
from pipeline.ner.quiet_paddle import import_paddle
from pipeline.ner.scores import Scores, score
from pipeline.ner.training.examples import Batch, Example, batches, encode, pad, split
from pipeline.ner.training.recipe import Recipe
from pipeline.ner.training.sentences import Sentence

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.ner.training.network import Tagger

_WARM_UP = 0.05
_LEAST_STEPS, _LEAST_BATCH = 90, 100  # characters per batch; little text gets smaller batches
_READ = 32  # batch size for scoring held-out text


class Progress(NamedTuple):
    """Progress of a training run: `share` done, recent mean `loss`, best held-out `f1` so far."""

    epoch: int
    share: float
    seconds: float
    loss: float
    f1: float | None


class Trained(NamedTuple):
    """A network with its best weights, its vocabulary and tags, and its scores on the held-out part."""

    network: Tagger
    vocabulary: list[str]
    tags: list[str]
    plain: str
    learned: int
    held_out: int
    scores: Scores | None
    epochs: int
    best_epoch: int
    seconds: float


def train(
    sentences: Sequence[Sentence],
    recipe: Recipe,
    *,
    device: str = "cpu",
    threads: int = 1,
    tell: Callable[[Progress], None] = lambda _: None,
) -> Trained:
    """Train on `sentences`; `tell` is called after every step. Returns the weights with the best held-out score.

    Raises `UsageError` if there is nothing to learn, `RunError` if the device is not available.
    """
    started = time.monotonic()
    tags = tags_of({span.type for sentence in sentences for span in sentence.spans})
    learn, held = split(sentences, recipe.held_out, recipe.seed)
    if len(tags) == 1 or not learn or (recipe.held_out and not held):
        raise UsageError(
            f"{len(sentences)} sentences with {len(tags) // 4} entity types are too few: label more text.",
            code="bad_labels",
        )
    paddle = import_paddle()
    if device != "cpu" and not paddle.device.is_compiled_with_cuda():
        raise RunError(f"The device is {device}, but this Paddle is a CPU build: install the GPU build.")
    paddle.set_device(device)
    paddle.base.core.set_num_threads(threads)
    from pipeline.ner.training import start

    paddle.seed(recipe.seed)
    lac = start.lac_folder(recipe)
    plain = "lac" if lac else "width"
    vocabulary = start.vocabulary_of(learn, lac)
    network = start.network_of(vocabulary, tags, recipe, lac, fast=device == "cpu")
    numbers = {character: number for number, character in enumerate(vocabulary)}
    known, unseen = (encode(part, PLAIN[plain], numbers, tags) for part in (learn, held))
    run = _Run(network, recipe, tags, started)
    run.train(known, unseen, tell)
    return Trained(
        network,
        vocabulary,
        tags,
        plain,
        len(learn),
        len(held),
        run.best,
        run.epoch,
        run.best_epoch,
        time.monotonic() - started,
    )


class _Run:
    """The state of one training run."""

    def __init__(self, network: Tagger, recipe: Recipe, tags: Sequence[str], started: float) -> None:
        self.network, self.recipe, self.tags, self.started = network, recipe, tags, started
        self.draw = random.Random(recipe.seed)  # noqa: S311 - for order and dropout, not for secrets
        self.noise = np.random.default_rng(recipe.seed)
        self.best: Scores | None = None
        self.epoch = self.best_epoch = self.step = 0
        self.loss = 0.0
        self.optimizer = self._optimizer()
        self.average = _Average(network, recipe.averaging)

    def train(
        self, known: Sequence[Example], unseen: Sequence[Example], tell: Callable[[Progress], None]
    ) -> None:
        best: dict[str, NDArray[np.float32]] = {}
        size = min(self.recipe.batch, max(sum(len(e.tags) for e in known) // _LEAST_STEPS, _LEAST_BATCH))
        for epoch in range(1, self.recipe.epochs + 1):
            self.epoch = epoch
            groups = batches(known, size, self.draw)
            for at, batch in enumerate(groups):
                share = self._share((self.epoch - 1 + at / len(groups)) / self.recipe.epochs)
                if share >= 1:
                    break
                self._learn(batch, share)
                tell(self._progress(share))
            if not unseen:
                self.best_epoch = self.epoch
            else:
                with self.average.in_place():
                    scores = evaluate(self.network, unseen, self.tags)
                if self.best is None or scores.micro.f1 > self.best.micro.f1:
                    self.best, self.best_epoch, best = scores, self.epoch, self.average.copy()
            tell(self._progress(self._share(self.epoch / self.recipe.epochs)))
            late = self.epoch - self.best_epoch >= self.recipe.patience
            if late or self._share(0) >= 1:
                break
        self.average.keep(best)
        self.network.eval()

    def _share(self, epochs: float) -> float:
        """Share of the run that is done, by epochs or by the clock, whichever is larger."""
        if not self.recipe.minutes:
            return epochs
        return max(epochs, (time.monotonic() - self.started) / (60 * self.recipe.minutes))

    def _progress(self, share: float) -> Progress:
        f1 = self.best.micro.f1 if self.best else None
        return Progress(self.epoch, min(share, 1.0), time.monotonic() - self.started, self.loss, f1)

    def _optimizer(self) -> Any:
        paddle = import_paddle()
        groups: dict[float, list[Any]] = {}
        for name, parameter in self.network.named_parameters():
            part = name.partition(".")[0]
            parameter.stop_gradient = self.recipe.freeze and part == "embedding"
            if not parameter.stop_gradient:
                groups.setdefault(self._rate(part), []).append(parameter)
        return paddle.optimizer.Adam(
            learning_rate=1.0,
            parameters=[{"params": some, "learning_rate": rate} for rate, some in groups.items()],
            grad_clip=paddle.nn.ClipGradByGlobalNorm(5.0),
        )

    def _rate(self, part: str) -> float:
        """The learning rate of one part of the network."""
        starts = {
            "embedding": self.recipe.embedding,
            "lower": self.recipe.layers,
            "upper": self.recipe.layers,
        }
        return self.recipe.old_rate if starts.get(part) == "lac" else self.recipe.rate

    def _learn(self, batch: Batch, share: float) -> None:
        from pipeline.ner.training.loss import crf_loss

        paddle = import_paddle()
        self.network.train()
        seen = np.where(self.noise.random(batch.characters.shape) < self.recipe.blanks, 0, batch.characters)
        ids, tags, lengths = (paddle.to_tensor(values) for values in (seen, batch.tags, batch.lengths))
        loss = crf_loss(self.network(ids, lengths), self.network.steps, tags, lengths)
        loss.backward()
        warm = share / _WARM_UP if share < _WARM_UP else (1 + math.cos(math.pi * share)) / 2
        self.optimizer.set_lr(max(warm, 0.01))
        self.optimizer.step()
        self.optimizer.clear_grad()
        self.step += 1
        self.loss += (float(loss) - self.loss) * max(0.02, 1 / self.step)
        self.average.take(self.step)


class _Average:
    """Exponential moving average of the weights (Polyak and Juditsky 1992): steadier than the last ones."""

    def __init__(self, network: Tagger, decay: float) -> None:
        self._parameters = dict(network.named_parameters())
        self._decay = decay
        self._mean = {name: p.numpy().copy() for name, p in self._parameters.items()}

    def take(self, step: int) -> None:
        """Add the weights of a step."""
        decay = min(self._decay, step / (step + 10))
        for name, parameter in self._parameters.items():
            if not parameter.stop_gradient:
                mean = self._mean[name]
                mean += (parameter.numpy() - mean) * np.float32(1 - decay)

    def copy(self) -> dict[str, NDArray[np.float32]]:
        """The current averaged weights."""
        return {name: mean.copy() for name, mean in self._mean.items()}

    def keep(self, weights: dict[str, NDArray[np.float32]]) -> None:
        """Set the network to `weights`, or to the average if there are none."""
        for name, values in (weights or self._mean).items():
            self._parameters[name].set_value(values)

    def in_place(self) -> _Swapped:
        """Within `with`, the network has the averaged weights."""
        return _Swapped(self, {name: p.numpy().copy() for name, p in self._parameters.items()})


class _Swapped:
    def __init__(self, average: _Average, own: dict[str, NDArray[np.float32]]) -> None:
        self._average, self._own = average, own

    def __enter__(self) -> None:
        self._average.keep({})

    def __exit__(self, *_: object) -> None:
        self._average.keep(self._own)


def evaluate(network: Tagger, examples: Sequence[Example], tags: Sequence[str]) -> Scores:
    """Score the network's spans on `examples`."""
    paddle = import_paddle()
    network.eval()
    found, gold = [], []
    order = sorted(examples, key=lambda e: len(e.characters))
    with paddle.no_grad():
        steps = network.steps.numpy()
        for first in range(0, len(order), _READ):
            group = order[first : first + _READ]
            batch = pad(group)
            scores = network(paddle.to_tensor(batch.characters), paddle.to_tensor(batch.lengths)).numpy()
            for path, example in zip(best_paths(scores, steps, batch.lengths), group, strict=True):
                found.append(spans_of([tags[tag] for tag in path]))
                gold.append(spans_of([tags[tag] for tag in example.tags]))
    return score(gold, found)
