"""Makes the fake engines of tests/fakes an installed distribution for this process and its children."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FAKES = str(Path(__file__).parent / "fakes")

sys.path.insert(0, FAKES)
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [FAKES, os.environ.get("PYTHONPATH")]))
for name in [n for n in os.environ if n.startswith("NIGHTSHIFT_")]:
    del os.environ[name]  # a developer's own settings must not reach the tests
os.environ["NIGHTSHIFT_ENV_FILE"] = ""  # nor must their .env file
