"""Long tests: `make soak` runs them, `make test` passes them over."""

import os

from tests.support.fixtures import *  # noqa: F403

if not os.environ.get("SOAK"):
    collect_ignore_glob = ["test_*.py"]
