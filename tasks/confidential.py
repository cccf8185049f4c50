"""What a dead letter says of a document, encrypted while it is in RabbitMQ: refused messages, and all reasons.

The notice of a document (task id and step) stays readable; it contains nothing else.
"""

from __future__ import annotations

import base64
from typing import Any

import msgspec

from pipeline.encryption.header import Locked
from pipeline.encryption.keyring import Keyring

HEADER = "encrypted"
OVERHEAD = 1024
"""By how many bytes an encrypted body may be longer, at most."""

_BODY, _REASON = "dead letter", "dead letter's reason"


class _Notice(msgspec.Struct, forbid_unknown_fields=True):
    """The whole of a document's notice."""

    task_id: str
    step: str


def close(body: bytes, reason: str, keys: Keyring) -> tuple[bytes, dict[str, Any]]:
    """Body and headers as they are to be published: encrypted with the first key, if there is one."""
    if keys.first is None:
        return body, {"reason": reason}
    from pipeline.encryption import sealed

    closed = base64.b64encode(sealed.seal(reason.encode(), _REASON, keys.first)).decode()
    if _is_notice(body):
        return body, {"reason": closed, HEADER: "reason"}
    return sealed.seal(body, _BODY, keys.first), {"reason": closed, HEADER: "body"}


def open_(body: bytes, headers: dict[str, Any], keys: Keyring) -> tuple[bytes, str, bool]:
    """Body and reason as they were, and whether the body could be decrypted, if it was encrypted."""
    reason, what = str(headers.get("reason", "")), headers.get(HEADER)
    if what not in ("reason", "body"):
        return body, reason, True
    from pipeline.encryption import sealed

    try:
        reason = sealed.unseal(base64.b64decode(reason, validate=True), _REASON, keys).decode()
        return (sealed.unseal(body, _BODY, keys) if what == "body" else body), reason, True
    except Locked as error:
        reason = f"The dead letter is {error.message}."
    except ValueError:
        reason = "The dead letter is not what Nightshift has written."
    return body, reason, what != "body"


def _is_notice(body: bytes) -> bool:
    try:
        msgspec.json.decode(body, type=_Notice)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return False
    return True
