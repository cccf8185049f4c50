"""`nightshift run` with keys: the same results, and a store in which no text, source or name can be found."""

import json
from pathlib import Path

import pytest

from pipeline import results
from pipeline.encryption.keyring import new_line
from pipeline.storage import keys
from tests.support.command import DAY, nightshift, run

OLD, NEW = new_line("old"), new_line("new")
TEXT = "Marigold Quillfeather owes 417.66 EUR"
ALL = {"NIGHTSHIFT_ENCRYPTION_SUMMARY": "true", "NIGHTSHIFT_MASK": "false"}


def _found(folder: Path) -> set[str]:
    """Top-level folders with files that contain the text, or the name of its source, in their bytes."""
    words = (b"Quillfeather", b"confidential-letter")
    return {
        path.relative_to(folder).parts[0]
        for path in folder.rglob("*")
        if path.is_file() and any(word in path.read_bytes() for word in words)
    }


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "confidential-letter.txt").write_text(f"{TEXT}\n" * 3)
    (tmp_path / "in" / "confidential-letter.pdf").write_bytes(b"%PDF-1.4 Quillfeather, damaged")
    return tmp_path / "in"


def _ended(code_and_figures: tuple[int, dict[str, object]]) -> int:
    code, figures = code_and_figures
    assert (figures["done"], figures["failed"]) == (1, 1), figures
    return code


def test_the_whole_store_is_unreadable_without_the_keys(
    letters: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, store = tmp_path / "plain", tmp_path / "store"
    assert _ended(run(letters, "--out", plain)) == 3
    assert {"documents", "ocr", "results", "failed", "receipts"} <= _found(plain), "the search works"

    secret = {"NIGHTSHIFT_ENCRYPTION_KEYS": OLD, "NIGHTSHIFT_ENCRYPTION_REQUIRED": "true", **ALL}
    assert _ended(run(letters, "--out", store, **secret)) == 3
    assert _found(store) == set()
    assert not [path for path in store.rglob("*.parquet") if path.read_bytes().startswith(b"PAR1")]

    for name, value in secret.items():
        monkeypatch.setenv(name, value)
    key = next(store.rglob("results/*/*.json")).relative_to(store).as_posix()
    task_id = keys.task_id_of(key)
    shown = nightshift("cat", key, "--store", store)
    assert TEXT in json.loads(shown.stdout)["pages"][0]["text"]
    assert TEXT in results.result(str(store), DAY, task_id).pages[0].text
    assert TEXT in results.load(str(store), "pages", masked=False).iloc[0]["text"]
    assert set(results.load(str(store), "documents")["status"]) == {"done", "failed"}
    assert nightshift("audit", DAY, "--store", store).returncode == 0
    again = run(letters, "--out", store)[1]
    assert (again["reused"], again["failed"]) == (1, 1)

    rotated = nightshift(
        "keys", "rotate", "--json", "--store", store, NIGHTSHIFT_ENCRYPTION_KEYS=f"{NEW},{OLD}"
    )
    assert (rotated.returncode, json.loads(rotated.stdout)["remaining"]) == (0, 0), rotated
    audited = nightshift("audit", DAY, "--store", store, NIGHTSHIFT_ENCRYPTION_KEYS=NEW)
    assert audited.returncode == 0, audited

    object_ = store / key
    object_.write_bytes(object_.read_bytes()[:-1] + b"\0")
    audited = nightshift("audit", DAY, "--store", store, NIGHTSHIFT_ENCRYPTION_KEYS=NEW)
    assert audited.returncode == 4
    assert "damaged" in audited.stdout


def test_a_run_without_the_key_ends_in_one_sentence_and_fails_no_document(
    letters: Path, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    _ended(run(letters, "--out", store, NIGHTSHIFT_ENCRYPTION_KEYS=OLD))
    before = {path: path.read_bytes() for path in store.rglob("*") if path.is_file()}
    done = nightshift("run", letters, "--out", store, "--run-date", DAY, NIGHTSHIFT_ENCRYPTION_KEYS=NEW)
    assert done.returncode == 1, done
    assert (
        'is encrypted with the key "old", which is not in NIGHTSHIFT_ENCRYPTION_KEYS: add that key'
        in done.stderr
    )
    assert {path: data for path, data in before.items() if path.read_bytes() != data} == {}
