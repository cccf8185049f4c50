"""`nightshift run` with a device in a process of its own: the same results, and what a failing device costs."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ExitCode
from pipeline.storage import keys
from pipeline.storage.local import LocalStore
from tests.conftest import ROOT
from tests.support.command import DAY, MAGENTA, RED, grey, nightshift, page, pages, run, start, statuses
from tests.support.servers import wait_for

REAL = {"NIGHTSHIFT_OCR_ENGINE": "rapidocr", "NIGHTSHIFT_NER_ENGINE": "lac"}
DEVICE = {"NIGHTSHIFT_OCR_ENGINE": "fake-device", "NIGHTSHIFT_DEVICES": "cpu"}
SAMPLES = ("receipt.jpg", "contract_scan.pdf", "expense_claim_mixed.pdf", "delivery_note_turned.jpg")
OWN = (
    "seconds",
    "first_seen",
    "done_at",
    "submitted_at",
    "accepted_on",
    "trace_id",
    "traceparent",
    "receipt",
    "digest",
)
"""What differs between two runs of the same documents."""


def results(folder: Path) -> dict[str, Any]:
    """Records by source, without times."""
    store = LocalStore(folder)
    found = {}
    for key in store.list(keys.results(DAY)):
        record = json.loads(store.get(key))
        for one in (record, *record["pages"]):
            for name in OWN:
                one.pop(name, None)
        found[record["source"]] = record
    return found


@pytest.mark.long
def test_the_results_are_those_without_a_device(tmp_path: Path) -> None:
    samples = [ROOT / "samples" / name for name in SAMPLES]
    assert run(*samples, "--out", tmp_path / "own", **REAL)[0] == ExitCode.OK
    assert run(*samples, "--out", tmp_path / "shared", **REAL, NIGHTSHIFT_DEVICES="cpu")[0] == ExitCode.OK
    own, shared = results(tmp_path / "own"), results(tmp_path / "shared")
    assert len(own) == len(SAMPLES)
    assert {name: own[name] == shared[name] for name in own} == dict.fromkeys(own, True)


def test_pages_that_a_device_can_not_compute_cost_themselves(tmp_path: Path) -> None:
    inbox = tmp_path / "in"
    page(inbox / "good.png", grey(9))
    pages(inbox / "large.pdf", [grey(1), MAGENTA, grey(3)])
    pages(inbox / "deadly.pdf", [grey(4), RED, grey(6)])
    code, figures = run(inbox, "--out", tmp_path / "out", **DEVICE)
    assert code == ExitCode.INCOMPLETE
    assert statuses(figures) == {"good.png": "done", "large.pdf": "partial", "deadly.pdf": "partial"}
    codes = {
        Path(name).name: [one["error"] and one["error"]["code"] for one in record["pages"]]
        for name, record in results(tmp_path / "out").items()
    }
    assert codes["large.pdf"] == [None, "out_of_memory", None]
    assert codes["deadly.pdf"] == [None, "poison", None]


def test_a_page_that_loses_the_device_costs_itself(tmp_path: Path) -> None:
    inbox = tmp_path / "in"
    page(inbox / "bad.png", (0, 255, 255))
    for n in range(6):
        page(inbox / f"{n}.png", grey(n))
    code, figures = run(inbox, "--out", tmp_path / "out", **DEVICE)
    assert code == ExitCode.INCOMPLETE
    assert statuses(figures) == {"bad.png": "failed"} | {f"{n}.png": "done" for n in range(6)}


def test_a_device_that_is_not_there_is_said_once_and_at_once(tmp_path: Path) -> None:
    one = page(tmp_path / "one.png", grey(1))
    env = REAL | {"NIGHTSHIFT_DEVICES": "gpu:0", "CUDA_VISIBLE_DEVICES": ""}
    done = nightshift("run", one, "--out", tmp_path / "out", **env)
    assert done.returncode == ExitCode.DEVICE
    (line,) = done.stderr.splitlines()
    assert line.startswith("nightshift: The OCR device 'gpu:0' can't be used: ")


@pytest.mark.long
def test_models_that_load_longer_than_a_document_may_take_cost_no_attempt(tmp_path: Path) -> None:
    one = page(tmp_path / "one.png", grey(1))
    env = DEVICE | {"NIGHTSHIFT_TIME_LIMIT": "8", "NIGHTSHIFT_FAKE_DEVICE": "load=14"}
    code, figures = run(one, "--out", tmp_path / "out", **env)
    assert (code, statuses(figures)) == (ExitCode.OK, {"one.png": "done"})
    (record,) = results(tmp_path / "out").values()
    assert record["attempts"] == 1


def test_a_lost_device_ends_the_run_and_the_next_one_goes_on(tmp_path: Path) -> None:
    long = pages(tmp_path / "long.pdf", [grey(n) for n in range(12)])
    done = nightshift("run", long, "--out", tmp_path / "out", **DEVICE, NIGHTSHIFT_FAKE_DEVICE="lost=1")
    assert done.returncode == ExitCode.DEVICE
    assert "The device cpu is lost, as its process found the device gone, 3 times in a row" in done.stderr
    code, figures = run(long, "--out", tmp_path / "out", **DEVICE)
    assert (code, statuses(figures)) == (ExitCode.OK, {"long.pdf": "done"})


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_the_device_ends_with_the_run(tmp_path: Path, number: signal.Signals) -> None:
    long = pages(tmp_path / "long.pdf", [grey(n) for n in range(40)])
    running = start("run", long, "--out", tmp_path / "out", **DEVICE, NIGHTSHIFT_FAKE_DEVICE="batch=0.2")

    def devices() -> list[int]:
        children = Path(f"/proc/{running.pid}/task").glob("*/children")
        pids = [int(pid) for file in children for pid in file.read_text().split()]
        return [pid for pid in pids if b"pipeline.device" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    wait_for(devices, "the device process to start")
    (device,) = devices()
    wait_for(lambda: list((tmp_path / "out").glob("ocr/*/*/*")), "the first page")
    os.kill(running.pid, number)
    running.communicate(timeout=60)
    wait_for(lambda: not Path(f"/proc/{device}/exe").exists(), "the device process to end", 10)
