"""What encryption at rest costs: the same objects through a plain and an encrypted store, side by side, and hashing.

    python benchmarks/encryption.py [--folder FOLDER] [--rounds 5]

For each size: MB/s of writing and reading, in memory (processor time alone) and in a local folder (with its disk), and
of SHA-256, which every document goes through anyway. Then all objects of one document, written once and read once, as
a night does: milliseconds. The best of several rounds counts; plain and encrypted rounds alternate.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pipeline.encryption.keyring import new_line
from pipeline.settings import Settings
from pipeline.storage import EncryptedStore, Store
from pipeline.storage.base import Backend
from pipeline.storage.local import LocalStore
from pipeline.storage.memory import MemoryStore

SIZES = (2_000, 100_000, 1_000_000, 10_000_000, 100_000_000)
DOCUMENT = {
    "documents/a": 400_000,
    "ocr/1": 40_000,
    "ocr/2": 40_000,
    "ner/a": 15_000,
    "results/a": 110_000,
} | {f"{prefix}/a": 600 for prefix in ("pending", "claims", "receipts")}
"""The objects of a document of two pages, and their bytes: means of the samples."""


def stores(backend: Callable[[str], Backend]) -> dict[str, Store]:
    """Each with its own backend, so that neither finds the other's objects."""
    keyed = Settings(encryption_keys=new_line("k1"))
    return {
        "plain": EncryptedStore.around(backend("plain"), Settings()),
        "encrypted": EncryptedStore.around(backend("encrypted"), keyed),
    }


def fastest(rounds: int, works: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Seconds of the fastest round of each; the works take turns."""
    best = dict.fromkeys(works, float("inf"))
    for _ in range(rounds + 1):
        for name, work in works.items():
            began = time.perf_counter()
            work()
            best[name] = min(best[name], time.perf_counter() - began)
    return best


def throughput(name: str, pair: dict[str, Store], rounds: int) -> None:
    """One row per size: MB/s plain and encrypted, written and read."""
    for size in SIZES:
        data, times = os.urandom(size), max(1, min(200, 2_000_000 // size))

        def put(store: Store, data: bytes = data, times: int = times) -> None:
            for _ in range(times):
                store.put("documents/a", data)

        def get(store: Store, times: int = times) -> None:
            for _ in range(times):
                store.get("documents/a")

        def sha(data: bytes = data, times: int = times) -> None:
            for _ in range(times):
                hashlib.sha256(data).digest()

        works: dict[str, Callable[[], object]] = {"sha256": sha}
        works |= {f"put {kind}": partial(put, store) for kind, store in pair.items()}
        works |= {f"get {kind}": partial(get, store) for kind, store in pair.items()}
        best = fastest(rounds, works)
        rates = "  ".join(f"{what} {size * times / 1e6 / seconds:9.0f}" for what, seconds in best.items())
        print(f"{name:6} {size:>11,} B  MB/s: {rates}")


def document(name: str, pair: dict[str, Store], rounds: int) -> None:
    """Milliseconds for all objects of one document."""
    objects = {key: os.urandom(size) for key, size in DOCUMENT.items()}

    def night(store: Store) -> None:
        for key, data in objects.items():
            store.put(key, data)
        for key in objects:
            store.get(key)

    works: dict[str, Callable[[], object]] = {kind: partial(night, store) for kind, store in pair.items()}
    works["sha256 of the document alone"] = lambda: hashlib.sha256(objects["documents/a"]).digest()
    best = fastest(rounds * 10, works)
    shown = ", ".join(f"{kind} {1000 * seconds:.2f} ms" for kind, seconds in best.items())
    print(f"{name:6} one document: {shown}; ratio {best['encrypted'] / best['plain']:.2f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, help="where the local stores are made; default: temporary")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        kinds: dict[str, Callable[[str], Backend]] = {
            "memory": MemoryStore,
            "folder": lambda name: LocalStore(Path(folder) / name),
        }
        for name, backend in kinds.items():
            pair = stores(backend)
            throughput(name, pair, args.rounds)
            document(name, pair, args.rounds)


if __name__ == "__main__":
    main()
