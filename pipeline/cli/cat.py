"""`nightshift cat`: one object of the store, decrypted."""

from __future__ import annotations

import base64
import sys
from typing import Annotated

import typer

from pipeline.cli import nights, options, screen
from pipeline.errors import UsageError


def cat(
    key: Annotated[str, typer.Argument(metavar="KEY", help="Key of the object (docs/reference/store.md).")],
    store: options.Store = None,
    as_json: options.AsJson = False,
) -> None:
    """Write one object of the store to standard output, decrypted: its bytes as they are, not masked.

    With `--json`, the bytes are in base64.

    Exit codes: 0 success, 1 store unavailable, or no such object, or no key to decrypt it, 2 usage error.

    Example: `nightshift cat results/run_date=2026-11-22/a.json`
    """
    from pipeline.storage import keys

    if not keys.is_safe(key):
        raise UsageError(
            f'"{key}" is not the key of an object: use its path below the store, such as '
            "results/run_date=2026-11-22/a.json."
        )
    source = nights.open_store(store)
    data = source.get(key)
    if as_json:
        screen.as_json({"key": key, "base64": base64.b64encode(data).decode(), "store": source.url})
        return
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
