"""What NIGHTSHIFT_SMTP_URL and NIGHTSHIFT_REPORT_MAIL say: which server mail is handed to, and for whom."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

EXPECTED = (
    "smtps://user:password@host:465 or smtp://user:password@host:587 (with what is special in user and password "
    "percent-encoded), and ?from=address where the user is none"
)
_ADDRESS = re.compile(r"[^\s@<>\",;:\\()\[\]]{1,64}@[A-Za-z0-9.-]{1,253}", re.ASCII)
PORTS = {"smtps": 465, "smtp": 587}


class MailServer(NamedTuple):
    """A mail server; `implicit`: TLS from the first byte, else by STARTTLS. `sender`: the address that sends."""

    host: str
    port: int
    implicit: bool
    user: str
    password: str
    sender: str

    def __repr__(self) -> str:
        """Show no password."""
        return f"MailServer({self.host}:{self.port})"


def server(url: str) -> MailServer:
    """Read a URL; raises `ValueError`, without a piece of it, for one that says no server or no sender."""
    try:
        parts = urlsplit(url)
        port, query = parts.port, parse_qs(parts.query)
    except ValueError:
        raise ValueError("invalid") from None
    if parts.scheme not in PORTS or not parts.hostname or parts.path.strip("/") or parts.fragment:
        raise ValueError("invalid")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    sender = query.get("from", [user])[0]
    if not _ADDRESS.fullmatch(sender) or bool(user) != bool(password):
        raise ValueError("invalid")
    return MailServer(
        parts.hostname, port or PORTS[parts.scheme], parts.scheme == "smtps", user, password, sender
    )


def addresses(text: str) -> tuple[str, ...]:
    """Mail addresses, separated by commas; raises `ValueError`."""
    found = tuple(part for one in text.split(",") if (part := one.strip()))
    if not all(_ADDRESS.fullmatch(one) for one in found):
        raise ValueError("not an address")
    return found
