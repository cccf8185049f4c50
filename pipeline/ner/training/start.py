"""The initial network: random, or with LAC's weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.ner.lac_model import dictionary, load_network, locate
from pipeline.ner.normalise import normalise, widths
from pipeline.ner.quiet_paddle import import_paddle
from pipeline.ner.training.examples import UNKNOWN, characters
from pipeline.ner.training.network import Tagger
from pipeline.ner.training.recipe import Recipe
from pipeline.ner.training.sentences import Sentence


def vocabulary_of(sentences: Sequence[Sentence], lac: Path | None) -> list[str]:
    """The characters a model knows, the unknown one first: LAC's and the text's, or the text's alone."""
    if lac is None:
        return [UNKNOWN, *characters(sentences, widths, 2)]
    known = [c for _, c in sorted(dictionary(lac / "word.dic").items()) if len(c) == 1]
    new = set(characters(sentences, normalise, 2)).difference(known)
    return [UNKNOWN, *known, *sorted(new)]


def lac_folder(recipe: Recipe) -> Path | None:
    """LAC's folder if the recipe starts from it; raises `ModelMissing` if it does not exist."""
    return locate(None) if recipe.embedding == "lac" else None


def network_of(
    vocabulary: Sequence[str], tags: Sequence[str], recipe: Recipe, lac: Path | None, *, fast: bool
) -> Tagger:
    """The initial network of a recipe."""
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
