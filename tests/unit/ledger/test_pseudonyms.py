"""The key of pseudonyms: one for all processes, also if several need the first one at once."""

from pipeline.ledger import pseudonyms
from pipeline.storage.memory import MemoryStore
from tests.support.paused import PausedStore


def test_two_processes_that_need_the_first_key_get_the_same() -> None:
    at, was_paused = 0, True
    while was_paused:
        store, found = MemoryStore(f"key-{at}"), list[bytes]()

        def meanwhile(store: MemoryStore = store, found: list[bytes] = found) -> None:
            found.append(pseudonyms.key_of(store))

        paused = PausedStore(store, at, meanwhile)
        first = pseudonyms.key_of(paused)
        was_paused = at < len(paused.calls)
        assert set(found) <= {first}
        assert (
            pseudonyms.of(store, "a-1") == pseudonyms.pseudonym(first, "a-1") != pseudonyms.of(store, "a-2")
        )
        at += 1
    assert at == 4
