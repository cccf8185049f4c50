"""Encrypted messages: `{"encrypted": "<base64>"}` in place of a message that RabbitMQ should not see.

The base64 is the whole message in the format of encrypted objects (`pipeline.encryption.sealed`), under the name
`message`. Producers and workers need a key in common.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import msgspec

from pipeline.encryption.header import Locked
from pipeline.encryption.keyring import SETTING, keyring
from pipeline.errors import PermanentError, UsageError
from pipeline.submission.contract import MAX_BODY, BadMessage

if TYPE_CHECKING:
    from pipeline.settings import Settings

NAME = "message"


class _Envelope(msgspec.Struct, forbid_unknown_fields=True):
    encrypted: str


class MessageLocked(PermanentError):
    """The message needs a key that is not in the settings; it can be redriven once it is."""

    code = "message_locked"


def seal(body: bytes, settings: Settings) -> bytes:
    """Encrypt a message with the first key, for a producer; raises `UsageError` without keys."""
    from pipeline.encryption import sealed

    first = keyring(settings).first
    if first is None:
        raise UsageError(f"There is no key to encrypt messages with: set {SETTING}.")
    return msgspec.json.encode({"encrypted": base64.b64encode(sealed.seal(body, NAME, first)).decode()})


def opened(body: bytes, settings: Settings) -> bytes:
    """The message in an envelope; any other body as it is. Raises `BadMessage` or `MessageLocked`."""
    envelope = _envelope(body)
    if envelope is None:
        return body
    from pipeline.encryption import sealed

    try:
        return sealed.unseal(base64.b64decode(envelope.encrypted, validate=True), NAME, keyring(settings))
    except ValueError:  # no base64, or not what was encrypted
        raise BadMessage(
            "encrypted is not an encrypted message: encrypt it as docs/reference/messages.md describes."
        ) from None
    except Locked as error:
        raise MessageLocked(
            f"The message is {error.message}, then run `nightshift dead redrive --code {MessageLocked.code}`."
        ) from None


def _envelope(body: bytes) -> _Envelope | None:
    if len(body) > MAX_BODY:
        return None
    try:
        return msgspec.json.decode(body, type=_Envelope)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
