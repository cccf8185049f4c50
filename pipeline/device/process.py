"""The device process: it listens at a socket, computes what is asked, and answers.

It has no broker, no store, no network. Who may enter the folder of its socket may ask. It trusts no request: sizes are
checked, memory that could shrink is refused, and a client that sends anything else is disconnected.
"""

from __future__ import annotations

import logging
import os
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import msgspec

from pipeline.device import wire
from pipeline.device.batches import Key
from pipeline.device.computing import Computing, Failed, Job, Outcome
from pipeline.device.counters import EXIT_LOST, Count
from pipeline.ocr.batched import Answer, BatchModels, Kind

MAX_CLIENTS = 256
"""Connections at a time, each of which takes two descriptors; for one more, the one that is idle longest is ended."""

log = logging.getLogger("nightshift")


class _Invalid(Exception):
    """A request that is refused; the message says why."""


class _Connection:
    """One client's socket, and its request in progress.

    `left`: images of it that are not computed yet; `seconds`: what the others took. `idle_since`: a time of
    `time.monotonic()`.
    """

    def __init__(self, number: int, sock: socket.socket) -> None:
        self.number, self.socket = number, sock
        self.arena: wire.Arena | None = None
        self.slots: list[int] = []
        self.results: list[wire.Result] = []
        self.left = 0
        self.seconds = 0.0
        self.idle_since = time.monotonic()


class Device:
    """A server at `address`, in the main thread; the models compute in another."""

    def __init__(self, address: Path, models: BatchModels) -> None:
        """Listen, once that is possible: clients find the socket when it is ready."""
        self._models = models
        self._outcomes: deque[list[Outcome]] = deque()
        self._connections: dict[int, _Connection] = {}
        self._lost: str | None = None
        self._accepted = 0
        self._listener = wire.listening(address, MAX_CLIENTS)
        # counters last: they say that the process is ready
        self._computing = Computing(models, Count(address), self._ended, self._end)
        self._wakes, self._wake = socket.socketpair()
        self._wakes.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wakes, selectors.EVENT_READ, self._answer_all)
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)

    def serve(self) -> str:
        """Serve until the device is lost; returns the reason."""
        self._computing.start()
        while self._lost is None:
            for key, _ in self._selector.select():
                ready: Callable[[], None] = key.data
                ready()
        return self._lost

    def close(self, reason: str) -> None:
        """Tell all clients that this process ends on purpose."""
        for connection in list(self._connections.values()):
            self._send(connection, wire.Ending(reason))

    def _ended(self, outcomes: list[Outcome]) -> None:
        self._outcomes.append(outcomes)
        self._wake.send(b"\0")

    def _end(self, reason: str) -> None:
        self._lost = reason
        self._wake.send(b"\0")

    def _accept(self) -> None:
        if len(self._connections) >= MAX_CLIENTS and not self._make_room():
            self._selector.unregister(self._listener)  # until one is idle, or gone
            return
        with suppress(OSError):  # it has gone again
            sock, _ = self._listener.accept()
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * wire.MAX_MESSAGE)
            self._accepted += 1
            connection = self._connections[self._accepted] = _Connection(self._accepted, sock)
            self._selector.register(sock, selectors.EVENT_READ, lambda: self._receive(connection))
            with self._computing.changed:
                self._computing.jobs.expect(connection.number, time.monotonic())

    def _make_room(self) -> bool:
        """End the connection that is idle longest: clients keep theirs open, and connect again when they need one."""
        idle = [connection for connection in self._connections.values() if not connection.left]
        if idle:
            self._drop(min(idle, key=lambda connection: connection.idle_since))
        return bool(idle)

    def _listen(self) -> None:
        """Accept connections, if that was stopped."""
        with suppress(KeyError):
            self._selector.register(self._listener, selectors.EVENT_READ, self._accept)

    def _receive(self, connection: _Connection) -> None:
        descriptors: list[int] = []
        try:
            data, descriptors, flags, _ = socket.recv_fds(connection.socket, wire.MAX_MESSAGE, 1)
            if not data:
                self._drop(connection)
            elif flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
                raise _Invalid("a message is too long")
            else:
                self._handle(connection, wire.decode_request(data), descriptors)
        except BlockingIOError:
            pass
        except OSError:
            self._drop(connection)
        except (_Invalid, msgspec.DecodeError, UnicodeDecodeError) as error:
            log.warning("a client of the device is disconnected: %s", error)
            self._send(connection, wire.Refused(str(error)[:200]))
            self._drop(connection)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _handle(self, connection: _Connection, request: wire.Compute, descriptors: list[int]) -> None:
        if connection.left:
            raise _Invalid("a request was sent before the last one was answered")
        if not 0 < len(request.sizes) <= wire.MAX_IMAGES:
            raise _Invalid(f"a request of {len(request.sizes)} images")
        if descriptors:
            try:
                connection.arena = wire.received_arena(descriptors[0])
            except (ValueError, OSError) as error:
                raise _Invalid(str(error)) from None
        self._compute(connection, request)

    def _key(self, kind: Kind, size: wire.Size) -> Key:
        """What an image shares batches with."""
        if min(size) < 1 or 4 * size[0] * size[1] > wire.MAX_ARENA:
            raise _Invalid(f"an image of {size} pixels")
        try:
            return kind, self._models.size_of(kind, *size)
        except Exception as error:
            raise _Invalid(f"an image of {size} pixels for {kind}: {error}") from None

    def _compute(self, connection: _Connection, request: wire.Compute) -> None:
        keys = [self._key(request.kind, size) for size in request.sizes]
        arena, starts = connection.arena, wire.slots(request.sizes)
        if arena is None or starts[-1] > arena.size:
            raise _Invalid("the images have no room in the arena")
        jobs = [
            Job(key, connection.number, arena, arena.image(start, size), place)
            for place, (key, start, size) in enumerate(zip(keys, starts, request.sizes, strict=False))
        ]
        for job in jobs:
            job.urgent, job.alone = request.urgent, job.place in request.alone
        connection.slots, connection.left = starts, len(jobs)
        connection.results, connection.seconds = [wire.Result()] * len(jobs), 0.0
        with self._computing.changed:
            self._computing.jobs.add(jobs, time.monotonic())
            self._computing.changed.notify()

    def _answer_all(self) -> None:
        with suppress(BlockingIOError):
            self._wakes.recv(4096)
        while self._outcomes:
            for job, outcome in self._outcomes.popleft():
                connection = self._connections.get(job.owner)
                if connection is not None:
                    self._answer(connection, job, outcome)

    def _answer(self, connection: _Connection, job: Job, outcome: Answer | Failed) -> None:
        connection.results[job.place] = _result(connection, job, outcome)
        connection.seconds += job.seconds
        connection.left -= 1
        if not connection.left:
            connection.idle_since = time.monotonic()
            with self._computing.changed:
                self._computing.jobs.expect(connection.number, connection.idle_since)
            self._listen()
            self._send(connection, wire.Computed(tuple(connection.results), connection.seconds))

    def _send(self, connection: _Connection, reply: wire.Reply) -> None:
        try:
            connection.socket.send(wire.encode(reply))
        except OSError:  # it is gone, or does not read its answers
            self._drop(connection)

    def _drop(self, connection: _Connection) -> None:
        if self._connections.pop(connection.number, None) is None:
            return
        self._selector.unregister(connection.socket)
        connection.socket.close()
        connection.arena = None
        with self._computing.changed:
            self._computing.jobs.drop(connection.number)
            self._computing.changed.notify()
        self._listen()


def _result(connection: _Connection, job: Job, outcome: Answer | Failed) -> wire.Result:
    """Put an answer where its client reads it."""
    if isinstance(outcome, Failed):
        return wire.Result(code=outcome.code, reason=outcome.reason)
    start, end = connection.slots[job.place : job.place + 2]
    try:
        return wire.Result(job.arena.write(start, end, outcome))
    except (ValueError, TypeError, AttributeError) as error:
        log.error("the OCR engine gives an invalid answer: %s", error)
        return wire.Result(code="internal", reason="The OCR engine gives an invalid answer.")


def run(address: Path, models: BatchModels) -> NoReturn:
    """Serve at `address` until the device is lost, or this process is asked to end by `SystemExit`.

    A loss is no end on purpose: clients see it as a crash, and ask the next process.
    """
    device = Device(address, models)
    code = EXIT_LOST
    try:
        log.error("the device is lost: %s", device.serve())
    except SystemExit:
        code = 0
        device.close("The device process was ended.")
    os._exit(code)  # models may be computing: nobody waits for them
