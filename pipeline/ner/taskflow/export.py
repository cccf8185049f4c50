"""Export the LAC model of the jieba wheel as a folder that `Taskflow("ner", mode="fast")` reads offline.

    python -m pipeline.ner.taskflow.export FOLDER

A first model for trying the engine `taskflow`.
"""

from __future__ import annotations

import shutil
import sys
import warnings
from pathlib import Path

from pipeline.ner.lac_model import load_network, locate
from pipeline.ner.normalise import table
from pipeline.ner.quiet_paddle import import_paddle


def export_lac(target: Path) -> None:
    """Write inference.json, inference.pdiparams, word.dic, tag.dic and q2b.dic to `target`.

    Raises `ModelMissing` if LAC's weights or Paddle are not installed.
    """
    source = locate(None)
    target.mkdir(parents=True, exist_ok=True)
    for name in ("word.dic", "tag.dic"):
        shutil.copyfile(source / name, target / name)
    (target / "q2b.dic").write_text("".join(f"{wide}\t{plain}\n" for wide, plain in table()), "utf-8")
    paddle = import_paddle()
    from paddle import Tensor, nn

    network = load_network(source)

    class Tagger(nn.Layer):
        """LAC's network with best-path decoding: tag numbers [B, T] of ids [B, T]."""

        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, token_ids: Tensor, length: Tensor) -> Tensor:
            scores = self.network(token_ids, length)
            path: Tensor = paddle.text.viterbi_decode(
                scores, self.network.transitions, length, include_bos_eos_tag=False
            )[1]
            return path

    inputs = [
        paddle.static.InputSpec([None, None], "int64", "token_ids"),
        paddle.static.InputSpec([None], "int64", "length"),
    ]
    tagger = Tagger()
    tagger.eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Paddle's tracer warns about its own code.
        static = paddle.jit.to_static(tagger, input_spec=inputs, full_graph=True)
        paddle.jit.save(static, str(target / "inference"))


if __name__ == "__main__":
    export_lac(Path(sys.argv[1]))
