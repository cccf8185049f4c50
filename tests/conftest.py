"""Tests see no settings but their own."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

for name in [n for n in os.environ if n.startswith("NIGHTSHIFT_")]:
    del os.environ[name]  # a developer's own settings must not reach the tests
os.environ["NIGHTSHIFT_ENV_FILE"] = ""  # nor must their .env file


_BROKERS = {"rabbit", "cluster"}  # fixtures


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that use RabbitMQ: `pytest -m rabbitmq tests` runs them on another version."""
    for item in items:
        if _BROKERS & set(getattr(item, "fixturenames", ())):
            item.add_marker("rabbitmq")


@pytest.fixture(autouse=True)
def _level_of_the_log() -> Iterator[None]:
    """A command that runs in this process sets what is logged, and must not set it for the tests after it."""
    level = logging.root.level
    yield
    logging.root.setLevel(level)
