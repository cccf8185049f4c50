"""TLS with RabbitMQ: every connection checks the broker's certificate and name, whatever its URL or options say."""

from __future__ import annotations

import socket
import ssl

from amqp.exceptions import IrrecoverableConnectionError, RecoverableConnectionError

from pipeline import tls
from pipeline.errors import UsageError
from pipeline.settings import Settings
from pipeline.settings_check import is_plain

_PLAIN = "Invalid setting NIGHTSHIFT_BROKER_URL: expected amqps:// only, as NIGHTSHIFT_REQUIRE_TLS is true."
_ALERT = 1.0  # seconds for reading why a connection was ended

ENDED = (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError)
"""What is raised where the broker has ended a connection, whatever it said before."""

_refused: set[str] = set()
"""Hosts of brokers that could not be trusted when this process last tried."""


class NoTls(RecoverableConnectionError):
    """No TLS connection can be made now: another broker, or another attempt, may do better."""


class Untrusted(IrrecoverableConnectionError):
    """No TLS connection can be made until a person acts: a certificate is wrong, or missing on one side."""


def check(settings: Settings) -> None:
    """Raise `UsageError` for a broker without TLS where TLS is required, and for a file of TLS that can't be used."""
    if settings.require_tls and is_plain(settings.broker_url, "amqp"):
        raise UsageError(_PLAIN)
    if "amqps://" in settings.broker_url:
        tls.context(tls.Files.of(settings, "broker"))


def refuse_plain() -> None:
    """Raise `Untrusted` for a connection without TLS where TLS is required: Celery's options may name any broker."""
    if Settings.from_env().require_tls:
        raise Untrusted(_PLAIN)


def wrap(sock: socket.socket, host: str) -> ssl.SSLSocket:
    """Prepare a handshake with the broker of that name; raises `NoTls`."""
    try:
        context = tls.context(tls.Files.of(Settings.from_env(), "broker"))
    except UsageError as error:  # at start it was good: a file is being replaced
        raise NoTls(error.message) from error
    return context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)


def alert(sock: socket.socket) -> OSError | None:
    """What the broker said before it ended a connection, such as that it asks for a certificate; `None` for nothing.

    By TLS 1.3 it says so after the handshake, when we may be writing already.
    """
    try:
        sock.settimeout(_ALERT)
        sock.recv(1)
    except ssl.SSLError as error:
        return None if isinstance(error, ENDED) else error
    except OSError:
        pass
    return None


def refusal(error: OSError, host: str) -> NoTls | Untrusted | None:
    """What follows from a connection to `host:port` that failed, if TLS is behind it.

    Of several brokers another one may do better, until all have been refused.
    """
    settings = Settings.from_env()
    peer, files = f"RabbitMQ at {host}", tls.Files.of(settings, "broker")
    found = tls.refusal(error, peer, files)
    if found is None:
        return NoTls(tls.ended(peer, files)) if isinstance(error, ENDED) else None
    if found.lasting:
        _refused.add(host)
        if len(_refused) >= len(settings.broker_url.split(";")):
            return Untrusted(found.sentence)
    return NoTls(found.sentence)


def succeeded() -> None:
    """Note that a broker is trusted."""
    _refused.clear()
