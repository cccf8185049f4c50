"""One connection to a device process, as its client sees it: one request at a time, and why none is answered."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from pipeline.device import wire
from pipeline.ocr.batched import Answer, Kind
from pipeline.ocr.cuts import Image

KEPT = 16 * 1024 * 1024
"""Bytes of shared memory that a connection keeps between two requests."""
_LEAST = 1024 * 1024
CONNECTING = 5.0
"""Seconds that connecting may take; it fails at once where too many wait to be accepted."""


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
    """A connection; raises `OSError` where no process listens. After an error it must be closed.

    `seconds`: what the device computed for the last request.
    """

    def __init__(self, address: Path) -> None:
        self.seconds = 0.0
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

    def compute(
        self,
        kind: Kind,
        images: Sequence[Image],
        *,
        urgent: bool,
        alone: Sequence[int],
        until: float,
    ) -> list[Answer | wire.Result]:
        """The answers in order; a result where there is none. `until`: when to give up, by `time.monotonic()`.

        Raises `Died`, `Ended`, `Unanswered`, and `ValueError` for a request that the process refuses.
        """
        sizes = tuple(wire.size_of(image) for image in images)
        starts = wire.slots(sizes)
        arena, descriptor = self._room(starts[-1])
        try:
            arena.clear(len(images))
            for start, size, image in zip(starts, sizes, images, strict=False):
                np.copyto(arena.image(start, size), image)
            request = wire.Compute(kind, sizes, urgent, tuple(alone))
            computed = self._asked(wire.encode(request), until, descriptor, arena, len(images))
        finally:
            if descriptor is not None:
                os.close(descriptor)
        self.seconds = computed.seconds
        return [
            result if result.code else tuple(array.copy() for array in arena.read(start, result.arrays))
            for start, result in zip(starts, computed.results, strict=False)
        ]

    def _room(self, size: int) -> tuple[wire.Arena, int | None]:
        """An arena of at least so many bytes, and its descriptor where the process does not have it yet."""
        if self._arena is not None and self._arena.size >= size:
            return self._arena, None
        self._arena, descriptor = wire.new_arena(max(_LEAST, 1 << (size - 1).bit_length()))
        return self._arena, descriptor

    def _asked(
        self, request: bytes, until: float, descriptor: int | None, arena: wire.Arena, images: int
    ) -> wire.Computed:
        try:
            reply = self._exchange(request, until, descriptor)
        except TimeoutError:
            raise Unanswered from None
        except OSError:
            reply = None
        if isinstance(reply, wire.Computed):
            return reply
        if isinstance(reply, wire.Ending):
            raise Ended(reply.reason)
        if isinstance(reply, wire.Refused):
            raise ValueError(reply.reason)
        raise Died(arena.marks(images))

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
