"""A TCP proxy on the loopback interface that can fail the way networks do: before RabbitMQ, an S3 server, any other.

By hand: `python -m tests.support.servers.proxy LISTEN TARGET`, then one command per line on standard input.
"""

import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from struct import pack

from tests.support.servers import free_port

_CHUNK = 65536
_NOTICE = 0.1  # seconds within which a change of mind reaches a connection


@dataclass
class _Pair:
    """One connection: the client's socket and ours to the server; `forgotten` ones swallow what comes."""

    client: socket.socket
    server: socket.socket | None
    forgotten: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)

    def end(self, *, abruptly: bool = False) -> None:
        """Close both sides; `abruptly` with RST instead of FIN."""
        self.over.set()
        for side in (self.client, self.server):
            if side is None:
                continue
            with suppress(OSError):
                if abruptly:
                    side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, pack("ii", 1, 0))
                else:
                    side.shutdown(socket.SHUT_RDWR)
            side.close()


class Proxy:
    """Forwards connections to `port` of this host to another port of it, unless set otherwise."""

    def __init__(self, target: int, port: int = 0) -> None:
        self.target, self.port = target, port or free_port()
        self.accepted = 0
        self._new = "forward"
        self._wait = 0.0
        self._flowing = threading.Event()
        self._flowing.set()
        self._pairs: list[_Pair] = []
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None
        self._stopped = False
        self._listen()

    def freeze(self, *, new: bool = False) -> None:
        """The network forgets all open connections, for good: what either side sends is swallowed, none is closed.

        `new`: connections made from now on are accepted and swallowed too, as by a peer whose machine is gone.
        """
        self._new = "swallow" if new else "forward"
        with self._lock:
            for pair in self._pairs:
                pair.forgotten.set()

    def hold(self) -> None:
        """Nothing passes, and nothing is lost, until `resume`: a cable that is pulled for a while."""
        self._flowing.clear()

    def refuse(self) -> None:
        """Nobody listens any more; open connections go on."""
        self._close_listener()

    def delay(self, seconds: float) -> None:
        """Each piece of data waits this long, in either direction."""
        self._wait = seconds

    def cut(self) -> None:
        """Reset all open connections."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            pair.end(abruptly=True)

    def resume(self) -> None:
        """Everything is well again, but connections that were forgotten stay so."""
        self._new, self._wait = "forward", 0.0
        self._flowing.set()
        if self._listener is None:
            self._listen()

    def stop(self) -> None:
        """End, with all connections."""
        self._stopped = True
        self._close_listener()
        self._flowing.set()
        self.cut()

    def _listen(self) -> None:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(128)
        listener.settimeout(_NOTICE)
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), name="proxy", daemon=True).start()

    def _close_listener(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()

    def _accept(self, listener: socket.socket) -> None:
        while self._listener is listener:
            try:
                client, _ = listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self._serve, args=(client,), name="proxy", daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server = None
        if self._new == "forward":
            try:
                server = socket.create_connection(("127.0.0.1", self.target), 5)
            except OSError:
                client.close()
                return
        pair = _Pair(client, server)
        if server is None:
            pair.forgotten.set()
        with self._lock:
            self._pairs.append(pair)
        if server is not None:
            threading.Thread(
                target=self._pump, args=(pair, server, client), name="proxy", daemon=True
            ).start()
        self._pump(pair, client, server)

    def _pump(self, pair: _Pair, source: socket.socket, drain: socket.socket | None) -> None:
        with suppress(OSError):
            source.settimeout(_NOTICE)
            while not pair.over.is_set():
                if not self._flowing.wait(_NOTICE):
                    continue
                try:
                    data = source.recv(_CHUNK)
                except TimeoutError:
                    continue
                if pair.forgotten.is_set() or drain is None:
                    if data:
                        continue
                    return  # the other side never learns of it
                if self._wait:
                    pair.over.wait(self._wait)
                while not self._flowing.wait(_NOTICE):
                    pass
                if not data:
                    break
                if not pair.forgotten.is_set():
                    drain.settimeout(None)
                    drain.sendall(data)
                    drain.settimeout(_NOTICE)
        if pair.forgotten.is_set():
            return  # its sockets stay open until `stop`
        pair.end()
        with self._lock, suppress(ValueError):
            self._pairs.remove(pair)


def main(listen: str, target: str) -> None:
    """Serve commands from standard input: freeze, freeze-new, hold, refuse, cut, resume, delay SECONDS."""
    proxy = Proxy(int(target), int(listen))
    commands: dict[str, Callable[[], None]] = {
        "freeze": proxy.freeze,
        "freeze-new": lambda: proxy.freeze(new=True),
        "hold": proxy.hold,
        "refuse": proxy.refuse,
        "cut": proxy.cut,
        "resume": proxy.resume,
    }
    for line in sys.stdin:
        name, _, seconds = line.strip().partition(" ")
        if name == "delay":
            proxy.delay(float(seconds))
        else:
            commands[name]()
        print(name, flush=True)  # noqa: T201
    proxy.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
