"""Who sent a raw message first, where a process of ours sends it again: RabbitMQ only knows who sent it last.

A worker believes the header of a message that a worker has sent, as RabbitMQ has checked; and, with
NIGHTSHIFT_SIGNING_KEY, that of any message with a valid signature, such as one that an operator has redriven.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from pipeline.remote.signing import is_mac, mac
from tasks import signing

HEADER, PROOF = "sender", "sender_signature"


def headers(sender: str, body: bytes) -> dict[str, str]:
    """Headers that name the first sender of a raw message; none if it is not known."""
    if not sender:
        return {}
    keys = signing.keys()
    return {HEADER: sender} | ({PROOF: mac(_signed(sender, body), keys[0])} if keys else {})


def kept(found: Mapping[str, Any]) -> dict[str, str]:
    """These headers of a message, if there is a proof among them."""
    texts = {name: found[name] for name in (HEADER, PROOF) if isinstance(found.get(name), str)}
    return texts if PROOF in texts else {}


def of(message: Any, body: bytes, own: str | None) -> str:
    """The broker user who sent a raw message first, as far as that is proved; empty if the message does not say.

    `own`: the broker user of this worker.
    """
    user, found = message.properties.get("user_id") or "", message.headers or {}
    named, proof = found.get(HEADER), found.get(PROOF)
    if not isinstance(named, str) or not named:
        return str(user)
    proved = isinstance(proof, str) and is_mac(proof, _signed(named, body), signing.keys())
    return named if proved or (user and user == own) else str(user)


def _signed(sender: str, body: bytes) -> bytes:
    return msgspec.json.encode(["nightshift-sender-1", sender, hashlib.sha256(body).hexdigest()])
