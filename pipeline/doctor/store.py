"""The store: whether it can be read and written, how fast, whose clock is wrong, and whether its keys are known."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from itertools import islice

from pipeline import clock, storage
from pipeline.doctor.finding import Finding, fault, ok, warning
from pipeline.encryption import header
from pipeline.encryption.header import BadHeader, Locked
from pipeline.errors import NotFound
from pipeline.plural import count
from pipeline.storage import EncryptedStore, keys
from pipeline.storage.probe import conditional_put, server_time

_SLOW = 1.0  # seconds for one request
_SKEW, _REFUSED = timedelta(seconds=30), timedelta(minutes=5)
_SAMPLE = 50  # objects whose keys are looked at


def check(store: EncryptedStore) -> Iterator[Finding]:
    """All of it; raises what the store raises."""
    try:
        there = storage.exists(store)
    except NotFound:
        yield fault("store", f"What answers for {store.url} knows no bucket.", "check NIGHTSHIFT_S3_ENDPOINT")
        return
    if not there:
        yield fault(
            "store",
            f"There is no store at {store.url}.",
            "set NIGHTSHIFT_STORE_URL, or submit a first document, which creates it",
        )
        return
    yield ok("store", f"{store.url} answers.")
    key = keys.doctor(uuid.uuid4().hex)
    try:
        yield from _access(store, key)
        yield _conditions(store, key)
        yield from _clock(store, key)
    finally:
        store.delete(key)
    yield _versions(store)
    yield _keys(store)


def _access(store: EncryptedStore, key: str) -> Iterator[Finding]:
    """Write, read, list and delete one object."""
    data = uuid.uuid4().bytes
    tried: dict[str, Callable[[], bool]] = {
        "write": lambda: _writes(store, key, data),
        "read": lambda: store.get(key) == data,
        "list": lambda: list(store.list(key)) == [key],
        "delete": lambda: _deletes(store, key),
    }
    for what, act in tried.items():
        began = time.monotonic()
        right = act()
        took = time.monotonic() - began
        name = f"store {what}"
        if not right:
            yield fault(name, "The store does not show what was just written.", "use a consistent store")
        elif took > _SLOW:
            yield warning(
                name, f"One request takes {took:.1f} s.", "look at the network and the server's load"
            )
        else:
            yield ok(name, f"{took * 1000:.0f} ms.")


def _writes(store: EncryptedStore, key: str, data: bytes) -> bool:
    store.put(key, data)
    return True


def _deletes(store: EncryptedStore, key: str) -> bool:
    store.delete(key)
    return not store.exists(key)


def _conditions(store: EncryptedStore, key: str) -> Finding:
    """Whether a put can be refused where the object exists; no part of Nightshift depends on it."""
    answer = conditional_put(store.inner, key)
    said = {True: "supported", False: "not supported", None: "not tried: not an S3 store"}[answer]
    return ok("store conditions", f"Conditional put: {said}; it is not needed.")


def _clock(store: EncryptedStore, key: str) -> Iterator[Finding]:
    theirs = server_time(store.inner, key)
    if theirs is None:
        return
    ahead = clock.utc() - theirs
    seconds = abs(ahead.total_seconds())
    said = f"This machine's clock is {seconds:.0f} s {'ahead of' if ahead > timedelta() else 'behind'} the store's."
    if abs(ahead) > _REFUSED:
        yield fault("store clock", said, "set it (NTP): S3 servers refuse 15 minutes")
    elif abs(ahead) > _SKEW:
        yield warning("store clock", said, "set it (NTP)")
    else:
        yield ok("store clock", "This machine's clock agrees with the store's.")


def _versions(store: EncryptedStore) -> Finding:
    kept = store.is_versioned
    if kept is None:
        return ok("store versions", "It does not say whether it keeps earlier versions.")
    if kept:
        return ok(
            "store versions", "Earlier versions are kept: deleting documents needs the right to delete them."
        )
    return ok("store versions", "Earlier versions are not kept.")


def _keys(store: EncryptedStore) -> Finding:
    """Whether the keys of what is there are known, by a sample of the oldest and the latest objects."""
    locked: dict[str, str] = {}
    looked = 0
    for key in _some(store):
        with suppress(NotFound):
            data = store.inner.head(key, header.LONGEST)
            looked += 1
            if not header.is_sealed(data):
                continue
            try:
                store.keyring.find(header.parse(data))
            except Locked as error:
                locked[str(error)] = key
            except BadHeader as error:
                locked[str(error)] = key
    for why, key in locked.items():
        return fault(
            "store keys", f"{key} is {why.split(':')[0]}.", "add that key to NIGHTSHIFT_ENCRYPTION_KEYS"
        )
    if not looked:
        return ok("store keys", "Nothing is stored yet.")
    return ok(
        "store keys", f"Looked at {count(looked, 'object')}: each can be read with the keys that are set."
    )


def _some(store: EncryptedStore) -> Iterator[str]:
    for prefix in (keys.PENDING, keys.CLAIMS, keys.ACTIONS):
        yield from islice(store.list(prefix), _SAMPLE)
    for prefix in (keys.RESULTS, keys.FAILED):
        nights = list(store.folders(prefix))
        for night in dict.fromkeys((*nights[:1], *nights[-1:])):
            yield from islice(store.list(f"{prefix}{night}/"), _SAMPLE)
