"""Which remote control commands a worker obeys."""

from typing import Any

import pytest
from celery.worker.control import Panel

from tasks import control

CHANGING = {
    "add_consumer",
    "autoscale",
    "cancel_consumer",
    "conf",
    "disable_events",
    "dump_conf",
    "election",
    "hello",
    "memdump",
    "memsample",
    "objgraph",
    "pool_grow",
    "pool_restart",
    "pool_shrink",
    "rate_limit",
    "report",
    "revoke",
    "revoke_by_stamped_headers",
    "shutdown",
    "terminate",
    "time_limit",
}


@pytest.fixture
def panel(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    data = dict(Panel.data)
    monkeypatch.setattr(Panel, "data", data)
    return data


def test_every_command_of_celery_is_judged(panel: dict[str, Any]) -> None:
    assert set(panel) == control.READ | CHANGING
    assert not control.READ & CHANGING


@pytest.mark.parametrize("allowed", ["read", "off"])
def test_a_changing_command_does_nothing_and_says_so(panel: dict[str, Any], allowed: str) -> None:
    before = dict(panel)
    control.limit(allowed)
    for name in CHANGING:
        reply = panel[name](None, any_argument=1)
        assert reply == {"error": f"{name} is refused (NIGHTSHIFT_REMOTE_CONTROL={allowed})"}
    assert all(panel[name] is before[name] for name in control.READ)


def test_all_may_be_allowed(panel: dict[str, Any]) -> None:
    before = dict(panel)
    control.limit("all")
    assert panel == before


def test_each_connection_has_a_queue_of_its_own() -> None:
    mailbox = control.Mailbox("celery", type="fanout", queue_durable=True, queue_exclusive=False)
    first, second = (mailbox.get_queue("w1@host") for _ in range(2))
    assert first.name != second.name
    for queue in (first, second):
        assert queue.name.startswith("w1@host.")
        assert queue.name.endswith(".celery.pidbox"), "the rights of a worker name it"
