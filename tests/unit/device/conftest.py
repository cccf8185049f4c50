"""Where the tests of device processes have their sockets."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A short path: the address of a socket has at most 107 bytes, and pytest's own grows with each session."""
    with TemporaryDirectory(prefix="ns-") as name:
        yield Path(name)
