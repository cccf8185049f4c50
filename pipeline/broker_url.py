"""Whether a broker's URL can be read: as strict as AMQP's URI, as the libraries guess, and report pieces of it."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import unquote

EXPECTED = (
    "amqp://user:password@host:5672/vhost, or amqps:// for TLS, with each of @ / : # % ? ; in user and password "
    "percent-encoded (%40 %2F %3A %23 %25 %3F %3B)"
)
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]{0,251}[A-Za-z0-9_.])?")
_ENCODED = re.compile(r"(?:[^%]|%[0-9A-Fa-f]{2})*")


def fault(text: str) -> str:
    """What is wrong with a URL, or with one of several separated by `;`, without a piece of it; empty if nothing is."""
    if not text.isprintable() or " " in text:
        return "it contains a blank or a control character"
    return next(filter(None, map(_fault, text.split(";"))), "")


def _fault(url: str) -> str:
    scheme, mark, rest = url.partition("://")
    if not mark or scheme not in ("amqp", "amqps"):
        return "it does not begin with amqp:// or amqps://"
    if "?" in rest or "#" in rest:
        return "it contains ? or #"
    authority, _, vhost = rest.partition("/")
    user, _, place = authority.rpartition("@")
    if "@" in user or "@" in vhost:
        return "it contains more than one @, or one after the first /"
    if user.count(":") > 1:
        return "user and password contain more than one colon"
    if not all(map(_is_encoded, (user, vhost))):
        return "it contains a % that is not followed by the code of a character"
    return _fault_of_place(place)


def _fault_of_place(place: str) -> str:
    """What is wrong with host and port."""
    bracketed = re.fullmatch(r"\[([^\]]*)\](.*)", place)
    host, rest = bracketed.groups() if bracketed else re.split(r"(?=:)|$", place, maxsplit=1)
    if not (_is_ipv6(host) if bracketed else _HOST.fullmatch(host)):
        return "it names no valid host"
    if not rest:
        return ""
    port = rest.removeprefix(":")
    if not rest.startswith(":") or not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536:
        return "its port is not a number from 1 to 65535"
    return ""


def _is_ipv6(host: str) -> bool:
    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        return False
    return True


def _is_encoded(text: str) -> bool:
    if not _ENCODED.fullmatch(text):
        return False
    try:
        unquote(text, errors="strict")
    except UnicodeDecodeError:
        return False
    return True
