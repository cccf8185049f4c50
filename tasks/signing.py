"""Signatures of the messages of steps and of beat's ticks (NIGHTSHIFT_SIGNING_KEY).

Each message that a process of ours publishes as a Celery task is signed as it is sent; a worker with a key does only
what is signed. Messages that were sent before by a process without the key, or by another program, are refused
(`tasks.incoming`). A copy of a signed message has a valid signature: steps may run twice without harm.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
from celery.signals import before_task_publish

from pipeline.remote.signing import is_mac, mac
from pipeline.settings import Settings
from tasks.envelope import Envelope

HEADER = "signature"


@cache
def keys() -> tuple[str, ...]:
    """The keys of this process: the first one signs, each of them verifies."""
    return Settings.from_env().signing_keys


def is_valid(envelope: Envelope) -> bool:
    """Whether a message has a signature under one of the keys."""
    return is_mac(envelope.headers.signature or "", envelope.signed, keys())


def install() -> None:
    """Sign what this process publishes, if there is a key."""
    before_task_publish.connect(_sign)


def _sign(headers: dict[str, Any], body: Any, **_: Any) -> None:
    if not keys():
        return
    try:
        envelope = Envelope.of(headers, body)
    except msgspec.ValidationError:
        return  # no message of ours: workers refuse it
    headers[HEADER] = mac(envelope.signed, keys()[0])
