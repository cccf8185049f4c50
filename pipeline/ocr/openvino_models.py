"""The ONNX weights of RapidOCR on OpenVINO, on the CPU.

On a CPU a batch costs as much as its images one by one, and padding as much as text. So each image is computed alone,
unpadded, in a request of its own; a batch is what keeps several streams busy at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.models import ModelInfo
from pipeline.ocr import direction, telemetry
from pipeline.ocr.batched import Answer, Kind
from pipeline.ocr.cuts import Image
from pipeline.ocr.lines import padded_width
from pipeline.ocr.tensor_models import as_device_error
from pipeline.ocr.tensors import TABLES, batch_of, best

QUEUED = 4
"""Images per stream in a batch: while some are computed, the next are prepared."""


class OpenVinoModels:
    """`BatchModels` of ONNX files; `streams` images are computed at once, by `threads` threads each."""

    def __init__(
        self, info: ModelInfo, files: Mapping[Kind, Path], *, threads: int, streams: int = 1
    ) -> None:
        self.info = info
        self._streams = streams
        self._requests = {kind: _requests(path, streams, threads) for kind, path in files.items()}

    def size_of(self, kind: Kind, height: int, width: int) -> tuple[int, int]:  # noqa: ARG002
        """All images of a kind share batches, as each is computed alone."""
        return 0, 0

    def most(self, kind: Kind, size: tuple[int, int]) -> int:  # noqa: ARG002
        """How many images a batch may hold."""
        return self._streams * QUEUED

    def run(self, kind: Kind, images: Sequence[Image]) -> list[Answer]:
        """Compute images of one kind, answers in order; raises `DeviceMemory`."""
        requests = self._requests[kind]
        try:
            return self._alone(kind, images) if len(requests) == 1 else self._at_once(kind, images)
        except Exception as error:
            raise as_device_error(error) from error

    def _alone(self, kind: Kind, images: Sequence[Image]) -> list[Answer]:
        """Compute in this thread, without OpenVINO's own."""
        (request,) = self._requests[kind]
        answers = list[Answer]()
        for image in images:
            request.infer([_tensor(kind, image)])
            answers.append(_answer(kind, request))
        return answers

    def _at_once(self, kind: Kind, images: Sequence[Image]) -> list[Answer]:
        """Compute in OpenVINO's streams, while this thread prepares the next image and takes the last answer."""
        requests = self._requests[kind]
        answers = list[Answer]()
        for number, image in enumerate(images):
            tensor = _tensor(kind, image)
            request = requests[number % len(requests)]
            if number >= len(requests):
                request.wait()
                answers.append(_answer(kind, request))
            request.start_async([tensor])
        for number in range(len(answers), len(images)):
            request = requests[number % len(requests)]
            request.wait()
            answers.append(_answer(kind, request))
        return answers


def _requests(model: Path, streams: int, threads: int) -> list[Any]:
    telemetry.decline()
    import openvino

    options = {
        "NUM_STREAMS": streams,
        "INFERENCE_NUM_THREADS": streams * threads,
        # OpenVINO would pin the threads of each process to the same first cores
        "ENABLE_CPU_PINNING": False,
    }
    compiled = openvino.Core().compile_model(model, "CPU", options)
    return [compiled.create_infer_request() for _ in range(streams if streams == 1 else streams + 1)]


def _tensor(kind: Kind, image: Image) -> NDArray[np.float32]:
    height, width = image.shape[:2]
    if kind == "recognize":
        width = padded_width(width)
    elif kind == "direction":
        width = direction.WIDTH
    return batch_of([image], height, width, TABLES[kind])


def _answer(kind: Kind, request: Any) -> Answer:
    (scores,) = request.get_output_tensor().data
    if kind == "detect":
        return (scores[0].copy(),)
    if kind == "direction":
        return (scores.copy(),)
    classes, confidences = best(scores[None])
    return classes[0], confidences[0]
