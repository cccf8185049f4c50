from pathlib import Path

import pytest

from pipeline.errors import RunError
from pipeline.ledger.receipts import Accepted, Link, Receipt
from pipeline.ledger.sheets import Sheets


def test_it_is_a_mapping_in_the_order_of_its_keys() -> None:
    sheets = Sheets()
    numbers, others = sheets.new(int), sheets.new(list[str])
    for n in (3, 1, 2):
        numbers[f"k{n}"] = n
    numbers["k1"] = 10
    assert dict(numbers) == {"k1": 10, "k2": 2, "k3": 3}
    assert list(numbers) == ["k1", "k2", "k3"]
    assert (list(numbers.values()), len(numbers), "k4" in numbers) == ([10, 2, 3], 3, False)
    assert numbers.setdefault("k1", 0) == 10
    del numbers["k1"]
    assert numbers.get("k1") is None
    with pytest.raises(KeyError):
        numbers["k1"]
    with pytest.raises(KeyError):
        del numbers["k1"]
    assert dict(others) == {}


def test_values_are_what_they_were() -> None:
    receipt = Receipt("r", [Accepted("a", "s", "ab", "no")], Link("w", 2, "p", "x"), "y", "changed", ("z",))
    found = Sheets().new(Receipt[Accepted])
    found["r"] = receipt
    assert found["r"] == receipt


def test_what_is_iterated_may_be_changed_meanwhile() -> None:
    numbers = Sheets().new(int)
    numbers.update({f"{n:05}": n for n in range(2000)})
    for key, n in numbers.items():
        if n % 2:
            del numbers[key]
        else:
            numbers[key] = n + 1
    assert list(numbers.values()) == list(range(1, 2000, 2))


def test_the_file_has_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    sheets = Sheets()
    large = sheets.new(str)
    for n in range(3000):
        large[f"{n:05}"] = "x" * 10_000  # more than is kept in memory
    assert list(tmp_path.iterdir()) == [], "nothing is left of a process that is killed"
    opened = [str(entry.readlink()) for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()]
    assert any(str(tmp_path) in name and "deleted" in name for name in opened)
    assert large["02999"] == "x" * 10_000


def test_a_full_disk_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    sheets = Sheets()
    sheets._connection.execute("PRAGMA max_page_count=20")  # SQLite then says the same as of a full disk
    large = sheets.new(str)
    with pytest.raises(RunError, match=f"{tmp_path} can't be used .*full.*NIGHTSHIFT_TEMP_DIR"):
        large.update({f"{n:05}": "x" * 10_000 for n in range(100)})


def test_a_folder_that_is_gone_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(RunError, match="NIGHTSHIFT_TEMP_DIR"):
        Sheets()
