"""Tests see no settings but their own."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

for name in [n for n in os.environ if n.startswith("NIGHTSHIFT_")]:
    del os.environ[name]  # a developer's own settings must not reach the tests
os.environ["NIGHTSHIFT_ENV_FILE"] = ""  # nor must their .env file
