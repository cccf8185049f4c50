"""TLS in front of a server that speaks none."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer

_CHUNK = 65536


class _Server(ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    context: ssl.SSLContext
    target: int


class _Handler(BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        with (
            suppress(OSError),  # a client that hangs up, as some tests want
            self.server.context.wrap_socket(self.request, server_side=True) as client,
            socket.create_connection(("127.0.0.1", self.server.target), 10) as server,
        ):
            back = threading.Thread(target=_pump, args=(server, client), daemon=True)
            back.start()
            _pump(client, server)
            back.join()


def _pump(source: socket.socket, drain: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            drain.sendall(data)
    with suppress(OSError):
        socket.socket.shutdown(drain, socket.SHUT_RDWR)


@contextmanager
def tls_proxy(context: ssl.SSLContext, target: int) -> Iterator[int]:
    """Serve TLS on the port that is returned, on behalf of the plain server on the port `target`."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.context, server.target = context, target
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
