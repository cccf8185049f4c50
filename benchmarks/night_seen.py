"""One real night, counted five times: by the audit, the tables, the report, Prometheus and Flower.

    python -m benchmarks.night_seen [--documents 1000]

Starts a RabbitMQ, two workers with the fake engines, Flower, a Prometheus that scrapes the workers, and publishes
documents of which one in fifty is damaged and one in fifty has a page that cannot be read. Prints one line per counter;
exit code 1 where they differ.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import pyarrow.parquet as pq

from pipeline.cli.nights import last
from pipeline.ledger.audit import audit
from tests.acceptance.test_night_monitoring import scraped, value
from tests.support.command import GREEN, grey, nightshift, pages
from tests.support.night import CELERY, Night, Process, night
from tests.support.servers import free_port, start, wait_for
from tests.support.servers.rabbit import start_rabbit

LOGIN = {"NIGHTSHIFT_FLOWER_USER": "operator", "NIGHTSHIFT_FLOWER_PASSWORD": "a long password"}


def main() -> int:
    """Run the night; 0 if all counts agree."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--documents", type=int, default=1000)
    count = parser.parse_args().documents
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "rabbit").mkdir()
        (Path(folder) / "night").mkdir()
        rabbit = start_rabbit(Path(folder) / "rabbit")
        try:
            with night(rabbit, Path(folder) / "night") as it:
                return seen(it, count)
        finally:
            rabbit.kill()


def seen(it: Night, count: int) -> int:
    """Publish, wait, count."""
    port, flower_port = free_port(), free_port()
    ports = {"nightshift-worker": port}
    with scraped(it, ports | {"nightshift-exporter": free_port()}) as prometheus:
        it.ready(it.worker("w1", NIGHTSHIFT_METRICS_ADDRESS=f"127.0.0.1:{port}"))
        log = it.folder / "flower.log"
        command = [CELERY, "-A", "tasks", "flower", f"--port={flower_port}"]
        it.processes.append(Process("flower", log, start(command, log, {**it.env, **LOGIN})))
        wait_for(lambda: any(flower(flower_port, "/api/workers?status=1").values()), "Flower")
        began = time.monotonic()
        it.publish(messages(it, count))
        it.settle(count, 1200)
        took = time.monotonic() - began
        it.tick()
        run_date = last(it.store)
        wait_for(lambda: list(it.store.list("summary/")), "the tables")
        nightshift("summarise", run_date, **it.env)
        counts = {
            "audit": audited(it, run_date),
            "tables": tabled(it, run_date),
            "report": reported(it, run_date),
            "Prometheus": {
                name: int(value(prometheus, f'sum(nightshift_documents_total{{outcome="{name}"}})'))
                for name in ("done", "partial", "failed")
            },
            "Flower": flowered(flower_port),
        }
    for name, found in counts.items():
        print(f"{name:<12}{found['done']:>6} done {found['partial']:>5} partial {found['failed']:>5} failed")
    print(f"{count} documents in {took:.1f} s")
    return int(any(found != counts["audit"] for found in counts.values()))


def messages(it: Night, count: int) -> list[dict[str, object]]:
    """One in fifty is damaged, one in fifty has a page that cannot be read."""
    made = it.documents(count)
    for at in range(0, count, 50):
        torn = it.inbox / f"torn_{at}.png"
        torn.write_bytes(b"\x89PNG\r\n\x1a\n torn" + str(at).encode())
        made[at] = it.document(f"torn_{at}", torn)
    for at in range(25, count, 50):
        path = pages(it.inbox / f"half_{at}.pdf", [grey(at % 250), GREEN, (at % 250, 3, at // 250)])
        made[at] = it.document(f"half_{at}", path)
    return made


def audited(it: Night, run_date: str) -> dict[str, int]:
    """As `nightshift audit` counts."""
    found = audit(it.store, run_date)
    assert found.adds_up, found.gaps
    return {"done": found.done, "partial": found.partial, "failed": found.failed}


def tabled(it: Night, run_date: str) -> dict[str, int]:
    """As the parquet of the night says."""
    folder = it.folder / "store" / "summary" / "documents" / f"run_date={run_date}"
    found = Counter(pq.read_table(folder / "part-00000.parquet", columns=["status"])["status"].to_pylist())
    return {name: found[name] for name in ("done", "partial", "failed")}


def reported(it: Night, run_date: str) -> dict[str, int]:
    """As the report of the morning says."""
    done = nightshift("report", run_date, **it.env)
    assert done.returncode == 0, done.stderr
    line = json.loads(it.store.get(f"reports/run_date={run_date}/report.json"))["audit"]
    return {name: line[name] for name in ("done", "partial", "failed")}


def flower(port: int, path: str) -> dict[str, dict[str, str]]:
    """An answer of Flower's API."""
    login = base64.b64encode(":".join(LOGIN.values()).encode()).decode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Basic {login}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            found: dict[str, dict[str, str]] = json.loads(answer.read())
            return found
    except OSError:
        return {}


def flowered(port: int) -> dict[str, int]:
    """As Flower shows how the chains of tasks ended; those of one page end in `ner`."""
    ends, done, others = Counter[str](), set[str](), set[str]()
    for task in flower(port, "/api/tasks?limit=100000").values():
        said = f"{task['state']} {task['exception'] or ''}"
        if said.startswith("FAILURE Document"):
            ends["partial" if "Partial" in said else "failed"] += 1
            others.add(task["args"])
        elif task["name"] in ("nightshift.ner", "nightshift.result") and task["state"] == "SUCCESS":
            done.add(task["args"])
    ends["done"] = len(done - others)
    return {name: ends[name] for name in ("done", "partial", "failed")}


if __name__ == "__main__":
    sys.exit(main())
