"""Unit tests use no network: an attempt to open a socket fails."""

from pathlib import Path

import pytest
import pytest_socket

from pipeline.documents.sources.apart import Opener
from pipeline.ledger import counting
from pipeline.night import recount
from pipeline.night.flow import Flow
from pipeline.settings import Settings
from pipeline.steps.engines import Engines
from tests.support.flows import flow_of
from tests.support.opening import ask_here


@pytest.fixture(autouse=True)
def _no_sockets() -> None:
    pytest_socket.disable_socket(allow_unix_socket=True)


@pytest.fixture(autouse=True)
def _settled_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that a test has just written are complete: nothing waits for them."""
    monkeypatch.setattr("pipeline.documents.sources.files.SETTLED", 0.0)


@pytest.fixture(autouse=True)
def _opened_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Archives and the like are opened without another process."""
    monkeypatch.setattr(Opener, "_ask", ask_here)


@pytest.fixture(autouse=True)
def _nothing_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """No thread writes counters into the store of a test, unless the test itself counts."""
    monkeypatch.setattr(counting, "start", lambda *_, **__: None)
    monkeypatch.setattr(counting, "_started", {})
    monkeypatch.setattr(recount, "SETTLE", 0.0)


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    (tmp_path / "inbox").mkdir()
    return tmp_path / "inbox"


@pytest.fixture
def flow(tmp_path: Path, inbox: Path) -> Flow:
    return flow_of(
        Settings.from_env(
            {},
            store_url=str(tmp_path / "store"),
            window="always",
            allowed_sources=inbox.as_uri(),
            ocr_engine="fake-ocr",
            ner_engine="fake-ner",
            page_group=4,
            spread_pages=8,
        )
    )


@pytest.fixture
def engine(flow: Flow) -> type:
    """The fake engine's class, to be made to misbehave."""
    return type(Engines(flow.settings).ocr)


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NIGHTSHIFT_FAKE_LOG", str(tmp_path / "pages.log"))
    return tmp_path / "pages.log"
