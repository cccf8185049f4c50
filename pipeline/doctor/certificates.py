"""Certificates of the servers that are reached by TLS, and our own: for how many days they are valid."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple
from urllib.parse import urlsplit

from pipeline import clock, tls
from pipeline.doctor.finding import Finding, fault, of_message, ok, warning
from pipeline.plural import count
from pipeline.settings import Settings

_SECONDS = 5.0
_SOON, _NOW = timedelta(days=30), timedelta(days=3)
_PORTS = {"amqps": 5671, "https": 443}


class _Server(NamedTuple):
    service: tls.Service
    host: str
    port: int


def check(settings: Settings) -> Iterator[Finding]:
    """Shake hands with each server that a setting names by `amqps://` or `https://`."""
    servers = list(_servers(settings))
    for server in servers:
        yield _of_server(settings, server)
    if not servers:
        yield ok("certificates", "No server is named by amqps:// or https://.")


def _servers(settings: Settings) -> Iterator[_Server]:
    named: tuple[tuple[tls.Service, str], ...] = (
        ("broker", settings.broker_url),
        ("s3", settings.s3_endpoint),
    )
    for service, urls in named:
        for url in re.split("[;,]", urls):
            parts = urlsplit(url.strip())
            if parts.scheme in _PORTS and parts.hostname:
                yield _Server(service, parts.hostname, parts.port or _PORTS[parts.scheme])


def _of_server(settings: Settings, server: _Server) -> Finding:
    name, peer = f"certificate {server.service}", f"{server.host}:{server.port}"
    files = tls.Files.of(settings, server.service)
    try:
        context = tls.context(files)
        with (
            socket.create_connection((server.host, server.port), _SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=server.host) as wrapped,
        ):
            certificate = wrapped.getpeercert() or {}
    except OSError as error:
        refused = tls.refusal(error, peer, files)
        if refused:
            return of_message(name, refused.sentence)
        return fault(
            name, f"{peer} does not answer ({type(error).__name__}).", "check the URL, and that it is running"
        )
    return _valid(name, peer, str(certificate.get("notAfter", "")))


def _valid(name: str, peer: str, until: str) -> Finding:
    left = timedelta(seconds=ssl.cert_time_to_seconds(until)) - timedelta(seconds=clock.utc().timestamp())
    said = f"The certificate of {peer} is valid for {count(left.days, 'day')}."
    if left < _NOW:
        return fault(name, said, "renew it now")
    return warning(name, said, "renew it") if left < _SOON else ok(name, said)
