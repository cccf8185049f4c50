"""The first objects of a type that a process reads are often read by several threads at once."""

import subprocess
import sys

CODE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pipeline.models import DocumentResult, from_json, to_json

sys.setswitchinterval(1e-6)
data = to_json(DocumentResult(task_id="a", sha256=None, source="s", status="done", run_date="2026-11-22"))
with ThreadPoolExecutor(8) as pool:
    assert len(list(pool.map(lambda _: from_json(data, DocumentResult), range(64)))) == 64
"""


def test_threads_that_decode_a_type_for_the_first_time_at_once() -> None:
    codes = [
        subprocess.run([sys.executable, "-c", CODE], check=False, timeout=60).returncode for _ in range(4)
    ]
    assert codes == [0] * 4
