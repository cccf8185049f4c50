"""What `nightshift run` imports before its workers start, and for its tables: they wait for it."""

import subprocess
import sys

HEAVY = ("boto3", "pandas", "openvino", "jieba", "pipeline.fields.filler", "pipeline.ner.patterns.finder")
PROGRAM = """
import sys
from pipeline.run import batch
from pipeline.settings import Settings
from pipeline.tables import summary
assert batch.Engines(Settings.from_env()).digest
print([name for name in sys.argv[1:] if name in sys.modules])
"""


def test_rules_and_models_are_named_without_being_imported() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, *HEAVY], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
