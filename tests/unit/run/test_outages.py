"""Jobs of `nightshift run` whose store or device did not answer."""

from concurrent.futures import Future
from pathlib import Path

import pytest

from pipeline.errors import DeviceUnavailable, PipelineError, StoreUnavailable
from pipeline.ledger.attempts import STORE_ATTEMPTS
from pipeline.models import Task
from pipeline.run.batch import Batch
from pipeline.run.jobs import Job
from pipeline.run.outcome import Outcome
from pipeline.settings import Settings


def settle(folder: Path, error: PipelineError, retries: int) -> bool:
    """Whether a job that ended with `error` is tried again."""
    settings = Settings(ocr_engine="fake-device", ner_engine="fake-ner", store_url=str(folder))
    batch = Batch(settings, run_date="2026-01-05", workers=1)
    future = Future[Outcome]()
    future.set_exception(error)
    job = Job(task=Task(task_id="a", sha256="a", source="a.pdf"), retries=retries)
    assert not list(batch._settle(job, future)), "the document has not ended"
    return bool(batch._jobs)


def test_a_device_that_loads_is_waited_for_without_limit(tmp_path: Path) -> None:
    error = DeviceUnavailable("No process of a device answers: it may be loading its models.")
    assert all(settle(tmp_path, error, retries) for retries in (0, STORE_ATTEMPTS, 10 * STORE_ATTEMPTS))


def test_a_store_is_asked_a_few_times(tmp_path: Path) -> None:
    assert settle(tmp_path, StoreUnavailable("It does not answer."), STORE_ATTEMPTS - 2)
    with pytest.raises(StoreUnavailable):
        settle(tmp_path, StoreUnavailable("It does not answer."), STORE_ATTEMPTS - 1)
