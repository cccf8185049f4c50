"""A night with its settings in a `.env` file: commands and workers read it, and a running worker keeps them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.storage.local import LocalStore
from tests.conftest import ROOT
from tests.support.command import NIGHTSHIFT, RED, grey, page
from tests.support.servers import start, wait_for


def count(store: LocalStore, prefix: str) -> int:
    return sum(1 for _ in store.list(prefix))


def submit(document: Path) -> None:
    subprocess.run([NIGHTSHIFT, "submit", document], check=True, timeout=60)


@pytest.mark.long
def test_a_worker_keeps_its_settings_when_the_file_changes(
    tmp_path: Path, broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NIGHTSHIFT_ENV_FILE")
    monkeypatch.chdir(tmp_path)
    file = tmp_path / ".env"
    file.write_text(
        f"NIGHTSHIFT_BROKER_URL={broker}\n"
        f"NIGHTSHIFT_STORE_URL={tmp_path / 'out'}\n"
        "NIGHTSHIFT_WINDOW=always\n"
        "NIGHTSHIFT_MAX_ATTEMPTS=1\n"
        "NIGHTSHIFT_OCR_ENGINE=fake-ocr\n"
        "NIGHTSHIFT_NER_ENGINE=fake-ner\n"
    )
    store = LocalStore(tmp_path / "out")
    first, crash, second = (page(tmp_path / f"{n}.png", c) for n, c in enumerate((grey(1), RED, grey(2))))
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    celery = [sys.executable, "-m", "celery", "-A", "tasks", "worker", "-c", "1", "-n", "w@test"]
    worker = start(celery, tmp_path / "worker.log", {"PYTHONPATH": path})
    try:
        submit(first)
        wait_for(lambda: count(store, "results/") == 1, "the first result", 60)

        shutil.copy(file, tmp_path / "before.env")
        file.write_text(file.read_text().replace("/out", "/elsewhere") + "not a line\n")
        monkeypatch.setenv("NIGHTSHIFT_ENV_FILE", "before.env")
        submit(crash)
        wait_for(lambda: count(store, "failed/") == 1, "the crash", 60)
        submit(second)  # for a process that was started after the change
        wait_for(lambda: count(store, "results/") == 2, "the second result", 60)
        assert not (tmp_path / "elsewhere").exists()
    finally:
        worker.terminate()
        worker.wait(60)
