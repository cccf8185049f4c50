"""Tiny models in PaddleNLP's own formats whose weights are set by hand, so that what they find is known.

Each token is one dimension. Attention and feed-forward layers pass a token through, apart from what UIE
needs: attention copies the schema's name to every token, the feed-forward layer asks for both at once.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.ner.quiet_paddle import import_paddle, import_paddlenlp

SIZE = 64
SPECIAL = ["[PAD]", "[CLS]", "[SEP]", "[MASK]", "[UNK]", "[CLS0]", "[CLS1]"]
LETTERS = [*"张伟王明广州上海名地住在院乏力，。:：abcp", "a1", "##1"]
VOCABULARY = SPECIAL + LETTERS
PERSON, PLACE = ("张", "伟"), ("广", "州")
TAGS = ["B-人物类_实体", "E-人物类_实体", "B-世界地区类", "E-世界地区类", "O-w"]
START, END = SIZE - 1, SIZE - 2  # dimensions that no token has
Weights = dict[str, NDArray[np.float32]]


def classifier(folder: Path, names: Mapping[str, tuple[str, str]] | None = None) -> Path:
    """`ErnieForTokenClassification`: 张伟 is a PER, 广州 a LOC, everything else outside."""
    names = names or {"PER": PERSON, "LOC": PLACE}
    labels = ["O", *(f"{position}-{kind}" for kind in names for position in "BI")]
    head = np.zeros((SIZE, len(labels)), np.float32)
    for label, token in enumerate([token for pair in names.values() for token in pair], 1):
        head[VOCABULARY.index(token), label] = 3
    bias = np.array([5, *[0] * (len(labels) - 1)], np.float32)
    weights = {"classifier.weight": head, "classifier.bias": bias}
    named = {str(number): label for number, label in enumerate(labels)}
    return _ernie(folder, "ErnieForTokenClassification", weights, {"id2label": named})


def uie(folder: Path, schema: Mapping[str, tuple[str, str]] | None = None) -> Path:
    """`UIE`: asked for 名 it finds 张伟, asked for 地 it finds 广州."""
    schema = schema or {"名": PERSON, "地": PLACE}
    query, key = np.zeros(SIZE, np.float32), np.zeros((SIZE, SIZE), np.float32)
    value, wide = np.zeros((SIZE, SIZE), np.float32), np.zeros((SIZE, SIZE), np.float32)
    narrow, bias = np.zeros((SIZE, SIZE), np.float32), np.zeros(SIZE, np.float32)
    query[0] = 10
    unit = 0
    for name, tokens in schema.items():
        asked = VOCABULARY.index(name)
        key[asked, 0], value[asked, asked] = 10, 1
        for token, target in zip(tokens, (START, END), strict=True):
            wide[asked, unit] = wide[VOCABULARY.index(token), unit] = 10
            bias[unit], narrow[unit, target] = -80, 1
            unit += 1
    layer = "ernie.encoder.layers.0"
    weights = {
        f"{layer}.self_attn.q_proj.bias": query,
        f"{layer}.self_attn.k_proj.weight": key,
        f"{layer}.self_attn.v_proj.weight": value,
        f"{layer}.self_attn.out_proj.weight": np.eye(SIZE, dtype=np.float32),
        f"{layer}.linear1.weight": wide,
        f"{layer}.linear1.bias": bias,
        f"{layer}.linear2.weight": narrow,
    }
    for part, target in (("start", START), ("end", END)):
        head = np.zeros((SIZE, 1), np.float32)
        head[target] = 4
        weights |= {f"linear_{part}.weight": head, f"linear_{part}.bias": np.array([-12], np.float32)}
    return _ernie(folder, "UIE", weights, {})


def wordtag(folder: Path, summaries: int = 2) -> Path:
    """`ErnieCtmWordtagModel`: 张伟 is a 人物类_实体, 广州 a 世界地区类, everything else punctuation."""
    import_paddlenlp()
    from paddlenlp.transformers import ErnieCtmConfig, ErnieCtmTokenizer, ErnieCtmWordtagModel

    config = ErnieCtmConfig(**_SHAPE, embedding_size=SIZE, num_labels=len(TAGS))
    head = np.zeros((SIZE, len(TAGS)), np.float32)
    for tag, token in enumerate([*PERSON, *PLACE]):
        head[VOCABULARY.index(token), tag] = 3
    eye = np.eye(SIZE, dtype=np.float32)
    weights = {
        "tag_classifier.weight": head,
        "tag_classifier.bias": np.array([0, 0, 0, 0, 5], np.float32),
        "ernie_ctm.embedding_hidden_mapping_in.weight": eye,
        "ernie_ctm.feature_fuse.weight": np.concatenate([eye, 0 * eye]),
        "ernie_ctm.feature_output.weight": eye,
    }
    _save(folder, ErnieCtmWordtagModel(config), ErnieCtmTokenizer, weights, cls_num=summaries)
    (folder / "tags.txt").write_text("\n".join(TAGS) + "\n", "utf-8")
    return folder


def lac_weights(folder: Path) -> Path:
    """LAC as PaddleNLP publishes it, before conversion: every character is a PER of its own."""
    paddle = import_paddle()
    import_paddlenlp()
    from paddlenlp.taskflow.models import BiGruCrf

    tags = ["PER-B", "PER-I", "O"]
    network = BiGruCrf(128, 128, len(VOCABULARY), len(tags))
    for name, parameter in network.named_parameters():
        values = np.zeros(parameter.shape, np.float32)
        if name == "fc.bias":
            values[0] = 9
        parameter.set_value(paddle.to_tensor(values))
    folder.mkdir(parents=True)
    for file, words in (("word.dic", [*VOCABULARY[:-1], "OOV"]), ("tag.dic", tags)):
        lines = [f"{number}\t{word}\n" for number, word in enumerate(words)]
        (folder / file).write_text("".join(lines), "utf-8")
    (folder / "q2b.dic").write_text("Ａ\ta\n", "utf-8")
    paddle.save(network.state_dict(), str(folder / "model_state.pdparams"))
    return folder


_SHAPE: dict[str, Any] = {
    "vocab_size": len(VOCABULARY),
    "hidden_size": SIZE,
    "num_hidden_layers": 1,
    "num_attention_heads": 1,
    "intermediate_size": SIZE,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
}


def _ernie(folder: Path, architecture: str, weights: Weights, config: dict[str, Any]) -> Path:
    import_paddlenlp()
    from paddlenlp import transformers

    network = getattr(transformers, architecture)(transformers.ErnieConfig(**{**_SHAPE, **config}))
    _save(folder, network, transformers.ErnieTokenizer, weights)
    return folder


def _save(folder: Path, network: Any, tokenizer: Any, weights: Weights, **options: Any) -> None:
    """Set all weights (nothing, but layer norms and each token's own dimension) and save the folder."""
    paddle = import_paddle()
    left = dict(weights)
    for name, parameter in network.named_parameters():
        values = np.zeros(parameter.shape, np.float32)
        if name.endswith("word_embeddings.weight"):
            values[:, : len(VOCABULARY)] = np.eye(len(VOCABULARY))
        elif "norm" in name and name.endswith("weight"):
            values[:] = 1
        parameter.set_value(paddle.to_tensor(left.pop(name, values)))
    assert not left, f"no such weights: {list(left)}"
    folder.mkdir(parents=True)
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(VOCABULARY) + "\n", "utf-8")
    tokenizer(str(vocabulary), **options).save_pretrained(str(folder))
    network.save_pretrained(str(folder))
    config = json.loads((folder / "config.json").read_text())
    assert config["architectures"]
