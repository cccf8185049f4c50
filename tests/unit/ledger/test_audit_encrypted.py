"""The audit of an encrypted store: it passes, and each object that was changed without the key shows."""

from pathlib import Path

import pytest
from msgspec import structs

from pipeline.encryption.header import Locked
from pipeline.encryption.keyring import new_line
from pipeline.ledger.audit import audit
from pipeline.night.flow import Flow
from pipeline.storage import EncryptedStore, keys
from pipeline.tables.summary import summarise
from tests.support.command import GREEN, grey, page
from tests.support.flows import drain, flow_of, submission


@pytest.fixture
def keyed(flow: Flow, inbox: Path) -> Flow:
    """A night on an encrypted store: a done document, a failed and a pending one."""
    settings = structs.replace(flow.settings, encryption_keys=new_line("k1"), encryption_required=True)
    keyed = flow_of(settings)
    drain(keyed, keyed.reception.accept(submission(page(inbox / "a.png", grey(1)), "done")))
    drain(keyed, keyed.reception.accept(submission(page(inbox / "b.png", GREEN), "failed")))
    messages = keyed.reception.accept(submission(page(inbox / "c.png", grey(2)), "pending"))
    keyed.run(messages[0])
    return keyed


def _kinds(flow: Flow) -> set[str]:
    return {gap.kind for gap in audit(flow.store, flow.schedule.run_date()).gaps}


def _inner(flow: Flow) -> EncryptedStore:
    assert isinstance(flow.store, EncryptedStore)
    return flow.store


def test_each_changed_object_shows_and_only_that(keyed: Flow) -> None:
    summarise(keyed.store, keyed.schedule.run_date())
    assert _kinds(keyed) == set()
    inner = _inner(keyed).inner
    expected = {
        keys.RECEIPTS: {"receipt_changed"},
        keys.RESULTS: {"damaged"},
        keys.FAILED: {"damaged"},
        keys.PENDING: {"damaged"},
        keys.DOCUMENTS: {"document_changed"},
    }
    for prefix, kinds in expected.items():
        for key in list(inner.list(prefix)):
            before = inner.get(key)
            for forged in (before[:-1] + bytes([before[-1] ^ 1]), before[:-9], b'{"status":"done"}'):
                inner.put(key, forged)
                assert kinds <= _kinds(keyed), (key, forged[:20])
            inner.put(key, before)
    assert _kinds(keyed) == set()


def test_without_the_key_the_audit_says_so_and_finds_nothing_wrong(keyed: Flow) -> None:
    other = flow_of(structs.replace(keyed.settings, encryption_keys=new_line("k2")))
    with pytest.raises(Locked, match='encrypted with the key "k1"'):
        _kinds(other)
