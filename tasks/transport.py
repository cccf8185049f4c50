"""Connections to RabbitMQ on which no call waits without end.

py-amqp waits for as long as it takes: for a reply that a forgotten connection never brings, for the confirmation of a
message while the broker is in alarm, for the rest of a frame, for space in the buffer of a dead peer. Here each of
these waits ends, and a connection on which one did is closed at once, without a handshake: it must not be used again,
as the late answer to one call would be taken for the answer to the next one.
"""

from __future__ import annotations

import math
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, NamedTuple

from amqp import spec
from amqp.exceptions import (
    ConnectionForced,
    IrrecoverableConnectionError,
    MessageNacked,
    RecoverableConnectionError,
)
from amqp.transport import SSLTransport as AmqpSsl
from amqp.transport import TCPTransport as AmqpTcp
from kombu import transport
from kombu.transport import pyamqp

from tasks import brokers, pulse, secure, wire

REPLY = 15.0
"""Seconds for the broker to answer a call or to confirm a message, and for the peer to take what is sent."""

_HURRY = 5.0  # the same in a worker that is stopping
_CLOSE = 3.0  # seconds for the handshake of closing, which nothing depends on
_UNWRAP = 1.0  # seconds for TLS to say goodbye

# TCP_USER_TIMEOUT in milliseconds: py-amqp's own second would end a connection at each short disturbance
_OPTIONS = {"TCP_KEEPIDLE": 15, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 30_000}
_SOCKET = {getattr(socket, name): value for name, value in _OPTIONS.items() if hasattr(socket, name)}


class Silent(RecoverableConnectionError):
    """The broker has not answered in time: another connection may do better. `queue`: which it was asked about."""

    queue = ""


class OutOfTime(IrrecoverableConnectionError):
    """The time of `within` is over: another attempt would be too late. `unconfirmed`: a message was sent before."""

    unconfirmed = False


class Unconfirmed(Silent):
    """The broker has refused to confirm a message, or not confirmed it in time: its queue may have no majority."""


class Alarm(IrrecoverableConnectionError):
    """The broker is in alarm, for memory or disk space: it takes no message on any connection."""


class _Limits(NamedTuple):
    end: float = math.inf
    reply: float = REPLY


_NONE = _Limits()
_limits: ContextVar[_Limits] = ContextVar("limits", default=_NONE)
_patience = 0.0
_hurry = math.inf


@contextmanager
def within(seconds: float, reply: float = REPLY) -> Iterator[None]:
    """Bound all that the broker is asked inside, with all repetitions; a single call to `reply` seconds.

    Raises `OutOfTime` when the time is over.
    """
    end = min(time.monotonic() + seconds, _limits.get().end)
    token = _limits.set(_Limits(end, reply))
    try:
        yield
    finally:
        _limits.reset(token)


def wait_in_alarm(seconds: float) -> None:
    """Have this process wait for the end of an alarm before publishing fails; without this call it fails at once."""
    global _patience  # noqa: PLW0603 - one per process is the point
    _patience = seconds


def hurry() -> None:
    """Have this process wait less for the broker, as it is stopping."""
    global _hurry  # noqa: PLW0603 - one per process is the point
    _hurry = _HURRY


def alarm(connection: Any) -> str:
    """Why the broker takes no messages on this kombu connection, as it last said; empty if it does."""
    return str(getattr(connection and connection._connection, "blocked", ""))


def _in_alarm(reason: str) -> Alarm:
    return Alarm(
        f"RabbitMQ is in alarm ({reason}) and accepts no messages until it has more memory or disk space"
    )


class _Bounded:
    """A channel, or the connection itself, whose waits end."""

    is_closing: bool
    connection: Any

    def wait(
        self, method: Any, callback: Any = None, timeout: float | None = None, returns_tuple: bool = False
    ) -> Any:
        """Wait for one of these methods from the broker; raises `Silent`, `Alarm` or `OutOfTime`."""
        wait = super().wait  # type: ignore[misc]
        if self.connection is None:
            return wait(method, callback, timeout, returns_tuple)
        with self.connection.replying(_CLOSE if self.is_closing else timeout):
            return wait(method, callback, None, returns_tuple)

    def close(self, *args: Any, **kwargs: Any) -> Any:
        """Close with a handshake, unless the broker is in alarm: it reads nothing from this connection then."""
        if self.connection is not None and self.connection.blocked:
            return self.connection.collect()
        return super().close(*args, **kwargs)  # type: ignore[misc]


class Channel(_Bounded, wire.Channel):
    """A channel on which nothing waits without end."""

    def _basic_publish(self, *args: Any, **kwargs: Any) -> Any:
        """Publish; while the broker is in alarm, what needs no confirmation, such as an event, is dropped."""
        connection = self.connection
        if connection is not None and connection.blocked:
            with suppress(TimeoutError):
                connection.drain_events(timeout=0)  # it may have ended
        if connection is not None and connection.blocked and not connection.confirm_publish:
            return None
        return super()._basic_publish(*args, **kwargs)

    basic_publish = _basic_publish

    def queue_declare(self, queue: str = "", *args: Any, **kwargs: Any) -> Any:
        """Declare a queue, or ask about it; of one whose node is down RabbitMQ 4 says nothing."""
        try:
            return super().queue_declare(queue, *args, **kwargs)
        except Silent as error:
            error.queue = queue
            raise

    def basic_publish_confirm(self, *args: Any, **kwargs: Any) -> Any:
        """Publish, and wait until a majority of the queue's nodes has the message; raises `Unconfirmed`."""
        try:
            return super().basic_publish_confirm(*args, **kwargs)
        except MessageNacked as error:  # which is none of py-amqp's errors
            raise Unconfirmed("RabbitMQ has refused a message") from error
        except Silent as error:
            raise Unconfirmed("RabbitMQ has not confirmed a message in time") from error
        except OutOfTime as error:
            error.unconfirmed = True
            raise


class Connection(_Bounded, pyamqp.Connection):
    """A connection on which nothing waits without end. `blocked`: why the broker is in alarm, empty if it is not."""

    Channel = Channel
    _METHODS = pyamqp.Connection._METHODS | {
        spec.Connection.Blocked: spec.method(spec.Connection.Blocked, "s")  # with the reason
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"socket_settings": _SOCKET, **kwargs})
        self.blocked = ""
        self._reply_by = math.inf  # until when a call waits; infinite outside of calls

    def connect(self, callback: Any = None) -> Any:
        """Connect; raises `OutOfTime` before and while."""
        if time.monotonic() >= _limits.get().end:
            raise OutOfTime("RabbitMQ has not answered in time")
        try:
            return super().connect(callback)
        except OutOfTime:
            self.collect()
            raise
        except OSError as error:
            if isinstance(self.ssl, dict) and (refused := secure.refusal(error, self.ssl["peer"])):
                raise refused from error
            raise

    def Transport(  # noqa: N802 - py-amqp's name
        self, host: str, connect_timeout: float, ssl: Any = False, *args: Any, **kwargs: Any
    ) -> Any:
        """Make the transport."""
        timeouts = dict(zip(("read_timeout", "write_timeout"), args, strict=False))
        kind = _Ssl if ssl else _Tcp
        return kind(host, connect_timeout=connect_timeout, ssl=ssl, **timeouts, **kwargs)

    @contextmanager
    def replying(self, seconds: float | None) -> Iterator[None]:
        """Bound a call that waits for the broker; if its time is over the connection is closed."""
        before, limits = self._reply_by, _limits.get()
        limit = min(limits.reply if seconds is None else seconds, _hurry, self._patient_for())
        self._reply_by = time.monotonic() + limit
        try:
            if self.blocked:
                self._await_unblocked()
            yield
        except (Silent, Alarm, OutOfTime) as error:
            self.collect()
            if not isinstance(error, Alarm):
                brokers.failed(self.host)
            raise
        finally:
            self._reply_by = before

    def heartbeat_tick(self, rate: int = 2) -> None:
        """Send or expect a heartbeat; raises `ConnectionForced` where the broker has sent none."""
        try:
            super().heartbeat_tick(rate)
        except ConnectionForced:
            brokers.failed(self.host)
            raise

    def _patient_for(self) -> float:
        """Seconds that the socket waits, which Celery reduces when a worker is to stop at once."""
        sock = self._transport and self._transport.sock
        return math.inf if sock is None else sock.gettimeout() or math.inf

    def blocking_read(self, timeout: float | None = None) -> Any:
        """Read one frame; without `timeout`, for as long as the call in progress may wait."""
        now, end = time.monotonic(), _limits.get().end
        if now >= end:
            raise self._blocked_or(OutOfTime("RabbitMQ has not answered in time"))
        if timeout is None:
            if now >= self._reply_by:
                raise self._blocked_or(Silent("RabbitMQ has not answered in time"))
            left = min(self._reply_by, end) - now
            if left == math.inf:  # no call is in progress
                return self._read(REPLY)
            with suppress(TimeoutError):  # the next read finds that the time is over
                return self._read(left)
            return False
        return self._read(min(timeout, end - now))

    def _read(self, timeout: float) -> Any:
        found = super().blocking_read(timeout)
        pulse.beat()
        return found

    def _blocked_or(self, error: Exception) -> Exception:
        return _in_alarm(self.blocked) if self.blocked else error

    def _on_blocked(self, reason: str = "") -> None:
        self.blocked = reason or "for a reason that it does not give"
        if self._reply_by < math.inf:
            self._await_unblocked()

    def _await_unblocked(self) -> None:
        """Give the call in progress time until the alarm may be over; raises `Alarm` where there is none to give."""
        if not _patience:
            raise _in_alarm(self.blocked)
        self._reply_by = max(self._reply_by, time.monotonic() + _patience)

    def _on_unblocked(self) -> None:
        self.blocked = ""


class _Wire:
    """A socket whose reads and writes end."""

    sock: Any

    def _init_socket(self, *args: Any) -> None:
        super()._init_socket(*args)  # type: ignore[misc]
        self.sock.settimeout(REPLY)  # py-amqp's would be none

    def _read(self, n: int, initial: bool = False) -> Any:  # noqa: ARG002 - py-amqp's signature
        """Read `n` bytes, or time out and keep what is there: py-amqp would ask again and again for the rest."""
        return super()._read(n, True)  # type: ignore[misc]

    def write(self, data: Any) -> None:
        """Send all of it; raises `Silent`, as after half a frame nothing else may follow."""
        try:
            super().write(data)  # type: ignore[misc]
        except TimeoutError as error:
            self.close()
            raise Silent("RabbitMQ does not take what is sent") from error

    def close(self) -> None:
        """Close without waiting for the peer."""
        if self.sock is not None:
            self.sock.settimeout(_UNWRAP)
        super().close()  # type: ignore[misc]


class _Tcp(_Wire, AmqpTcp):
    pass


class _Ssl(_Wire, AmqpSsl):
    """TLS that checks the chain and the name, whatever options come with a URL."""

    def _init_socket(self, *args: Any) -> None:
        try:
            super()._init_socket(*args)
        except secure.ENDED as error:
            raise secure.alert(self.sock) or error from error

    def _wrap_socket(self, sock: socket.socket, server_hostname: str = "", **_: Any) -> ssl.SSLSocket:
        return secure.wrap(sock, server_hostname)


class Transport(pyamqp.Transport):
    """kombu's transport for amqp://."""

    Connection = Connection

    def establish_connection(self) -> Any:
        """Connect; each attempt shows that the worker lives. Raises `secure.Untrusted` where TLS is required."""
        pulse.beat()
        if not self.client.ssl:
            secure.refuse_plain()
        port = self.client.port or (self.default_ssl_port if self.client.ssl else self.default_port)
        place = f"{self.client.hostname}:{port}"
        try:
            connected = super().establish_connection()
        except Exception:
            brokers.failed(place)
            raise
        brokers.succeeded(place)
        return connected


class SSLTransport(pyamqp.SSLTransport, Transport):
    """kombu's transport for amqps://."""

    def establish_connection(self) -> Any:
        """Connect to a broker whose certificate names the host of the URL: kombu would take 127.0.0.1 for localhost."""
        name = self.client.hostname
        self.client.ssl = {
            "server_hostname": name,
            "peer": f"{name}:{self.client.port or self.default_ssl_port}",
        }
        try:
            connected = super().establish_connection()
        finally:
            self.client.hostname = name
        secure.succeeded()
        return connected


def install() -> None:
    """Have all connections of this process use it, whatever names the URLs give to AMQP."""
    names = {"amqp": "Transport", "pyamqp": "Transport", "amqps": "SSLTransport"}
    transport.TRANSPORT_ALIASES.update({name: f"{__name__}:{kind}" for name, kind in names.items()})
