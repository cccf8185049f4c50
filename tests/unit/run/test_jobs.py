"""The job queue without processes: order, page groups, duplicates, retries, and what counts as reused."""

from typing import Literal

import pytest

from pipeline.models import Task
from pipeline.run.jobs import Job, JobQueue
from pipeline.run.outcome import Outcome, Reused


def task(name: str, sha256: str = "") -> Task:
    return Task(task_id=name, sha256=sha256 or name, source=f"{name}.png")


def outcome(
    of: Job, status: Literal["done", "failed", "spread", "read"], pages: int = 1, reused: Reused = ""
) -> Outcome:
    return Outcome(status=status, task_id=of.task.task_id, source=of.task.source, pages=pages, reused=reused)


def taken(queue: JobQueue) -> Job:
    job = queue.next()
    assert job
    return job


def spread(queue: JobQueue, pages: int, name: str = "long") -> list[Job]:
    """The page groups of a long document that was just opened."""
    queue.add(task(name))
    job = taken(queue)
    assert queue.advance(job, outcome(job, "spread", pages)) is None
    return list(iter(queue.next, None))


@pytest.fixture
def queue() -> JobQueue:
    return JobQueue(page_group=8)


def test_documents_come_in_order(queue: JobQueue) -> None:
    assert not queue
    for name in "abc":
        queue.add(task(name))
    assert [taken(queue).task.task_id for _ in "abc"] == ["a", "b", "c"]
    assert queue.next() is None
    assert not queue


def test_a_duplicate_waits_for_the_first_of_its_bytes(queue: JobQueue) -> None:
    queue.add(task("a", "same"))
    queue.add(task("b", "same"))
    first = taken(queue)
    assert queue.next() is None
    assert [t.task_id for t in queue.release_duplicates(first.task)] == ["b"]
    queue.add(task("c", "same"))
    assert taken(queue).task.task_id == "c", "nobody works on these bytes any more"


def test_page_groups_come_before_other_documents_and_finish_the_document(queue: JobQueue) -> None:
    queue.add(task("long"))
    queue.add(task("short"))
    opened = taken(queue)
    queue.advance(opened, outcome(opened, "spread", 20))
    groups = [taken(queue) for _ in range(3)]
    assert [(g.first, g.last) for g in groups] == [(1, 8), (9, 16), (17, 20)]
    assert [queue.advance(g, outcome(g, "read")) for g in reversed(groups)] == [None] * 3
    whole = taken(queue)
    assert (whole.task.task_id, whole.first, whole.spread, whole.groups) == ("long", 0, False, 3)
    assert queue.advance(whole, outcome(whole, "done", 20))
    assert taken(queue).task.task_id == "short"


def test_a_failed_page_group_ends_the_document_once(queue: JobQueue) -> None:
    first, second, third = spread(queue, 20)
    queue.repeat(third)
    ended = queue.advance(first, outcome(first, "failed"))
    assert ended
    assert ended.status == "failed"
    assert not queue.is_open(second)
    assert queue.advance(second, outcome(second, "failed")) is None
    assert queue.next() is None, "the third group is not started any more"


def test_jobs_for_later_wait_until_they_are_due(queue: JobQueue) -> None:
    queue.add(task("a"))
    queue.repeat_later(taken(queue), due=10.0)
    queue.wake(9.9)
    assert queue
    assert queue.next() is None
    queue.wake(10.0)
    assert taken(queue).retries == 1


@pytest.mark.parametrize("reused", ["", "pages", "checkpoints"])
def test_what_was_reused_is_passed_on(queue: JobQueue, reused: Reused) -> None:
    queue.add(task("a"))
    job = taken(queue)
    ended = queue.advance(job, outcome(job, "done", reused=reused))
    assert ended
    assert ended.reused == reused


def test_after_a_crash_nothing_counts_as_reused(queue: JobQueue) -> None:
    queue.add(task("a"))
    queue.repeat(taken(queue))
    again = taken(queue)
    ended = queue.advance(again, outcome(again, "done", reused="checkpoints"))
    assert ended
    assert ended.reused == ""


@pytest.mark.parametrize(("fresh", "expected"), [(None, "checkpoints"), (0, ""), (2, "")])
def test_a_long_document_is_reused_if_all_its_groups_were(
    queue: JobQueue, fresh: int | None, expected: str
) -> None:
    for n, group in enumerate(spread(queue, 20)):
        queue.advance(group, outcome(group, "read", reused="" if n == fresh else "pages"))
    whole = taken(queue)
    ended = queue.advance(whole, outcome(whole, "done", reused="checkpoints"))
    assert ended
    assert ended.reused == expected
