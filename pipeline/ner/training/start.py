"""The network before its first step: at random, or with what LAC has learned already."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.ner.lac_model import dictionary, load_network, locate
from pipeline.ner.normalise import normalise, widths
from pipeline.ner.quiet_paddle import import_paddle
from pipeline.ner.training.examples import UNKNOWN, Example, characters, pad
from pipeline.ner.training.network import Tagger
from pipeline.ner.training.recipe import Recipe
from pipeline.ner.training.sentences import Sentence

_SAMPLE, _READ = 500, 32
"""Lines read to find out which of LAC's labels mean what, and so many at once."""


def vocabulary_of(sentences: Sequence[Sentence], lac: Path | None) -> list[str]:
    """The characters a model knows, the unknown first: LAC's and the text's, or the text's alone."""
    if lac is None:
        return [UNKNOWN, *characters(sentences, widths, 2)]
    known = [c for _, c in sorted(dictionary(lac / "word.dic").items()) if len(c) == 1]
    new = set(characters(sentences, normalise, 2)).difference(known)
    return [UNKNOWN, *known, *sorted(new)]


def lac_folder(recipe: Recipe) -> Path | None:
    """LAC's folder if the recipe starts from it; raises `ModelMissing` when it is not there."""
    return locate(None) if recipe.embedding == "lac" else None


def network_of(
    vocabulary: Sequence[str], tags: Sequence[str], recipe: Recipe, lac: Path | None, *, fast: bool
) -> Tagger:
    """The network as the recipe starts it."""
    import_paddle()
    network = Tagger(
        len(vocabulary),
        tags,
        hidden=recipe.hidden,
        dropout=recipe.dropout,
        fast=fast,
    )
    if lac is not None:
        _take_from_lac(network, vocabulary, recipe, lac)
    return network


def _take_from_lac(network: Tagger, vocabulary: Sequence[str], recipe: Recipe, lac: Path) -> None:
    source = load_network(lac)
    rows = {character: row for row, character in dictionary(lac / "word.dic").items()}
    old = source.embedding.weight.numpy()
    new = np.stack([old[rows.get(character, rows["OOV"])] for character in vocabulary])
    network.embedding.weight.set_value(new)
    if recipe.layers == "none":
        return
    for name, parameter in network.named_parameters():
        if not name.startswith(("lower.", "upper.")):
            continue
        parameter.set_value(source.state_dict()[name].numpy())


def align_output(network: Tagger, examples: Sequence[Example], lac: Path) -> None:
    """Start the output layer from LAC's: each tag from the LAC labels that stand where it stands.

    A tag's row is the mean of LAC's rows, weighted by how probable LAC thinks each label on the tag's
    characters; its bias lifts it to LAC's best score there. So a name that LAC knows is known from the start,
    whatever the labels call it. `network` has LAC's layers; a sample of the text is read.
    """
    paddle = import_paddle()
    source = load_network(lac)
    weight, bias = source.output.weight.numpy(), source.output.bias.numpy()
    network.eval()
    states, tags = [], []
    some = sorted(examples[:: max(len(examples) // _SAMPLE, 1)], key=lambda e: len(e.tags))
    with paddle.no_grad():
        for first in range(0, len(some), _READ):
            batch = pad(some[first : first + _READ])
            read = network.states(paddle.to_tensor(batch.characters), paddle.to_tensor(batch.lengths))
            inside = np.arange(batch.tags.shape[1]) < batch.lengths[:, None]
            states.append(read.numpy()[inside])
            tags.append(batch.tags[inside])
    seen, gold = np.concatenate(states), np.concatenate(tags)
    scores = seen @ weight + bias
    chances = np.exp(scores - scores.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    mixed = np.full((network.output.bias.shape[0], len(bias)), 1 / len(bias), np.float32)
    for tag in np.unique(gold):
        mixed[tag] = chances[gold == tag].mean(axis=0)
    new_weight, new_bias = weight @ mixed.T, mixed @ bias
    for tag in np.unique(gold):
        at = gold == tag
        new_bias[tag] += (scores[at].max(axis=1) - seen[at] @ new_weight[:, tag] - new_bias[tag]).mean()
    network.output.weight.set_value(new_weight)
    network.output.bias.set_value(new_bias)
    network.transitions.set_value(mixed @ source.transitions.numpy() @ mixed.T)
    network.start.set_value(mixed @ source.start.numpy())
    network.stop.set_value(mixed @ source.stop.numpy())
