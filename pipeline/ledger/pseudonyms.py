"""Names that stand for task ids where these may not be kept, as an id may be a person's.

A pseudonym is a keyed hash: without the key, which is one object of the store, nobody can try ids until one fits. Who
has the store can tell whether a given id was meant, and not which id it was.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from weakref import WeakKeyDictionary

from pipeline.storage import Store, keys

_SIZE = 32  # bytes of the key; hex digits of a pseudonym


_known: WeakKeyDictionary[Store, bytes] = WeakKeyDictionary()


def key_of(store: Store) -> bytes:
    """The store's key, made when it is first needed; all calls of one store get the same."""
    if store in _known:
        return _known[store]
    name = keys.control("pseudonyms")
    if not store.exists(name):
        store.put_new(name, secrets.token_bytes(_SIZE))
    _known[store] = store.get(name)  # another process may have made it
    return _known[store]


def pseudonym(key: bytes, task_id: str) -> str:
    """32 hex digits, the same for the same key and id."""
    return hmac.new(key, task_id.encode(errors="replace"), hashlib.sha256).hexdigest()[:_SIZE]


def of(store: Store, task_id: str) -> str:
    """The pseudonym of one task id in a store."""
    return pseudonym(key_of(store), task_id)
