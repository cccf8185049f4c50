"""One connection to a device process, as its client sees it: one request at a time, and why none is answered."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from pipeline.device import wire
from pipeline.ocr.batched import Answer, Kind
from pipeline.ocr.cuts import Image

KEPT = 16 * 1024 * 1024
"""Bytes of shared memory that a connection keeps between two requests."""
_LEAST = 1024 * 1024
CONNECTING = 5.0
"""Seconds that connecting may take; it waits where a process has more clients than it serves."""

R = TypeVar("R", bound=wire.Reply)


class Died(Exception):
    """The process ended by itself. `marks`: what it was doing with each image."""

    def __init__(self, marks: Sequence[int]) -> None:
        super().__init__()
        self.marks = marks


class Ended(Exception):
    """The process ended on purpose, or its device is lost; the message is a sentence."""


class Unanswered(Exception):
    """There is no answer in time."""


class Line:
    """A connection; raises `OSError` where no process listens. After an error it must be closed."""

    def __init__(self, address: Path) -> None:
        self._arena: wire.Arena | None = None
        self._socket = wire.new_socket()
        self._socket.settimeout(CONNECTING)
        try:
            self._socket.connect(str(address))
        except BaseException:
            self._socket.close()
            raise

    @property
    def kept(self) -> int:
        """Bytes of shared memory of this connection."""
        return self._arena.size if self._arena else 0

    def close(self) -> None:
        """Disconnect; nothing is computed for this connection any more."""
        self._socket.close()

    def sizes(self, kind: Kind, sizes: Sequence[wire.Size], until: float) -> tuple[wire.Size, ...]:
        """What images of these sizes are padded to; `until`: when to give up waiting, by `time.monotonic()`."""
        return self._asked(wire.Sizes(kind, tuple(sizes)), wire.Sized, until).sizes

    def compute(
        self,
        kind: Kind,
        images: Sequence[Image],
        sizes: Sequence[wire.Size],
        *,
        urgent: bool,
        alone: Sequence[int],
        until: float,
    ) -> list[Answer | wire.Result]:
        """The answers in order; a result where there is none. `sizes`: what `Line.sizes` says of these images.

        Raises `Died`, `Ended`, `Unanswered`, and `ValueError` for a request that the process refuses.
        """
        starts = wire.slots(sizes)
        arena, descriptor = self._room(starts[-1])
        try:
            arena.clear(len(images))
            for start, size, image in zip(starts, sizes, images, strict=False):
                _put(arena.image(start, size), image)
            request = wire.Compute(kind, tuple(sizes), urgent, tuple(alone))
            results = self._asked(request, wire.Computed, until, len(images), descriptor).results
        finally:
            if descriptor is not None:
                os.close(descriptor)
        cut = kind == "detect"
        return [
            result if result.code else _copied(arena.read(start, result.arrays), image if cut else None)
            for start, result, image in zip(starts, results, images, strict=False)
        ]

    def _room(self, size: int) -> tuple[wire.Arena, int | None]:
        """An arena of at least so many bytes, and its descriptor where the process does not have it yet."""
        if self._arena is not None and self._arena.size >= size:
            return self._arena, None
        self._arena, descriptor = wire.new_arena(max(_LEAST, 1 << (size - 1).bit_length()))
        return self._arena, descriptor

    def _asked(
        self,
        request: wire.Request,
        expected: type[R],
        until: float,
        images: int = 0,
        descriptor: int | None = None,
    ) -> R:
        try:
            reply = self._exchange(wire.encode(request), until, descriptor)
        except TimeoutError:
            raise Unanswered from None
        except OSError:
            reply = None
        if isinstance(reply, expected):
            return reply
        if isinstance(reply, wire.Ending):
            raise Ended(reply.reason)
        if isinstance(reply, wire.Refused):
            raise ValueError(reply.reason)
        raise Died(self._arena.marks(images) if self._arena else [])

    def _exchange(self, request: bytes, until: float, descriptor: int | None) -> wire.Reply | None:
        """The reply; `None` where the process has gone."""
        self._socket.settimeout(max(until - time.monotonic(), 0.001))
        if descriptor is None:
            self._socket.send(request)
        else:
            socket.send_fds(self._socket, [request], [descriptor])
        data = self._socket.recv(wire.MAX_MESSAGE)
        try:
            return wire.decode_reply(data) if data else None
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None


def _put(slot: Image, image: Image) -> None:
    """Copy an image to the top left of its slot; the rest is black."""
    height, width = image.shape[:2]
    slot[:height, :width] = image
    slot[height:] = 0
    slot[:height, width:] = 0


def _copied(answer: Answer, image: Image | None) -> Answer:
    """An answer outside the arena, a map without what was padded."""
    if image is None:
        return tuple(array.copy() for array in answer)
    return tuple(array[: image.shape[0], : image.shape[1]].copy() for array in answer)
