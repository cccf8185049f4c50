"""The task that beat sends every 30 seconds."""

import pytest

from pipeline.errors import Damaged, PipelineError, StoreUnavailable
from tasks import housekeeping
from tasks.app import app
from tests.support.flows import raiser


@pytest.mark.parametrize("error", [Damaged("A table is not readable."), StoreUnavailable("Gone.")])
def test_dead_letters_are_swept_also_while_each_tick_fails(
    error: PipelineError, monkeypatch: pytest.MonkeyPatch
) -> None:
    swept: list[object] = []
    monkeypatch.setattr(housekeeping, "_ended", float("-inf"))
    monkeypatch.setattr(housekeeping, "flow", lambda: app)
    monkeypatch.setattr(app, "night", None, raising=False)
    monkeypatch.setattr(housekeeping, "night_tick", raiser(error))
    monkeypatch.setattr(housekeeping, "tidy", lambda *given: swept.append(given))
    housekeeping.tick()
    assert len(swept) == 1
