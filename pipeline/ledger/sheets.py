"""Tables of an audit that may be too large for memory: mappings in a temporary database, deleted with the process.

A night may have a million documents. SQLite keeps a few MiB of them in memory, and the rest in a file without a name.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator, MutableMapping
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from pipeline.errors import RunError

T = TypeVar("T")
_KIB = 16 * 1024  # of the database in memory
_ROUND = 512  # rows that an iteration holds


class Sheets:
    """A database that holds any number of mappings; one thread uses it.

    It and its mappings raise `RunError` where there is no room for temporary files.
    """

    def __init__(self) -> None:
        self._names = count()
        try:
            self._connection = _opened()
        except (sqlite3.Error, OSError) as error:
            raise _trouble(error) from error

    def new(self, kind: type[T]) -> Sheet[T]:
        """An empty mapping from texts to values of a kind that msgspec can encode."""
        return Sheet(self._connection, f"sheet{next(self._names)}", kind)


def _opened() -> sqlite3.Connection:
    folder = tempfile.mkdtemp(prefix="nightshift-")
    path = Path(folder) / "sheets"
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in (
        "journal_mode=OFF",
        "synchronous=OFF",
        "locking_mode=EXCLUSIVE",
        f"cache_size=-{_KIB}",
    ):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("CREATE TABLE made (name)")  # so that the file is open
    path.unlink()
    Path(folder).rmdir()
    return connection


def _trouble(error: Exception) -> RunError:
    return RunError(
        f"The temporary database in {tempfile.gettempdir()} can't be used ({error}): free some space there, or set "
        "NIGHTSHIFT_TEMP_DIR to a larger disk.",
        code="temp_dir",
    )


class Sheet(MutableMapping[str, T]):
    """A mapping in a database, in the order of its keys. What an iteration changes before itself, it may not see."""

    def __init__(self, connection: sqlite3.Connection, name: str, kind: type[T]) -> None:
        self._connection, self._name = connection, name
        self._decoder: msgspec.msgpack.Decoder[T] = msgspec.msgpack.Decoder(kind)
        self._encode = msgspec.msgpack.Encoder().encode
        self._run(f"CREATE TABLE {name} (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID")
        self._get = f"SELECT value FROM {name} WHERE key = ?"  # noqa: S608 - names are made here
        self._set = f"INSERT OR REPLACE INTO {name} VALUES (?, ?)"  # noqa: S608 - likewise

    def _run(self, statement: str, *values: object) -> list[Any]:
        """The rows that a statement gives; raises `RunError` where there is no room, as reading may write, too."""
        try:
            return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise _trouble(error) from error

    def __getitem__(self, key: str) -> T:
        """The value under a key; raises `KeyError`."""
        found = self._run(self._get, key)
        if not found:
            raise KeyError(key)
        return self._decoder.decode(found[0][0])

    def __setitem__(self, key: str, value: T) -> None:
        """Put a value under a key."""
        self._run(self._set, key, self._encode(value))

    def __delitem__(self, key: str) -> None:
        """Remove a key; raises `KeyError`."""
        if key not in self:
            raise KeyError(key)
        self._run(f"DELETE FROM {self._name} WHERE key = ?", key)  # noqa: S608 - as above

    def __contains__(self, key: object) -> bool:
        """Whether there is such a key."""
        return bool(self._run(self._get, key))

    def __len__(self) -> int:
        """How many keys there are."""
        found: int = self._run(f"SELECT count(*) FROM {self._name}")[0][0]  # noqa: S608 - as above
        return found

    def __iter__(self) -> Iterator[str]:
        """The keys, in order."""
        return (key for key, _ in self._rows())

    def items(self) -> Any:
        """Keys and values, in the order of the keys."""
        return ((key, self._decoder.decode(value)) for key, value in self._rows())

    def values(self) -> Any:
        """The values, in the order of the keys."""
        return (self._decoder.decode(value) for _, value in self._rows())

    def _rows(self) -> Iterator[tuple[str, bytes]]:
        """All rows, a few at a time, so that the caller may write meanwhile."""
        rows = self._run(f"SELECT key, value FROM {self._name} ORDER BY key LIMIT {_ROUND}")  # noqa: S608 - as above
        after = f"SELECT key, value FROM {self._name} WHERE key > ? ORDER BY key LIMIT {_ROUND}"  # noqa: S608 - as above
        while rows:
            yield from rows
            rows = self._run(after, rows[-1][0])
