"""Exchanges and queues are declared by who may, and only looked for by who may not."""

from types import SimpleNamespace
from typing import Any

import pytest
from amqp.exceptions import AccessRefused, NotFound

from tasks import doctor, topology
from tasks.broker import Interrupted, NotDeclared, trouble
from tasks.routing import DECLARED, EXCHANGES, PROBE_QUEUE

EVERYTHING = {*(exchange.name for exchange in EXCHANGES), *(queue.name for queue in DECLARED)}


class Broker:
    """A connection whose channels know which names exist, and refuse to declare or bind any without the right."""

    def __init__(self, *missing: str, may_declare: bool) -> None:
        self.existing, self.may_declare = EVERYTHING - set(missing), may_declare
        self.declared: list[str] = []
        self.bound: list[str] = []
        self.userid = "somebody"

    def __enter__(self) -> "Broker":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def channel(self) -> "Broker":
        return self

    def prepare_queue_arguments(self, arguments: dict[str, Any], **_: object) -> dict[str, Any]:
        return arguments

    def exchange_declare(self, exchange: str, *_: object, **options: Any) -> None:
        self._declare(exchange, options)

    def queue_declare(self, queue: str, *_: object, **options: Any) -> Any:
        self._declare(queue, options)
        return SimpleNamespace(message_count=0)

    def queue_bind(self, queue: str, *_: object, **__: object) -> None:
        if not self.may_declare:
            raise AccessRefused(f"ACCESS_REFUSED - access to queue '{queue}' refused")
        self.bound.append(queue)

    def _declare(self, name: str, options: dict[str, Any]) -> None:
        if options.get("passive"):
            if name not in self.existing:
                raise NotFound(f"NOT_FOUND - no {name}")
        elif not self.may_declare:
            raise AccessRefused(f"ACCESS_REFUSED - access to '{name}' refused")
        else:
            self.declared.append(name)
            self.existing.add(name)


def test_a_worker_declares_all_but_the_queues_of_others_that_exist() -> None:
    broker = Broker(may_declare=True)
    topology.declare(broker)
    assert set(broker.declared) == EVERYTHING - {"inference_tasks", "dead"}
    assert set(broker.bound) == {queue.name for queue in DECLARED}


@pytest.mark.parametrize("ask", [topology.declare, topology.ensure])
def test_without_the_right_to_declare_it_is_enough_that_all_exist(ask: Any) -> None:
    ask(Broker(may_declare=False))


@pytest.mark.parametrize("ask", [topology.declare, topology.ensure])
@pytest.mark.parametrize(
    ("missing", "named"), [("ocr", 'queue "ocr"'), ("nightshift", 'exchange "nightshift"')]
)
def test_what_is_missing_is_named(ask: Any, missing: str, named: str) -> None:
    with pytest.raises(NotDeclared, match=f'no {named}, and the user "somebody" may not declare it'):
        ask(Broker(missing, may_declare=False))


def test_the_queue_of_the_probe_is_named_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the name of its exchange, which exists."""
    broker = Broker(may_declare=False)

    def queue_declare(queue: str, *_: object, **options: Any) -> Any:
        if queue == PROBE_QUEUE.name and options.get("passive"):
            raise NotFound(f"NOT_FOUND - no queue '{queue}'")
        return Broker.queue_declare(broker, queue, **options)

    monkeypatch.setattr(broker, "queue_declare", queue_declare)
    with pytest.raises(NotDeclared, match=r'no queue "nightshift\.probe"'):
        topology.declare(broker)


def test_an_interrupted_migration_is_named() -> None:
    broker = Broker(may_declare=True)
    broker.existing.add("dead.moving")
    with pytest.raises(Interrupted, match="queues migrate --yes") as caught:
        topology.prepare(broker)
    assert broker.declared == []
    assert trouble(caught.value, "mq").lasting, "so that the worker ends"
    (finding,) = doctor._queues(broker)
    assert (finding.level, '"dead.moving" has its messages' in finding.sentence) == ("fault", True)


def test_a_command_declares_nothing_while_everything_exists() -> None:
    broker = Broker(may_declare=True)
    topology.ensure(broker)
    assert (broker.declared, broker.bound) == ([], [])
    broker.existing.remove("ocr")
    topology.ensure(broker)
    assert "ocr" in broker.declared


def test_the_dead_letter_queue_needs_no_right_where_it_exists() -> None:
    topology.declare_dead(Broker(may_declare=False))
    broker = Broker("dead", may_declare=True)
    topology.declare_dead(broker)
    assert (broker.declared, broker.bound) == (["dead"], ["dead"])
