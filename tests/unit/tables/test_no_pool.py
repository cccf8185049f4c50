"""Commands read small tables and exit: Arrow's pool of threads, if it still starts then, aborts the process."""

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.storage.local import LocalStore
from pipeline.tables.summary import summarise
from tests.unit.cli.conftest import DAY, fail

CODE = """
import sys
import time
from pathlib import Path
from pipeline.ledger import tabled
from pipeline.ledger.forgetting import Plan, Target
from pipeline.night import reprocess
from pipeline.night.search import Search
from pipeline.settings import Settings
from pipeline.storage.local import LocalStore
from pipeline.tables.without import remove_rows

store, day, what = LocalStore(Path(sys.argv[1])), sys.argv[2], sys.argv[3]
now = reprocess.Now(Settings())
work = {
    "audit": lambda: len(tabled.rows(store, day)),
    "reprocess": lambda: len(list(reprocess.rows(store, "pages >= 0", now))),
    "search": lambda: len(Search(store, Plan(run="r", at="", actor="", targets=(Target(task_id="a"),))).run().hits),
    "forget": lambda: sum(remove_rows(store, day, {"a"}).values()),
}[what]
tasks = Path("/proc/self/task")
threads = lambda: [name for name in map(Path.read_text, tasks.glob("*/comm")) if not name.startswith("jemalloc")]
before, count, end = len(threads()), work(), time.monotonic() + 10
while len(threads()) > before and time.monotonic() < end:  # Python's own may take a moment to leave
    time.sleep(0.01)
print(count, len(threads()) - before)
"""


@pytest.mark.parametrize("what", ["audit", "reprocess", "search", "forget"])
def test_small_tables_are_read_by_the_thread_that_asks(tmp_path: Path, what: str) -> None:
    store = LocalStore(tmp_path)
    fail(store, "a")
    fail(store, "b")
    summarise(store, DAY)
    command = [sys.executable, "-c", CODE, str(tmp_path), DAY, what]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    count, started = map(int, done.stdout.split())
    assert (count > 0 or what == "reprocess", started) == (True, 0), "none is done, so none is reprocessed"
