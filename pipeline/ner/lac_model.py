"""From LAC's published files to a Paddle inference model, converted once and cached.

A LAC folder, as in the `jieba` wheel, contains `word.dic`, `tag.dic` and `model_baseline/` with one
fluid parameter file per variable. The cache contains `inference.json`, `inference.pdiparams` (label scores
of `pipeline.ner.network`) and `transitions.npy` (the CRF's [from, to]).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import ModelMissing
from pipeline.model_cache import cached
from pipeline.ner.fluid import read_variable
from pipeline.ner.quiet_paddle import import_paddle
from pipeline.ner.static import export

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from paddle import Tensor

    from pipeline.ner.network import BiGru, BiGruCrf

_GRU_PARTS = [f"{kind}_{k}.{part}_0" for kind in ("fc", "gru") for k in range(4) for part in "wb"]
_PARAMETERS = ["word_emb", "crfw", "fc_4.w_0", "fc_4.b_0", *_GRU_PARTS]
_FILES = ["word.dic", "tag.dic", *(f"model_baseline/{name}" for name in _PARAMETERS)]


def locate(model_dir: str | None) -> Path:
    """Return the LAC folder: `model_dir`, or the one in the jieba wheel (found without importing jieba).

    Raises `ModelMissing` if the folder or one of its files is missing.
    """
    if model_dir is not None:
        folder = Path(model_dir)
    else:
        spec = find_spec("jieba")
        if spec is None or not spec.submodule_search_locations:
            raise ModelMissing(
                "LAC's weights come with the package 'jieba', which is not installed: install it."
            )
        folder = Path(spec.submodule_search_locations[0], "lac_small")
    for name in _FILES:
        if not (folder / name).is_file():
            raise ModelMissing(
                f"{name} not found in the LAC model folder {folder}: name a complete folder, or none."
            )
    return folder


def dictionary(path: Path) -> dict[int, str]:
    """Read the lines `number<TAB>word` of a LAC dictionary; numbers may be missing.

    Raises `ModelMissing` if the file is not a dictionary.
    """
    try:
        pairs = [line.split("\t") for line in path.read_text("utf-8").split("\n") if line]
        return {int(number): word for number, word in pairs}
    except ValueError as error:
        raise ModelMissing(f"{path} is not a LAC dictionary ({error}): name another model folder.") from error


def weights_digest(folder: Path) -> str:
    """Hash all files of a LAC folder that results depend on (SHA-256, hex)."""
    digest = hashlib.sha256()
    for name in _FILES:
        digest.update(name.encode() + b"\0" + hashlib.sha256((folder / name).read_bytes()).digest())
    return digest.hexdigest()


def paddle_version() -> str:
    """Return the version of the installed Paddle (CPU or GPU build) without importing it.

    Raises `ModelMissing` if Paddle is not installed.
    """
    for name in ("paddlepaddle", "paddlepaddle-gpu"):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    raise ModelMissing(
        "Paddle is not installed: install 'paddlepaddle', or set the NER engine to 'patterns'."
    )


def static_model(folder: Path) -> Path:
    """Return the cached inference model of a LAC folder, converting it if necessary.

    Raises `RunError` if the cache can't be written.
    """
    here = Path(__file__)
    sources = [here, *map(here.with_name, ("network.py", "fluid.py", "static.py"))]
    key = "\0".join(
        [weights_digest(folder), paddle_version(), *(path.read_text("utf-8") for path in sources)]
    )
    return cached(
        f"lac-{hashlib.sha256(key.encode()).hexdigest()[:16]}", lambda draft: _convert(folder, draft)
    )


def _convert(folder: Path, target: Path) -> None:
    """Write the inference model and the transitions of a LAC folder into the folder `target`."""
    network = load_network(folder)
    export(network, network.transitions.numpy(), target)


def load_network(folder: Path) -> BiGruCrf:
    """Build the network with the weights of a LAC folder, ready for inference; imports Paddle.

    Raises `ModelMissing` if the shapes in the files are not those of LAC-small.
    """
    import_paddle()
    from pipeline.ner.network import BiGruCrf

    def read(name: str) -> NDArray[np.float32]:
        return read_variable(folder / "model_baseline" / name)

    try:
        embedding, crf = read("word_emb"), read("crfw")
        vocabulary, size = embedding.shape
        network = BiGruCrf(vocabulary, size, labels=crf.shape[1])
        _fill(network.embedding.weight, embedding)
        _fill_gru(network.lower, 0, read)
        _fill_gru(network.upper, 2, read)
        _fill(network.output.weight, read("fc_4.w_0"))
        _fill(network.output.bias, read("fc_4.b_0"))
        for parameter, rows in (
            (network.start, crf[0]),
            (network.stop, crf[1]),
            (network.transitions, crf[2:]),
        ):
            _fill(parameter, rows)
    except ValueError as error:
        raise ModelMissing(
            f"{folder} does not contain a compatible LAC model: {error}. Name another model folder."
        ) from error
    network.eval()
    return network


def _fill_gru(layer: BiGru, first: int, read: Callable[[str], NDArray[np.float32]]) -> None:
    """Fill both directions from the fluid variables numbered `first` (forward) and `first` + 1 (backward).

    A fluid GRU's weight is one block of H x 3H values: the gates' [H, 2H], then the candidate's [H, H].
    """
    hidden = layer.hidden
    blocks = [read(f"gru_{first + k}.w_0").reshape(-1) for k in (0, 1)]
    cut = 2 * hidden * hidden
    _fill(layer.state_gates, np.stack([block[:cut].reshape(hidden, 2 * hidden) for block in blocks]))
    _fill(layer.state_candidate, np.stack([block[cut:].reshape(hidden, hidden) for block in blocks]))
    for k, linear in enumerate((layer.forward_input, layer.backward_input), first):
        _fill(linear.weight, read(f"fc_{k}.w_0"))
        _fill(linear.bias, read(f"fc_{k}.b_0").reshape(-1) + read(f"gru_{k}.b_0").reshape(-1))


def _fill(parameter: Tensor, values: NDArray[np.float32]) -> None:
    if list(parameter.shape) != list(values.shape):
        raise ValueError(f"a weight has shape {list(values.shape)}, expected {list(parameter.shape)}")
    parameter.set_value(np.ascontiguousarray(values))
