"""Run a tagger's network: a plain Paddle predictor on the files of `pipeline.ner.static`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import RunError, UsageError
from pipeline.ner.quiet_paddle import import_paddle

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DEVICE = re.compile(r"cpu|gpu(:\d+)?")


def checked_device(device: str) -> str:
    """Return `device`; raises `UsageError` if it is invalid."""
    if not _DEVICE.fullmatch(device):
        raise UsageError(f"Invalid NER device '{device}': use cpu, gpu or gpu:0.")
    return device


class Scorer:
    """A Paddle predictor for the label scores of a batch; `model` is a folder written by `static.export`."""

    def __init__(self, model: Path, device: str, threads: int) -> None:
        import_paddle()
        from paddle import inference

        config = inference.Config(str(model / "inference.json"), str(model / "inference.pdiparams"))
        config.disable_glog_info()
        _set_device(config, device)
        config.set_cpu_math_library_num_threads(threads)
        config.disable_mkldnn()  # oneDNN is slower here and its cache grows with each new shape.
        config.enable_new_ir(True)
        config.enable_new_executor(True)
        self._predictor = inference.create_predictor(config)
        self._inputs = [self._predictor.get_input_handle(name) for name in ("ids", "lengths")]
        self._output = self._predictor.get_output_handle(self._predictor.get_output_names()[0])
        self.transitions: NDArray[np.float32] = np.load(model / "transitions.npy")

    def scores(self, ids: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the scores [B, T, L] of `ids` [B, T]; those beyond a row's length are meaningless."""
        for handle, values in zip(self._inputs, (ids, lengths), strict=True):
            handle.copy_from_cpu(values)
        self._predictor.run()
        scores: NDArray[np.float32] = self._output.copy_to_cpu()
        return scores


def _set_device(config: Any, device: str) -> None:
    kind, _, number = device.partition(":")
    if kind == "cpu":
        config.disable_gpu()
        return
    paddle = import_paddle()
    if not paddle.device.is_compiled_with_cuda():
        raise RunError(f"The NER device is {device}, but this Paddle is a CPU build: install the GPU build.")
    config.enable_use_gpu(256, int(number or 0))
