"""When a document that crashes its worker is abandoned."""

import pytest

from pipeline.models import Task
from pipeline.run.crashes import CrashCount
from pipeline.run.jobs import Job

TASK = Task(task_id="a", sha256="a", source="a.pdf")


def test_a_document_is_abandoned_at_the_limit() -> None:
    crashes, job = CrashCount(3), Job(task=TASK)
    counts = [crashes.add(job, earlier=0, pages=0) for _ in range(3)]
    assert counts == [1, 2, 3]
    verdicts = [crashes.verdict(job, "crashed its worker (SIGSEGV)", count) for count in counts]
    assert verdicts[:2] == [None, None]
    assert verdicts[2]
    assert "crashed its worker (SIGSEGV) at each of 3 attempts" in verdicts[2].message
    assert verdicts[2].code == "poison"


def test_progress_starts_the_count_again() -> None:
    crashes, job = CrashCount(3), Job(task=TASK)
    assert [crashes.add(job, earlier=0, pages=pages) for pages in (0, 0, 5, 5, 6)] == [1, 2, 1, 2, 1]


def test_attempts_of_an_earlier_run_count() -> None:
    assert CrashCount(3).add(Job(task=TASK), earlier=2, pages=0) == 3


@pytest.mark.parametrize(
    ("first", "last", "where"), [(0, 0, "worker at each"), (9, 16, "on pages 9 to 16 at each")]
)
def test_the_reason_names_the_pages_of_a_group(first: int, last: int, where: str) -> None:
    error = CrashCount(1).verdict(Job(task=TASK, first=first, last=last), "crashed its worker", 1)
    assert error
    assert where in error.message


def test_page_groups_are_counted_apart() -> None:
    crashes = CrashCount(3)
    one, two = Job(task=TASK, first=1, last=8), Job(task=TASK, first=9, last=16)
    assert [crashes.add(job, earlier=0, pages=0) for job in (one, two, one)] == [1, 1, 2]
