import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import PermanentError
from pipeline.storage import keys

SHA = "ab" * 32


@pytest.mark.parametrize(
    ("task_id", "segment"),
    [
        ("ocr_001", "ocr_001"),
        ("a/b", "a%2Fb"),
        ("../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd"),
        ("..", "%2E%2E"),
        (".", "%2E"),
        ("发票", "%E5%8F%91%E7%A5%A8"),
    ],
)
def test_task_id_becomes_one_safe_segment(task_id: str, segment: str) -> None:
    assert keys.pending(task_id) == f"pending/{segment}.json"
    assert keys.task_id_of(keys.pending(task_id)) == task_id


@pytest.mark.parametrize("task_id", ["", "x" * 201, "票" * 23, "a\nb", "a\0b", "a\udcffb", "." * 67])
def test_bad_task_ids_are_refused(task_id: str) -> None:
    with pytest.raises(PermanentError, match="task id") as caught:
        keys.pending(task_id)
    assert caught.value.code == "bad_task_id"


@given(st.text(min_size=1, max_size=60))
def test_any_task_id_is_refused_or_comes_back(task_id: str) -> None:
    try:
        key = keys.result("2026-11-22", task_id)
    except PermanentError:
        return
    folder, _, name = key.rpartition("/")
    assert folder == "results/run_date=2026-11-22"
    assert name not in (".", "..")
    assert keys.task_id_of(key) == task_id


@pytest.mark.parametrize("sha", ["", "../x", SHA.upper(), "a/b"])
def test_bad_hashes_are_refused(sha: str) -> None:
    with pytest.raises(ValueError, match="hex digest"):
        keys.document(sha)


@pytest.mark.parametrize("day", ["../..", "2026-13-01", "yesterday", ""])
def test_bad_dates_are_refused(day: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the standard library words it
        keys.result(day, "a")


def test_page_keys_sort_by_number() -> None:
    numbered = [keys.page(SHA, "cd" * 8, n) for n in (1, 2, 10, 100, 2000)]
    assert numbered == sorted(numbered)
    assert [keys.page_number(key) for key in numbered] == [1, 2, 10, 100, 2000]


@pytest.mark.parametrize("task_id", ["t", "a@1", "t@2.json", "发票"])
def test_generations_have_keys_of_their_own(task_id: str) -> None:
    assert keys.pending(task_id, 0) == keys.pending(task_id)
    assert len({keys.pending(task_id), keys.pending(task_id, 1), keys.pending(f"{task_id}@1")}) == 3
    for key in (
        keys.pending(task_id, 12),
        keys.failed("2026-11-22", task_id, 12),
        keys.callback("2026-11-22", task_id, 12),
    ):
        assert (keys.task_id_of(key), keys.generation_of(key)) == (task_id, 12)
    assert keys.generation_of(keys.pending(task_id)) == 0
    claim, taken, note = (
        keys.claim(task_id, "ab" * 6),
        keys.taken(task_id, "ab" * 6, "2026-11-22"),
        keys.generation(task_id, 3),
    )
    assert [keys.origin_of(key) for key in (claim, taken, note)] == ["ab" * 6, "ab" * 6, ""]
    assert [keys.taken_on(key) for key in (claim, taken)] == ["", "2026-11-22"]
    assert keys.generation_of(note) == 3


def test_long_ids_that_are_shortened_stay_two() -> None:
    one, two = (keys.derived("x" * 199 + last, "#" + "ab" * 6) for last in "ab")
    assert one != two
    assert max(len(one), len(two)) <= 200
