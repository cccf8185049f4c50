"""Clients that send what no client sends, or too much: they are disconnected, and nobody else notices."""

from __future__ import annotations

import fcntl
import os
import select
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from pipeline.device import process, wire
from tests.support.devices import Place, colour_of, device_place, picture, until

SIZE = (64, 96)


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with device_place() as it:
        it.start("batch=0.01 most=4")
        yield it


@pytest.fixture
def sock(place: Place) -> Iterator[socket.socket]:
    with wire.new_socket() as it:
        it.settimeout(30)
        it.connect(str(place.address))
        yield it
    assert colour_of(place.client().ask("detect", [picture((7, 8, 9))])[0]) == (7, 8, 9)


def request(*sizes: wire.Size, alone: tuple[int, ...] = ()) -> bytes:
    return wire.encode(wire.Compute("detect", sizes or (SIZE,), False, alone))


def refused(sock: socket.socket) -> str:
    """Why this client is disconnected."""
    reply = wire.decode_reply(sock.recv(wire.MAX_MESSAGE))
    assert isinstance(reply, wire.Refused)
    assert sock.recv(1) == b""
    return reply.reason


@pytest.mark.parametrize(
    "message",
    [
        b"\xff\xfe garbage",
        b"\x00",
        b"x" * wire.MAX_MESSAGE,
        b"x" * (wire.MAX_MESSAGE + 1000),
        wire.encode(["detect", [[64, "96"]], False, []]),
        wire.encode(["guess", [[64, 96]], False, []]),
        wire.encode(["detect", [], False, []]),
        request(*[SIZE] * (wire.MAX_IMAGES + 1)),
        request((0, 32)),
        request((-64, -96)),
        request((1 << 40, 1 << 40)),
        request((20_000, 20_000)),
        request(),
    ],
)
def test_what_is_no_request(sock: socket.socket, message: bytes) -> None:
    sock.send(message)
    assert refused(sock)


def sent(sock: socket.socket, descriptor: int, message: bytes) -> None:
    socket.send_fds(sock, [message], [descriptor])
    os.close(descriptor)


def memory(size: int, seals: int = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW) -> int:
    """A file in memory."""
    descriptor = os.memfd_create("test", os.MFD_ALLOW_SEALING)
    os.ftruncate(descriptor, size)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
    return descriptor


def test_memory_that_could_shrink(sock: socket.socket) -> None:
    sent(sock, memory(1 << 20, seals=0), request())
    assert "no arena" in refused(sock)


def test_memory_that_is_too_small_or_too_large(place: Place, sock: socket.socket) -> None:
    sent(sock, memory(4096), request())
    assert "no room" in refused(sock)
    for size in (0, wire.MAX_IMAGES, wire.MAX_ARENA + 4096):
        with wire.new_socket() as another:
            another.settimeout(30)
            another.connect(str(place.address))
            sent(another, memory(size), request())
            assert "no arena" in refused(another)


def test_what_is_no_memory_at_all(sock: socket.socket, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 100_000)
    sent(sock, os.open(tmp_path / "file", os.O_RDONLY), request())
    assert "no arena" in refused(sock)


def test_a_second_request_before_the_answer(sock: socket.socket) -> None:
    sent(sock, memory(1 << 20), request())
    sock.send(request())
    replies = [wire.decode_reply(sock.recv(wire.MAX_MESSAGE))]
    if isinstance(replies[0], wire.Computed):  # it was already answered: then the second is the first again
        assert isinstance(wire.decode_reply(sock.recv(wire.MAX_MESSAGE)), wire.Computed)
    else:
        assert "before the last one" in str(replies[0])


def test_more_descriptors_than_one(place: Place, sock: socket.socket) -> None:
    files = [memory(1 << 20) for _ in range(20)]
    socket.send_fds(sock, [request()], files)
    for file in files:
        os.close(file)
    assert refused(sock)


def test_one_that_asks_and_goes(place: Place) -> None:
    for _ in range(20):
        with wire.new_socket() as sock:
            sock.connect(str(place.address))
            sent(sock, memory(1 << 20), request(*[SIZE] * 8))
    assert colour_of(place.client().ask("detect", [picture((7, 8, 9))])[0]) == (7, 8, 9)


def test_one_that_does_not_read_its_answers(sock: socket.socket) -> None:
    sent(sock, memory(1 << 20), request())
    select.select([sock], [], [], 30)

    def send_for_ever() -> None:
        while True:
            sock.send(request())

    with pytest.raises((TimeoutError, ConnectionError)):
        send_for_ever()


@pytest.fixture
def many(place: Place) -> Iterator[list[socket.socket]]:
    """More connections than are served at a time."""
    held = []
    for _ in range(process.MAX_CLIENTS + 20):
        sock = wire.new_socket()
        sock.connect(str(place.address))  # with a time limit, it would not wait for room
        sock.settimeout(30)
        held.append(sock)
    yield held
    for sock in held:
        sock.close()


def test_idle_clients_make_room_for_others(place: Place, many: list[socket.socket]) -> None:
    asking = place.client(longest=20.0)
    for n in range(3):
        assert colour_of(asking.ask("detect", [picture((7, 8, n))])[0]) == (7, 8, n)
    sent(many[-1], memory(1 << 20), request())
    assert isinstance(wire.decode_reply(many[-1].recv(wire.MAX_MESSAGE)), wire.Computed)
    assert many[0].recv(1) == b"", "the one that is idle longest"


def test_a_client_whose_idle_connection_was_ended_connects_again(place: Place) -> None:
    first, others = place.client(longest=20.0), [wire.new_socket() for _ in range(process.MAX_CLIENTS + 1)]
    first.ask("detect", [picture()])
    for sock in others:
        sock.connect(str(place.address))
    until(lambda: connections(place) >= process.MAX_CLIENTS + 3)  # it listens, and has a pair to wake itself
    assert colour_of(first.ask("detect", [picture((7, 8, 9))])[0]) == (7, 8, 9)
    for sock in others:
        sock.close()


def test_more_clients_than_are_served_wait(place: Place, many: list[socket.socket]) -> None:
    for sock in many:
        with suppress(OSError):  # it was idle
            sent(sock, memory(1 << 20), request())
    late = place.client(longest=20.0)
    assert colour_of(late.ask("detect", [picture((7, 8, 9))])[0]) == (7, 8, 9)


def connections(place: Place) -> int:
    """How many sockets the process has open."""
    found = 0
    for path in Path(f"/proc/{place.counters.pid}/fd").iterdir():
        with suppress(OSError):  # it was closed meanwhile
            found += str(path.readlink()).startswith("socket:")
    return found


def test_memory_is_bounded_however_many_ask(place: Place) -> None:
    def private() -> int:
        """KiB that the process has for itself: not what its clients share with it."""
        status = Path(f"/proc/{place.counters.pid}/status").read_text(encoding="utf-8")
        return int(status.partition("RssAnon:")[2].split()[0])

    large = picture((1, 2, 3), 640, 640)
    place.client().ask("detect", [large] * 8)
    before = private()
    with ThreadPoolExecutor(64) as pool:
        asked = [pool.submit(place.client(lines=1).ask, "detect", [large] * 4) for _ in range(64)]
        most = 0
        while not all(one.done() for one in asked):
            most = max(most, private())
    assert all(len(one.result()) == 4 for one in asked)
    until(lambda: place.counters.since == 0.0)
    assert most - before < 100 * 1024, "256 images of 1.2 MB, and answers of 1.6 MB, are 700 MB"
