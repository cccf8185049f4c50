"""The engine `remote`: detection and recognition by PaddleX servers, everything else as for the other engines.

A server finds and reads the lines of a page in one request. Rotation, seals, small letters on large sheets, and what
counts as read are decided here, by `pipeline.ocr.reading`; the line-direction classifier computes on the CPU.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UsageError
from pipeline.models import ModelInfo
from pipeline.ocr import direction, identity, weights
from pipeline.ocr.asking_engine import asking_here
from pipeline.ocr.base import PageReading
from pipeline.ocr.cuts import Image, Quads, cut_line
from pipeline.ocr.openvino_models import OpenVinoModels
from pipeline.ocr.orientation import TALL, standing
from pipeline.ocr.reading import detection_side, read_page
from pipeline.remote.policy import server_policy
from pipeline.served.server import Server
from pipeline.served.servers import Servers
from pipeline.served.strips import read_lines

if TYPE_CHECKING:
    from pipeline.settings import Settings

SERVED_VERSION = 1
"""Raise it when a file of this room changes what is read."""
LARGEST = 4000
"""PaddleX scales a page down to this side, in pixels, whatever it is asked for."""
SHARE = 0.75
"""Share of NIGHTSHIFT_TIME_LIMIT after which no more is asked for a page: later, its process would be ended."""


class RemoteEngine:
    """`OcrEngine` whose pages are read by other machines; one instance per thread.

    Raises `UsageError` for settings that don't fit. No server is asked before the first page.
    """

    def __init__(self, settings: Settings) -> None:
        self.info = self.describe(settings)
        self._servers = Servers(servers_of(settings), settings.ocr_server_seconds)
        self._longest = SHARE * settings.time_limit
        self.deadline: Callable[[], float] = lambda: math.inf
        """Until when the page in progress may take, where its message ends sooner, by `time.monotonic()`."""
        self._max_side = settings.ocr_max_side
        models = OpenVinoModels(
            self.info, {"direction": weights.wheel_file(weights.DIRECTION)}, threads=settings.ocr_threads
        )
        self._directions = asking_here(models)
        self._known: dict[bytes, tuple[str, float]] = {}
        cv2.setNumThreads(settings.ocr_threads)

    @staticmethod
    def describe(settings: Settings) -> ModelInfo:
        """The model as the operator states it, since a server does not say which it has; asks none."""
        if not settings.ocr_server_model:
            raise UsageError(
                "Set NIGHTSHIFT_OCR_SERVER_MODEL to what the OCR servers run, such as "
                "PP-OCRv6_medium/paddlex-3.7.2: a server does not say so, and results must."
            )
        parts = {
            "engine": "remote",
            "name": settings.ocr_server_model,
            "files": [identity.file_digest(weights.wheel_file(weights.DIRECTION))],
            "max_side": settings.ocr_max_side,
            "version": [identity.READING_VERSION, SERVED_VERSION],
        }
        digest = hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()
        return ModelInfo(engine="remote", name=settings.ocr_server_model, digest=digest)

    def read(self, image: NDArray[np.uint8]) -> PageReading:
        """Read one RGB image of shape (height, width, 3), 8 bits a channel; raises as `Servers.ask`."""
        self._known.clear()
        self._servers.until = min(time.monotonic() + self._longest, self.deadline())
        return read_page(image, self, self, self._max_side)

    def detect(self, image: Image) -> Quads:
        """Find the lines of a BGR page: (n, 4, 2). What was read on them is kept for `recognize`."""
        height, width = image.shape[:2]
        lines = self._servers.ask(image, min(detection_side(height, width, self._max_side), LARGEST))
        if not lines:
            return np.zeros((0, 4, 2), np.float32)
        quads = np.stack([line.quad for line in lines])
        for line, down in zip(lines, standing(quads), strict=True):
            if down == _was_turned(line.quad):  # else it was read on its side
                self._known[_key(cut_line(image, line.quad, turned=bool(down)))] = line.text, line.confidence
        return quads

    def recognize(self, crops: Sequence[Image]) -> list[tuple[str, float]]:
        """Read upright BGR line images: text and confidence; what a server has not read yet, in further requests."""
        keys = [_key(crop) for crop in crops]
        new = {key: crop for key, crop in zip(keys, crops, strict=True) if key not in self._known}
        if new:
            self._known |= zip(new, read_lines(list(new.values()), self._servers.ask), strict=True)
        return [self._known[key] for key in keys]

    def upside_down(self, crops: Sequence[Image]) -> float:
        """Share of the BGR line images that are upside down, 0..1."""
        return direction.upside_down(
            self._directions("direction", [direction.head_of(crop) for crop in crops])
        )


def servers_of(settings: Settings) -> list[Server]:
    """The servers that settings name; raises `UsageError`."""
    urls = [url.strip() for url in settings.ocr_servers.split(",") if url.strip()]
    if not urls:
        raise UsageError(
            "Set NIGHTSHIFT_OCR_SERVERS to the servers of the engine remote, such as http://gpu1:8080."
        )
    policy = server_policy(settings)
    return [Server(url, policy, settings.ocr_server_token) for url in urls]


def _was_turned(quad: Quads) -> bool:
    """Whether PaddleX turned this line before it read it, counter-clockwise."""
    edges = np.linalg.norm(quad - np.roll(quad, -1, axis=0), axis=1)
    return bool(int(max(edges[1], edges[3])) >= TALL * int(max(edges[0], edges[2])))


def _key(crop: Image) -> bytes:
    return hashlib.blake2b(repr(crop.shape).encode() + crop.tobytes(), digest_size=16).digest()
