"""A store whose objects are encrypted in the store that it wraps; names, listings and empty objects stay as they are.

Without keys it only refuses to take encrypted objects for damaged ones. What was written before encryption was
switched on is read as it is, unless `NIGHTSHIFT_ENCRYPTION_REQUIRED` is set. `summary/` is not encrypted unless
`NIGHTSHIFT_ENCRYPTION_SUMMARY` is set: analysts read it without Nightshift.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.encryption import header
from pipeline.encryption.header import Locked
from pipeline.encryption.keyring import Keyring, keyring
from pipeline.errors import Damaged
from pipeline.storage import keys
from pipeline.storage.base import Backend

if TYPE_CHECKING:
    from pipeline.settings import Settings


class EncryptedStore:
    """Encrypts with the first key, decrypts with any; each object is bound to its key (name) in the store."""

    def __init__(
        self, inner: Backend, keyring: Keyring, *, required: bool = False, summary: bool = False
    ) -> None:
        self.inner, self.keyring = inner, keyring
        self.url = inner.url
        self._required, self._summary = required, summary

    @classmethod
    def around(cls, inner: Backend, settings: Settings) -> EncryptedStore:
        """Wrap a store as the settings say; raises `UsageError` for invalid keys."""
        return cls(
            inner,
            keyring(settings),
            required=settings.encryption_required,
            summary=settings.encryption_summary,
        )

    def stays_plain(self, key: str) -> bool:
        """Whether objects under this key are written as they are."""
        return self.keyring.first is None or (key.startswith(keys.SUMMARY) and not self._summary)

    def put(self, key: str, data: bytes) -> None:
        """See `Store.put`; an empty object stays empty."""
        self.inner.put(key, self.closed(key, data))

    def put_new(self, key: str, data: bytes) -> bool:
        """See `Store.put_new`."""
        return self.inner.put_new(key, self.closed(key, data))

    def closed(self, key: str, data: bytes) -> bytes:
        """What the inner store gets under `key`."""
        if not data or self.keyring.first is None or self.stays_plain(key):
            return data
        from pipeline.encryption.sealed import seal

        return seal(data, key, self.keyring.first)

    def put_file(self, key: str, path: Path) -> None:
        """See `Store.put_file`; by way of a temporary file that holds only what is encrypted."""
        if self.keyring.first is None or self.stays_plain(key):
            self.inner.put_file(key, path)
            return
        from pipeline.encryption.sealed import stream

        with path.open("rb") as source, tempfile.NamedTemporaryFile(prefix="nightshift-sealed-") as sealed:
            for piece in stream(source, key, self.keyring.first):
                sealed.write(piece)
            sealed.flush()
            self.inner.put_file(key, Path(sealed.name))

    def get(self, key: str) -> bytes:
        """See `Store.get`; raises `Damaged` if it is not what was encrypted, `Locked` without its encryption key."""
        return self.opened(key, self.inner.get(key))

    def opened(self, key: str, data: bytes) -> bytes:
        """What `data`, as the inner store has it under `key`, was before it was encrypted; raises as `get` does."""
        if not header.is_sealed(data):
            return self._plain(key, data)
        from pipeline.encryption.sealed import Tampered, unseal

        try:
            return unseal(data, key, self.keyring)
        except Tampered as error:
            if _is_document(key, data):
                return self._plain(key, data)
            raise Damaged(
                f"The object {key} in {self.url} {error}: restore it from a backup, or delete it and run "
                "`nightshift audit RUN_DATE --repair`."
            ) from None
        except Locked as error:
            if _is_document(key, data):
                return self._plain(key, data)
            raise Locked(f"The object {key} in {self.url} is {error.message}.") from None

    def _plain(self, key: str, data: bytes) -> bytes:
        if self._required and data and not self.stays_plain(key):
            raise Damaged(
                f"The object {key} in {self.url} is not encrypted, which NIGHTSHIFT_ENCRYPTION_REQUIRED forbids: "
                "restore it from a backup, or, if nobody replaced it, run `nightshift keys rotate` without that "
                "setting."
            )
        return data

    def exists(self, key: str) -> bool:
        """See `Store.exists`."""
        return self.inner.exists(key)

    def list(self, prefix: str) -> Iterator[str]:
        """See `Store.list`."""
        return self.inner.list(prefix)

    def folders(self, prefix: str) -> Iterator[str]:
        """See `Store.folders`."""
        return self.inner.folders(prefix)

    def delete(self, key: str) -> None:
        """See `Store.delete`."""
        self.inner.delete(key)

    @property
    def is_versioned(self) -> bool | None:
        """See `Store.is_versioned`."""
        return self.inner.is_versioned

    def purge(self, key: str) -> int:
        """See `Store.purge`."""
        return self.inner.purge(key)

    def purge_below(self, prefix: str) -> int:
        """See `Store.purge_below`."""
        return self.inner.purge_below(prefix)

    def check(self) -> None:
        """See `Store.check`."""
        self.inner.check()


def _is_document(key: str, data: bytes) -> bool:
    """Whether these are the bytes of a document, stored as they are, that only begins like an encrypted object.

    Its sender could otherwise make a step wait for a key that does not exist.
    """
    return key.startswith(keys.DOCUMENTS) and keys.document(hashlib.sha256(data).hexdigest()) == key
