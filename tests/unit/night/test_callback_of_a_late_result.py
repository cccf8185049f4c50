"""A good result that comes after a failure takes its place, and its callback is sent, too."""

from pathlib import Path

import pytest

from pipeline.errors import Poison
from pipeline.messages import Message
from pipeline.models import Task
from pipeline.night import callbacks
from pipeline.night.flow import Flow
from pipeline.settings import Settings
from pipeline.storage import Store, keys
from tests.support.command import grey, page
from tests.support.flows import flow_of, submission


@pytest.fixture
def notified(inbox: Path, tmp_path: Path) -> Flow:
    return flow_of(
        Settings.from_env(
            {},
            store_url=str(tmp_path / "store"),
            window="always",
            allowed_sources=inbox.as_uri(),
            allowed_callbacks="https://a.example",
            callback_secret="s",
            ocr_engine="fake-ocr",
            ner_engine="fake-ner",
        )
    )


def test_the_note_is_written_again_where_the_callback_of_a_failure_has_used_it_up(
    notified: Flow, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow, day = notified, notified.schedule.run_date()
    source = submission(page(inbox / "a.png", grey(1)), callback_url="https://a.example/done")
    (message,) = flow.reception.accept(source)
    while message.step != "result":
        (message,) = flow.run(message)
    real = callbacks.note_due

    def paused_after(store: Store, task: Task) -> list[Message]:
        following = real(store, task)
        monkeypatch.setattr(callbacks, "note_due", real)
        flow.fail(message, Poison("It crashed its worker."))
        store.delete(keys.callback(day, "t"))  # the callback of the failure is delivered
        return following

    monkeypatch.setattr(callbacks, "note_due", paused_after)
    (callback,) = flow.run(message)
    assert callback.step == "callback"
    assert list(flow.store.list(keys.CALLBACKS)) == [keys.callback(day, "t")]
    assert not list(flow.store.list(keys.FAILED))
