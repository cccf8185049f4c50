"""What goes between the device process and those who ask it: small messages through a socket, pixels through memory.

A connection is a Unix socket that keeps messages apart (`SOCK_SEQPACKET`), with at most one request in progress. Its
images and their answers are in one arena: shared memory that the client makes, and passes as a descriptor with the
first request in it. Neither side copies an image to send it.

An arena begins with one mark per image, then has a slot per image, in order. The answer to an image is written over
it. Marks outlive the device process: they say which images it was computing when it died.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from pipeline.ocr.batched import Answer, Kind
from pipeline.ocr.cuts import Image

Size = tuple[int, int]
"""Height and width in pixels."""

MAX_MESSAGE = 128 * 1024
"""Bytes of a message."""
MAX_IMAGES = 256
"""Images of a request; also the bytes of marks at the beginning of an arena."""
MAX_ARENA = 512 * 1024 * 1024
"""Bytes of an arena: an image of 134 million pixels, or many smaller ones."""
WAITING, TOGETHER, ALONE = range(3)
"""Marks of an image: not being computed; in a batch with others; in a batch of its own."""

_ALIGN = 64
_LEAST = 1024  # bytes of a slot: a narrow line may have more classes than pixels
_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW


class Compute(msgspec.Struct, frozen=True, array_like=True):
    """Request: compute the images in the arena. `alone`: the places of those that share no batch."""

    kind: Kind
    sizes: tuple[Size, ...]
    urgent: bool
    alone: tuple[int, ...]


class Shaped(msgspec.Struct, frozen=True, array_like=True):
    """One array of an answer: its numpy type and shape."""

    dtype: str
    shape: tuple[int, ...]


class Result(msgspec.Struct, frozen=True, array_like=True):
    """What came of an image: arrays, one after the other in its slot, or why there are none."""

    arrays: tuple[Shaped, ...] = ()
    code: str = ""
    reason: str = ""


class Computed(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """Answer to `Compute`, in order. `seconds`: of the device, the share of these images in their batches."""

    results: tuple[Result, ...]
    seconds: float = 0.0


class Refused(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """Answer to a request that is invalid; the connection ends."""

    reason: str


class Ending(msgspec.Struct, frozen=True, array_like=True, tag=3):
    """The process ends on purpose, or because its device is lost: nothing that it was computing is at fault."""

    reason: str


Reply = Computed | Refused | Ending

encode = msgspec.msgpack.Encoder().encode
decode_request = msgspec.msgpack.Decoder(Compute).decode
decode_reply = msgspec.msgpack.Decoder(Reply).decode


def new_socket() -> socket.socket:
    """A socket for one side of a connection."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * MAX_MESSAGE)
    return made


def listening(address: Path, waiting: int) -> socket.socket:
    """A socket that listens at `address` from now on, in the place of one that an earlier process left.

    `waiting`: connections that may wait to be accepted.
    """
    new = address.with_name(f"{address.name}.{os.getpid()}")
    new.unlink(missing_ok=True)
    listener = new_socket()
    listener.bind(str(new))
    listener.listen(waiting)
    listener.setblocking(False)
    new.rename(address)
    return listener


def size_of(image: Image) -> Size:
    """Height and width of an image."""
    return image.shape[0], image.shape[1]


def slots(sizes: Sequence[Size]) -> list[int]:
    """Where the slot of each image begins in an arena, and where the last one ends, in bytes.

    A slot has room for one float per pixel: text probabilities, the largest answer.
    """
    ends = [MAX_IMAGES]
    for height, width in sizes:
        ends.append(ends[-1] + -(-max(4 * height * width, _LEAST) // _ALIGN) * _ALIGN)
    return ends


class Arena:
    """Shared memory for the images of one request."""

    def __init__(self, descriptor: int, size: int) -> None:
        """Map `size` bytes of a file in memory."""
        self.size = size
        self._memory = mmap.mmap(descriptor, size)

    def mark(self, place: int, mark: int) -> None:
        """Note what is done with an image."""
        self._memory[place] = mark

    def marks(self, count: int) -> list[int]:
        """The marks of the first images."""
        return list(self._memory[:count])

    def clear(self, count: int) -> None:
        """Unmark the first images."""
        self._memory[:count] = bytes(count)

    def image(self, start: int, size: Size) -> Image:
        """The image in a slot, (h, w, 3), not copied."""
        height, width = size
        flat = np.frombuffer(self._memory, np.uint8, 3 * height * width, start)
        return flat.reshape(height, width, 3)

    def write(self, start: int, end: int, answer: Answer) -> tuple[Shaped, ...]:
        """Put an answer into the slot from `start` to `end`; raises `ValueError` if it has no room there."""
        shaped = []
        for array in answer:
            if array.dtype.hasobject or start + array.nbytes > end:
                raise ValueError(f"an array of {array.dtype} {array.shape} has no room")
            np.copyto(_view(self._memory, start, array.dtype, array.shape), array)
            shaped.append(Shaped(array.dtype.str, array.shape))
            start = _after(start, array)
        return tuple(shaped)

    def read(self, start: int, shaped: Sequence[Shaped]) -> Answer:
        """The arrays of a slot, not copied; raises `ValueError` or `TypeError` if they can't be there."""
        arrays = []
        for one in shaped:
            arrays.append(_view(self._memory, start, np.dtype(one.dtype), one.shape))
            start = _after(start, arrays[-1])
        return tuple(arrays)


def new_arena(size: int) -> tuple[Arena, int]:
    """An arena, and the descriptor by which another process can map it; the caller closes it."""
    descriptor = os.memfd_create("nightshift", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(descriptor, size)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
        return Arena(descriptor, size), descriptor
    except BaseException:
        os.close(descriptor)
        raise


def received_arena(descriptor: int) -> Arena:
    """Map an arena of another process; raises `ValueError` where that is not safe.

    Memory that could shrink would kill the process that reads it afterwards.
    """
    try:
        sealed = fcntl.fcntl(descriptor, fcntl.F_GET_SEALS) & _SEALS
    except OSError:
        sealed = 0
    size = os.fstat(descriptor).st_size
    if sealed != _SEALS or not MAX_IMAGES < size <= MAX_ARENA:
        raise ValueError(f"a descriptor of {size} bytes is no arena")
    return Arena(descriptor, size)


def _view(memory: mmap.mmap, start: int, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    return np.ndarray(shape, dtype, memory, start)


def _after(start: int, array: NDArray[Any]) -> int:
    """Where the next array of an answer begins."""
    return start + -(-array.nbytes // 8) * 8
