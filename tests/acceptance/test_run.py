"""`nightshift run` as a user starts it, with real processes; engines are fakes that misbehave on demand."""

import json
import os
import re
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from pipeline.models import DocumentResult, from_json
from pipeline.storage import keys
from pipeline.storage.local import LocalStore
from tests.support.command import (
    BLUE,
    DAY,
    FAKES,
    GREEN,
    MAGENTA,
    NIGHTSHIFT,
    RED,
    grey,
    nightshift,
    page,
    pages,
    run,
    start,
    statuses,
)
from tests.support.hostile import crowded_word, nested_forms
from tests.support.servers import wait_for

LONG = pytest.mark.long


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    for n in range(4):
        page(tmp_path / "scans" / f"{n}.png", grey(n))
    return tmp_path / "scans"


def read_log(log: Path) -> list[str]:
    return log.read_text().split() if log.exists() else []


def record(store: Path, name: str) -> DocumentResult:
    local = LocalStore(store)
    found = [
        from_json(local.get(key), DocumentResult)
        for prefix in (keys.results(DAY), keys.failures(DAY))
        for key in local.list(prefix)
    ]
    (match,) = [r for r in found if Path(r.source).name == name]
    return match


def test_results_and_tables(scans: Path, tmp_path: Path) -> None:
    code, figures = run(scans, "--out", tmp_path / "out")
    assert code == 0
    assert (figures["done"], figures["pages"], figures["entities"]) == (4, 4, {"COLOUR": 4})
    entities = pd.read_parquet(tmp_path / "out" / "summary" / "entities")
    assert sorted(entities["value"]) == [f"{n:02x}6464" for n in range(4)]
    result = record(tmp_path / "out", "2.png")
    (entity,) = result.entities
    assert result.pages[0].text[entity.start : entity.end] == entity.text == "026464"
    assert not [path for path in (tmp_path / "out" / "pending").rglob("*") if path.is_file()]


def test_a_second_run_computes_nothing(scans: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    run(scans, "--out", tmp_path / "out", NIGHTSHIFT_FAKE_LOG=str(log))
    before = sorted(read_log(log))
    tables = {p: p.read_bytes() for p in (tmp_path / "out").rglob("*.parquet")}
    done = nightshift(
        "run", scans, "--out", tmp_path / "out", "--run-date", DAY, NIGHTSHIFT_FAKE_LOG=str(log)
    )
    assert "Nothing was computed: every document already had its result." in done.stdout
    assert sorted(read_log(log)) == before
    assert {p: p.read_bytes() for p in (tmp_path / "out").rglob("*.parquet")} == tables
    _, figures = run(scans, "--out", tmp_path / "out", NIGHTSHIFT_FAKE_LOG=str(log))
    assert (figures["reused"], figures["done"], figures["rows"]["documents"]) == (4, 0, 4)


@pytest.mark.long
def test_another_date_reuses_the_pages(scans: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    for day in ("2026-11-22", "2026-11-23"):
        done = nightshift(
            "run", scans, "-o", tmp_path / "out", "--run-date", day, NIGHTSHIFT_FAKE_LOG=str(log)
        )
    assert len(read_log(log)) == 4
    assert "Nothing was computed: all pages and entities were already in the store." in done.stdout
    assert len(pd.read_parquet(tmp_path / "out" / "summary" / "documents")) == 8


@pytest.mark.long
def test_another_ner_model_reuses_the_pages_and_says_that_it_ran(scans: Path, tmp_path: Path) -> None:
    pages(scans / "long.pdf", [grey(10 * n) for n in range(10)])
    run(scans, "--out", tmp_path / "out")
    log = {"NIGHTSHIFT_FAKE_LOG": str(tmp_path / "log")}
    done = nightshift(
        "run", scans, "-o", tmp_path / "out", "--run-date", DAY, NIGHTSHIFT_FAKE_NER="SHADE", **log
    )
    assert "Nothing was computed" not in done.stdout
    assert "OCR did not run for 5 of them: their pages were already in the store." in done.stdout
    _, figures = run(scans, "--store", tmp_path / "out", NIGHTSHIFT_FAKE_NER="TINT", **log)
    assert (figures["done"], figures["reused"], figures["pages_reused"]) == (5, 0, 5)
    assert {o["reused"] for o in figures["outcomes"]} == {False}
    assert read_log(tmp_path / "log") == []
    _, figures = run(scans, "--store", tmp_path / "out")  # the first model's entities are still there
    assert (figures["done"], figures["reused"]) == (0, 5)
    assert {o["reused"] for o in figures["outcomes"]} == {True}


def test_a_long_document_read_in_this_run_is_not_reused(tmp_path: Path) -> None:
    long = pages(tmp_path / "long.pdf", [grey(10 * n) for n in range(20)])
    _, figures = run(long, "--out", tmp_path / "out")
    assert (figures["done"], figures["reused"], figures["pages_reused"]) == (1, 0, 0)


def test_the_same_bytes_are_computed_once_and_reported_twice(scans: Path, tmp_path: Path) -> None:
    (scans / "copy.png").write_bytes((scans / "1.png").read_bytes())
    code, figures = run(scans, "--out", tmp_path / "out", NIGHTSHIFT_FAKE_LOG=str(tmp_path / "log"))
    assert code == 0
    assert Counter(statuses(figures).values()) == {"done": 4, "reused": 1}
    assert max(Counter(read_log(tmp_path / "log")).values()) == 1
    documents = pd.read_parquet(tmp_path / "out" / "summary" / "documents")
    assert documents["sha256"].value_counts().max() == 2


def test_crashing_hanging_and_raising_documents_fail_alone(scans: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    for name, colour in {"dies": RED, "hangs": BLUE, "raises": GREEN, "bloats": MAGENTA}.items():
        page(scans / f"{name}.png", colour)
    page(scans / "dies_too.png", RED)  # the same bytes: not attempted three times again
    code, figures = run(
        scans, "-j", 2, "--out", tmp_path / "out", "--time-limit", 3, NIGHTSHIFT_FAKE_LOG=str(log)
    )
    assert code == 3
    assert Counter(statuses(figures).values()) == {"done": 4, "failed": 5}
    attempts = Counter(read_log(log))
    assert attempts["ff0000"] == attempts["0000ff"] == 3
    assert attempts["00ff00"] == 1
    reasons = {
        name: record(tmp_path / "out", f"{name}.png").error for name in ("dies", "hangs", "raises", "bloats")
    }
    codes = {name: reason and reason.code for name, reason in reasons.items()}
    assert codes == {"dies": "poison", "hangs": "poison", "raises": "internal", "bloats": "out_of_memory"}
    assert "SIGSEGV" in str(reasons["dies"])
    assert "within 3 s" in str(reasons["hangs"])
    assert record(tmp_path / "out", "dies.png").attempts == 3
    documents = pd.read_parquet(tmp_path / "out" / "summary" / "documents")
    assert (documents["status"] == "failed").sum() == 5

    code, figures = run(scans, "--out", tmp_path / "out", NIGHTSHIFT_FAKE_LOG=str(log))
    assert (code, figures["failed"]) == (3, 5), "what failed stays failed until it is asked for again"
    assert Counter(read_log(log)) == attempts


def test_a_page_that_needs_too_much_memory_costs_itself(tmp_path: Path) -> None:
    bomb = nested_forms(tmp_path / "bomb.pdf")
    code, figures = run(bomb, "--out", tmp_path / "out", NIGHTSHIFT_WORKER_MEMORY="400")
    assert (code, figures["partial"]) == (3, 1)
    result = record(tmp_path / "out", "bomb.pdf")
    assert [page.error and page.error.code for page in result.pages] == [None, "out_of_memory", None]
    assert figures["outcomes"][0]["error"]["message"].startswith(
        "Page 2 of 3 could not be read: The document needs"
    )


def test_a_document_that_needs_too_much_memory_to_be_opened_ends_in_one_attempt(tmp_path: Path) -> None:
    crowded_word(tmp_path / "bomb.docx")
    page(tmp_path / "good.png", grey(1))
    code, figures = run(
        tmp_path / "bomb.docx",
        tmp_path / "good.png",
        "--out",
        tmp_path / "out",
        NIGHTSHIFT_WORKER_MEMORY="400",
    )
    assert (code, figures["failed"], figures["done"]) == (3, 1, 1)
    result = record(tmp_path / "out", "bomb.docx")
    assert result.error is not None
    assert result.error.code == "out_of_memory"
    assert "NIGHTSHIFT_WORKER_MEMORY" in result.error.message
    assert result.attempts == 1


def test_failed_documents_are_retried_on_request(tmp_path: Path) -> None:
    page(tmp_path / "scans" / "raises.png", GREEN)
    log = tmp_path / "log"
    run(tmp_path / "scans", "--out", tmp_path / "out")
    run(tmp_path / "scans", "--out", tmp_path / "out", "--retry-failed", NIGHTSHIFT_FAKE_LOG=str(log))
    assert len(read_log(log)) == 1


def test_a_long_pdf_spreads_over_workers_and_survives_a_page_that_crashes(tmp_path: Path) -> None:
    good = pages(tmp_path / "good.pdf", [grey(10 * n) for n in range(20)])
    log = tmp_path / "log"
    code, figures = run(good, "-j", 2, "--out", tmp_path / "out", NIGHTSHIFT_FAKE_LOG=str(log))
    assert (code, figures["pages"]) == (0, 20)
    assert len(read_log(log)) == 20
    result = record(tmp_path / "out", "good.pdf")
    assert [p.number for p in result.pages] == list(range(1, 21))
    shades = [int(p.text[7:9], 16) for p in result.pages]
    assert shades == sorted(shades)

    bad = pages(tmp_path / "bad.pdf", [grey(10 * n) for n in range(9)] + [RED] + [grey(200)] * 9)
    env = {"NIGHTSHIFT_FAKE_LOG": str(log), "NIGHTSHIFT_FAKE_SECONDS": "0.05"}
    code, figures = run(bad, "-j", 2, "--out", tmp_path / "out2", **env)
    assert (code, figures["failed"], figures["partial"]) == (3, 0, 1)
    result = record(tmp_path / "out2", "bad.pdf")
    assert [page.number for page in result.pages if page.error] == [10]
    assert len(result.entities) == 18
    assert result.error is not None
    assert result.error.message.startswith("Page 10 of 19 could not be read: The document crashed its worker")


@pytest.mark.long
def test_a_short_pdf_loses_only_the_page_that_crashes(tmp_path: Path) -> None:
    bad = pages(tmp_path / "bad.pdf", [grey(1), RED, grey(3), grey(4)])
    code, figures = run(bad, "-j", 1, "--out", tmp_path / "out")
    assert (code, figures["failed"], figures["partial"]) == (3, 0, 1)
    result = record(tmp_path / "out", "bad.pdf")
    assert [page.number for page in result.pages if page.error] == [2]
    again, figures = run(bad, "-j", 1, "--out", tmp_path / "out")
    assert (again, figures["partial"]) == (3, 1), "it stays so until it is retried"


@pytest.mark.parametrize("after", [pytest.param(1, marks=LONG), 7, pytest.param(15, marks=LONG)])
def test_kill_9_loses_and_repeats_nothing(tmp_path: Path, after: int) -> None:
    for n in range(8):
        page(tmp_path / "scans" / f"{n}.png", grey(n))
    pages(tmp_path / "scans" / "long.pdf", [grey(20 + 10 * n) for n in range(20)])
    log, out = tmp_path / "log", tmp_path / "out"
    env = {"NIGHTSHIFT_FAKE_LOG": str(log), "NIGHTSHIFT_FAKE_SECONDS": "0.1"}
    process = start("run", tmp_path / "scans", "-j", 2, "-o", out, "--run-date", DAY, **env)
    wait_for(lambda: len(read_log(log)) >= after, f"{after} pages to be begun")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    store = LocalStore(out)
    wait_for(lambda: not _running(str(out)), "the orphaned workers to die")
    finished = len(list(store.list("ocr/")))
    begun = len(read_log(log))
    assert 28 - finished > 0
    code, figures = run(tmp_path / "scans", "-j", 2, "-o", out, **env)
    assert (code, figures["failed"], figures["rows"]["documents"], figures["pages"]) == (0, 0, 9, 28)
    assert len(read_log(log)) - begun == 28 - finished, "a page that was stored is not read again"
    assert list(store.list("pending/")) == []


def _running(word: str) -> list[str]:
    """Processes that still have a file of `word` open: a worker in the middle of a write."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                links = [str(fd.readlink()) for fd in (entry / "fd").iterdir()]
            except OSError:
                continue
            found += [entry.name for link in links if word in link]
    return found


@pytest.fixture
def _signals() -> Iterator[None]:
    """Processes started here don't ignore Ctrl-C, even where the tests run in a background job."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def in_terminal(*args: object, **env: str) -> "subprocess.Popen[str]":
    """Start the command as the leader of a process group, as a shell does: Ctrl-C reaches all of the group."""
    return subprocess.Popen(
        [NIGHTSHIFT, *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, **FAKES, **env},
    )


def results(out: Path) -> int:
    return len(list(LocalStore(out).list("results/")))


@pytest.mark.usefixtures("_signals")
@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=LONG)])
def test_ctrl_c_says_what_is_done_and_writes_the_tables(tmp_path: Path, number: signal.Signals) -> None:
    for n in range(40):
        page(tmp_path / "scans" / f"{n}.png", grey(n))
    page(tmp_path / "scans" / "0_raises.png", GREEN)
    out = tmp_path / "out"
    args = ("run", tmp_path / "scans", "-j", 2, "-o", out, "--run-date", DAY)
    process = in_terminal(*args, NIGHTSHIFT_FAKE_SECONDS="0.1")
    wait_for(lambda: results(out) >= 3, "three documents to be done")
    if number == signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    said = re.fullmatch(
        r"nightshift: Stopped: (\d+) of 41 documents are done, 1 failed; run the same command again to continue\.",
        stderr.splitlines()[-1],
    )
    assert said, stderr
    documents = pd.read_parquet(out / "summary" / "documents")
    assert 3 <= int(said[1]) == (documents["status"] == "done").sum() == results(out) < 40
    assert "Results  file://" in stdout
    assert "KeyboardInterrupt" not in stderr
    _, figures = run(tmp_path / "scans", "-j", 2, "-o", out)
    assert (figures["stopped"], figures["found"], figures["rows"]["documents"]) == (False, 41, 41)
    assert figures["reused"] + figures["done"] == 40
    assert figures["reused"] >= int(said[1]), "and perhaps one that was stopped between its last two steps"


@pytest.mark.long
@pytest.mark.usefixtures("_signals")
def test_ctrl_c_with_json_gives_the_figures(tmp_path: Path) -> None:
    for n in range(20):
        page(tmp_path / "scans" / f"{n}.png", grey(n))
    out = tmp_path / "out"
    process = in_terminal(
        "run",
        tmp_path / "scans",
        "-j",
        2,
        "-o",
        out,
        "--run-date",
        DAY,
        "--json",
        NIGHTSHIFT_FAKE_SECONDS="0.1",
    )
    wait_for(lambda: results(out) >= 2, "two documents to be done")
    os.killpg(process.pid, signal.SIGINT)
    stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    figures = json.loads(stdout)
    assert figures["stopped"] is True
    assert (figures["found"], figures["failed"]) == (20, 0)
    assert 2 <= figures["done"] == figures["documents"] == figures["rows"]["documents"] < 20
    assert f"Stopped: {figures['done']} of 20 documents are done; run" in stderr


@pytest.mark.usefixtures("_signals")
def test_ctrl_c_while_the_workers_start_prints_no_traceback(scans: Path, tmp_path: Path) -> None:
    process = in_terminal("run", scans, "-j", 2, "-o", tmp_path / "out", "--json")
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    wait_for(lambda: len(children.read_text().split()) >= 3, "two workers and multiprocessing's tracker")
    os.killpg(process.pid, signal.SIGINT)
    stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert json.loads(stdout)["stopped"] is True
    assert (
        stderr == "nightshift: Stopped: 0 of 4 documents are done; run the same command again to continue.\n"
    )


@pytest.mark.parametrize("width", [pytest.param(60, marks=LONG), 80, pytest.param(120, marks=LONG)])
def test_reasons_and_names_are_whole_at_any_width(tmp_path: Path, width: int) -> None:
    name = "discharge_summary_ward_7_2026-11-22_page_1_of_1.png"
    page(tmp_path / "scans" / name, grey(1))
    bad = page(tmp_path / "scans" / "raises.png", GREEN)
    (tmp_path / "scans" / "notes.bin").write_bytes(b"\x00\x01 no document")
    done = nightshift("run", tmp_path / "scans", "-o", tmp_path / "out", COLUMNS=str(width))
    assert done.returncode == 3
    lines = done.stdout.splitlines()
    assert [line for line in lines if len(line.rstrip()) > width and "file://" not in line] == []
    assert sum(name in line for line in lines) == 3, "among documents, entities and fields"
    assert str(bad) in done.stdout.replace("\n  ", "").replace("\n", "")
    text = " ".join(done.stdout.split())
    assert "(RuntimeError). This is a defect: please report it with the log." in text
    assert "The file is of an unknown type; supported types are" in text
    assert "convert it to one of these." in text
    assert "016464" in text


@pytest.mark.long
def test_a_dry_run_says_what_would_be_read_and_writes_nothing(scans: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert nightshift("run", scans, "--dry-run", "-o", out).returncode == 0
    assert not out.exists()
    run(scans, "-o", out)
    before = {p: p.stat().st_mtime_ns for p in out.rglob("*")}
    page(scans / "more.png", grey(200))
    (scans / "copy.png").write_bytes((scans / "more.png").read_bytes())
    (scans / "notes.bin").write_bytes(b"\x00\x01 no document")
    log = tmp_path / "log"
    code, figures = run(scans, "-o", out, "--dry-run", NIGHTSHIFT_FAKE_LOG=str(log))
    assert (code, figures["documents"]) == (3, 7)
    assert {k: n for k, n in figures["states"].items() if n} == {
        "done": 4,
        "new": 1,
        "duplicate": 1,
        "unreadable": 1,
    }
    assert figures["types"]["PNG image"]["documents"] == 6
    other = nightshift("run", scans, "-o", out, "--dry-run", "--run-date", "2026-11-23", "--json")
    assert json.loads(other.stdout)["states"]["stored"] == 4
    done = nightshift("run", scans, "-o", out, "--dry-run", "--run-date", DAY)
    assert "4 already done, to be reused" in done.stdout
    assert "The file is of" in done.stdout
    assert f"Dry run for {DAY} in file://{out}: no page was read, nothing was written." in done.stdout
    assert {p: p.stat().st_mtime_ns for p in out.rglob("*")} == before
    assert read_log(log) == []


def test_the_run_date_may_be_yesterday(scans: Path, tmp_path: Path) -> None:
    figures = json.loads(
        nightshift(
            "run", scans, "-o", tmp_path / "out", "--dry-run", "--json", "--run-date", "yesterday"
        ).stdout
    )
    today = json.loads(nightshift("run", scans, "-o", tmp_path / "out", "--dry-run", "--json").stdout)
    assert pd.Timestamp(today["run_date"]) - pd.Timestamp(figures["run_date"]) == pd.Timedelta(days=1)


def test_an_empty_folder_is_a_run_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = nightshift("run", tmp_path / "empty", "--out", tmp_path / "out")
    assert done.returncode == 0
    assert "No documents found" in done.stdout


@pytest.mark.parametrize(
    ("args", "code", "sentence"),
    [
        (["run", "nowhere"], 2, "nowhere does not exist"),
        (["run", "{scans}", "--out", "{scans}/0.png"], 1, "is a file; use a folder"),
        (["run", "{scans}", "--out", "/proc/nightshift"], 1, "Can't write to the store"),
        (["run", "{scans}", "--out", "ftp://x/y"], 2, "there is no store for ftp"),
        (["run", "{scans}", "--run-date", "22.11.2026"], 2, "is not a valid run date"),
        (["run", "{scans}", "--ocr-engine", "tesseract"], 2, "tesseract"),
        (["run", "{scans}", "--workers", "0"], 2, "--workers"),
        (["run", "{scans}", "--ner-engine", "nonsense"], 2, "nonsense"),
    ],
)
def test_mistakes_get_one_sentence_and_an_exit_code(
    scans: Path, tmp_path: Path, args: list[str], code: int, sentence: str
) -> None:
    args = [arg.format(scans=scans) for arg in args]
    if "--out" not in args:
        args += ["--out", str(tmp_path / "out")]
    done = nightshift(*args)
    assert done.returncode == code, done.stderr
    assert sentence in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_help_teaches_without_loading_models() -> None:
    done = nightshift("run", "--help")
    assert done.returncode == 0
    assert "Exit codes: 0 all done, 1 the run failed" in " ".join(done.stdout.split())


@pytest.mark.long
def test_a_run_into_s3_gives_the_same(scans: Path, tmp_path: Path, bucket: str) -> None:
    run(scans, "--out", tmp_path / "out")
    code, figures = run(scans, "--out", f"s3://{bucket}/night")
    assert (code, figures["done"]) == (0, 4)
    here = pd.read_parquet(tmp_path / "out" / "summary" / "entities")
    there = pd.read_parquet(f"s3://{bucket}/night/summary/entities")
    pd.testing.assert_frame_equal(
        here.sort_values("task_id", ignore_index=True), there.sort_values("task_id", ignore_index=True)
    )


def test_a_wrong_s3_key_ends_the_run_plainly(scans: Path, bucket: str) -> None:
    done = nightshift("run", scans, "--out", f"s3://{bucket}/x", AWS_SECRET_ACCESS_KEY="wrong")
    assert done.returncode == 1
    assert "refuses access" in done.stderr
    assert "Traceback" not in done.stderr
