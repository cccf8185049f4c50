"""What a migration of queues refuses, on the fake connection of `test_topology`."""

import pytest

from pipeline.errors import RunError
from tasks import migration
from tasks.migration import Changed
from tasks.routing import DEAD_LETTERS, DEAD_QUEUE
from tests.unit.tasks.test_topology import Broker


def test_more_dead_letters_than_their_queue_takes_are_refused() -> None:
    broker = Broker(may_declare=True)
    with pytest.raises(RunError, match=r"has 100001 messages, and takes 100000 .* redrive or discard"):
        migration.migrate(broker, Changed(DEAD_QUEUE, "it has no limit", DEAD_LETTERS + 1))
    assert broker.declared == []
