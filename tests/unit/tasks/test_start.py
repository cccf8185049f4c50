"""What a worker, beat and the commands of Celery import at their start: each takes as long to be ready."""

import subprocess
import sys

HEAVY = (
    "boto3",
    "cv2",
    "numpy",
    "pandas",
    "pyarrow",
    "pipeline.fields",
    "pipeline.ner",
    "pipeline.tables.masking",
)
PROGRAM = "import sys, tasks.work, tasks.housekeeping; print([name for name in sys.argv[1:] if name in sys.modules])"


def test_rules_tables_and_large_libraries_are_imported_by_those_who_use_them() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, *HEAVY], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
