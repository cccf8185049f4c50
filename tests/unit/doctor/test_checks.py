"""Each fault that `nightshift doctor` knows without a server, with its sentence and its cure."""

import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline import clock, scratch
from pipeline.device.claim import Claim
from pipeline.doctor import (
    agreement,
    beat,
    certificates,
    device,
    disk,
    machine,
    models,
    pages,
    run,
    store,
    window,
)
from pipeline.doctor.finding import Check, Finding, ok
from pipeline.encryption.keyring import new_line
from pipeline.errors import StoreUnavailable, UsageError
from pipeline.ledger import actions
from pipeline.models import to_json
from pipeline.night.checks import Checked
from pipeline.night.night import Night
from pipeline.settings import Settings
from pipeline.storage import EncryptedStore, keys, open_store
from tests.support.flows import raiser

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def now() -> Iterator[Any]:
    """The clock of this process, which a test may set."""
    it = SimpleNamespace(value=NOW)
    clock.take_from(lambda: it.value)
    yield it
    clock.take_from(None)


def night_of(folder: Path, **settings: Any) -> Night:
    return Night.of(Settings.from_env({}, store_url=str(folder / "store"), **settings))


def of(found: Iterator[Finding], name: str = "") -> dict[str, Finding]:
    return {one.check: one for one in found if one.check.startswith(name)}


# how checks are run


def test_checks_run_side_by_side_and_one_that_hangs_or_breaks_costs_no_other() -> None:
    hold = threading.Event()

    def hangs() -> Iterator[Finding]:
        yield ok("slow first", "This is found.")
        hold.wait(30)

    def breaks() -> Iterator[Finding]:
        yield from ()
        raise ZeroDivisionError

    def fails() -> Iterator[Finding]:
        yield from ()
        raise StoreUnavailable("The store s3://a does not answer: start it.")

    found, hanging = run.run(
        [
            Check(name="slow", make=hangs, seconds=0.2),
            Check(name="broken", make=breaks),
            Check(name="failed", make=fails),
            Check(name="after", make=lambda: iter([ok("after", "Never.")]), needs="failed"),
            Check(name="well", make=lambda: iter([ok("well", "Fine.")])),
        ]
    )
    hold.set()
    assert hanging
    assert [(one.check, one.level, one.sentence) for one in found] == [
        ("slow first", "ok", "This is found."),
        ("slow", "fault", "No answer within 0 s."),
        ("broken", "fault", "This check failed unexpectedly (ZeroDivisionError)."),
        ("failed", "fault", "The store s3://a does not answer."),
        ("after", "warning", "Not checked, as failed has a fault."),
        ("well", "ok", "Fine."),
    ]
    assert found[3].cure == "start it."


def test_what_needs_a_check_that_hangs_is_not_made() -> None:
    hold = threading.Event()
    found, _ = run.run(
        [
            Check(name="store", make=lambda: iter([ok("x", "y")] if hold.wait(30) else []), seconds=0.1),
            Check(name="after", make=lambda: iter([ok("after", "Never.")]), needs="store", seconds=5),
        ]
    )
    hold.set()
    assert [(one.check, one.level) for one in found] == [("store", "fault"), ("after", "warning")]


# the store


def test_a_store_that_is_well(tmp_path: Path) -> None:
    night = night_of(tmp_path, encryption_keys=new_line("k1"))
    night.store.put(keys.control("there"), b"x")
    assert isinstance(night.store, EncryptedStore)
    found = list(store.check(night.store))
    assert {one.level for one in found} == {"ok"}
    assert [one.check for one in found] == [
        "store",
        *(
            f"store {what}"
            for what in ("write", "read", "list", "delete", "conditions", "clock", "versions", "keys")
        ),
    ]
    assert not list(night.store.list("doctor")), "nothing is left"


def test_no_store(tmp_path: Path) -> None:
    night = night_of(tmp_path)
    assert isinstance(night.store, EncryptedStore)
    (found,) = store.check(night.store)
    assert (found.level, "NIGHTSHIFT_STORE_URL" in found.cure) == ("fault", True)


def test_a_store_whose_keys_are_missing_or_whose_clock_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings.from_env({}, encryption_keys=new_line("old"))
    open_store(str(tmp_path / "store"), settings).put(keys.pending("t"), b"{}")
    night = night_of(tmp_path, encryption_keys=new_line("new"))
    assert isinstance(night.store, EncryptedStore)
    behind = datetime.now(UTC) - timedelta(minutes=20)
    monkeypatch.setattr(store, "server_time", lambda *_: behind)
    found = of(store.check(night.store))
    assert found["store keys"].level == "fault"
    assert 'pending/t.json is encrypted with the key "old"' in found["store keys"].sentence
    assert found["store clock"].level == "fault"
    assert "1200 s ahead of the store's" in found["store clock"].sentence


def test_a_slow_store_and_one_that_does_not_show_what_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    night = night_of(tmp_path)
    night.store.put(keys.control("there"), b"x")
    assert isinstance(night.store, EncryptedStore)
    monkeypatch.setattr(store, "_SLOW", 0.0)
    monkeypatch.setattr(night.store.inner, "list", lambda _: iter(()))
    found = of(store.check(night.store))
    assert found["store write"].level == "warning"
    assert found["store list"].level == "fault"


# the machine


@pytest.mark.parametrize(("free", "level"), [(10 << 20, "fault"), (3 << 30, "warning"), (400 << 30, "ok")])
def test_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, level: str) -> None:
    usage = SimpleNamespace(free=free, total=1000 << 30)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    night = night_of(tmp_path)
    assert isinstance(night.store, EncryptedStore)
    found = list(disk.check(night.settings, night.store.inner))[:2]
    assert [(one.check, one.level) for one in found] == [("disk store", level), ("disk temporary", level)]


def test_the_model_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    night = night_of(tmp_path)
    assert isinstance(night.store, EncryptedStore)
    store = night.store.inner

    def found(cache: Path) -> tuple[str, str]:
        monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
        *_, last = disk.check(night.settings, store)
        return last.level, last.sentence

    models = tmp_path / "cache" / "nightshift" / "models"
    assert found(tmp_path / "cache") == ("ok", f"{models} can be written.")
    (tmp_path / "file").write_text("")
    level, said = found(tmp_path / "file")
    assert level == "warning"
    assert "can't be written" in said
    monkeypatch.setattr("os.access", lambda *_: False)  # root may write everywhere
    assert found(tmp_path / "cache")[0] == "warning"
    (models / "one").mkdir(parents=True)
    assert found(tmp_path / "cache") == ("ok", f"{models} has models, and can't be written.")


def test_models(tmp_path: Path) -> None:
    settings = Settings.from_env({}, ocr_engine="fake-ocr", ner_engine="fake-ner")
    assert {one.level for one in models.check(settings, load=True)} == {"ok"}
    gone = Settings.from_env({}, ocr_engine="paddleocr", ocr_model_dir=str(tmp_path), ner_engine="fake-ner")
    found = of(models.check(gone, load=False))
    assert (found["model ocr"].level, found["model ner"].level) == ("fault", "ok")


def test_who_holds_a_device(tmp_path: Path) -> None:
    settings = Settings.from_env({}, devices="gpu:0", temp_dir=str(tmp_path))
    claim = Claim(scratch.root(str(tmp_path)), "gpu:0")
    claim.take()
    held = next(device.check(settings))
    claim.drop()
    free = next(device.check(settings))
    assert [f"gpu:0 is held by process {os.getpid()}." in held.sentence, "is free" in free.sentence] == [
        True
    ] * 2
    (shared,) = device.check(Settings.from_env({}, devices="cpu", temp_dir=str(tmp_path)))
    assert "on the CPU" in shared.sentence


def test_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = device.check(Settings.from_env({}))
    assert found.level == "ok"
    gpu = Settings.from_env({}, ocr_device="gpu:1")
    import pynvml

    monkeypatch.setattr(pynvml, "nvmlInit", raiser(pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)))
    (found,) = device.check(gpu)
    assert (found.level, "gpu:1" in found.sentence) == ("fault", True)
    memory = SimpleNamespace(free=1 << 30, total=80 << 30)
    for name, value in {
        "nvmlInit": None,
        "nvmlShutdown": None,
        "nvmlDeviceGetCount": 1,
        "nvmlDeviceGetHandleByIndex": 0,
        "nvmlDeviceGetMemoryInfo": memory,
        "nvmlDeviceGetName": "A card",
    }.items():
        monkeypatch.setattr(pynvml, name, lambda *_, value=value: value)
    (found,) = device.check(gpu)
    assert found.sentence == "There is no GPU 1: the driver has 1."
    (found,) = device.check(Settings.from_env({}, ocr_device="gpu"))
    assert (found.level, found.sentence) == ("warning", "A card: 1.0 of 80.0 GiB free.")


def test_the_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = machine.sandbox(Settings.from_env({}, sandbox="off"))
    assert found.level == "warning"
    monkeypatch.setattr(machine, "missing", lambda _: ("landlock",))
    levels = {
        mode: next(machine.sandbox(Settings.from_env({}, sandbox=mode))).level for mode in ("auto", "require")
    }
    assert levels == {"auto": "warning", "require": "fault"}
    monkeypatch.setattr(machine, "missing", lambda _: ())
    assert next(machine.sandbox(Settings.from_env({}))).level == "ok"


def test_fonts(tmp_path: Path) -> None:
    def level() -> tuple[str, str]:
        (found,) = machine.fonts((str(tmp_path),))
        return found.level, found.sentence[:9]

    assert level() == ("warning", "There are")
    (tmp_path / "DejaVuSans.ttf").touch()
    assert level() == ("warning", "There is ")
    (tmp_path / "NotoSansCJK-Regular.ttc").touch()
    assert level() == ("ok", "2 fonts, ")


# the night


def test_the_window(tmp_path: Path, now: Any) -> None:
    def found(**settings: Any) -> dict[str, Finding]:
        night = night_of(tmp_path, **settings)
        return of(window.check(night.settings, night.schedule))

    shown = found(timezone="Europe/Berlin")
    assert shown["window"].sentence == "The window is closed until 22:00 CET (22:00-06:00)."
    assert (shown["window"].level, shown["clocks"].level) == ("ok", "ok")
    assert found(window="never")["window"].level == "fault"
    now.value = datetime(2026, 10, 24, 21, 0, tzinfo=UTC)  # the night in which clocks go back
    clocks = found(timezone="Europe/Berlin")["clocks"]
    assert (clocks.level, "1 h longer" in clocks.sentence) == ("warning", True)
    zone = found(timezone="Asia/Kathmandu")["time zone"]
    assert (zone.level, "NIGHTSHIFT_TIMEZONE" in zone.cure) == ("warning", True)


def test_beat(tmp_path: Path, now: Any) -> None:
    night = night_of(tmp_path)
    assert next(beat.check(night)).level == "warning"
    night.store.put(keys.control("callbacks"), to_json(Checked(NOW)))
    for minutes, level in ((30, "ok"), (70, "fault")):
        now.value = NOW + timedelta(minutes=minutes)
        (found,) = beat.check(night)
        assert (found.level, f"{minutes} min ago" in found.sentence) == (level, True)


def test_settings_that_disagree_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    night = night_of(tmp_path)
    assert next(agreement.check(night)).sentence == "No worker and no beat has started with this store."
    same = Settings.from_env({}, store_url=night.settings.store_url, temp_dir="/elsewhere")
    actions.record_settings(night.store, "worker", same)
    (found,) = agreement.check(night)
    assert (found.level, found.sentence) == ("ok", "One process has the settings that this command has.")
    monkeypatch.setattr(actions, "_user", lambda: "ann@gpu1")
    other = Settings.from_env({}, render_dpi=300, max_retries=2, callback_secret="x" * 40)
    actions.record_settings(night.store, "worker", other)
    listed = [(one.level, one.sentence) for one in agreement.check(night)]
    assert [level for level, _ in listed] == ["warning", "warning", "fault"]
    assert 'NIGHTSHIFT_CALLBACK_SECRET="(set)", this command has "".' in listed[0][1]
    assert "The worker of ann@gpu1 started" in listed[2][1]
    assert 'NIGHTSHIFT_RENDER_DPI="300", this command has "200".' in listed[2][1]


# servers


def test_how_long_a_certificate_is_valid(now: Any) -> None:
    for until, level in (("Nov 23 12:00:00 2026 GMT", "fault"), ("Dec  2 12:00:00 2026 GMT", "warning")):
        assert certificates._valid("c", "a.example:5671", until).level == level
    found = certificates._valid("c", "a.example:5671", "Nov 22 12:00:00 2027 GMT")
    assert found.sentence == "The certificate of a.example:5671 is valid for 365 days."
    (none,) = certificates.check(Settings.from_env({}))
    assert none.level == "ok"


def test_the_clock_of_a_page(now: Any) -> None:
    assert list(pages._clock("http://a.example", "Sun, 22 Nov 2026 12:00:10 GMT")) == []
    assert list(pages._clock("http://a.example", "soon")) == []
    (found,) = pages._clock("http://a.example", "Sun, 22 Nov 2026 12:10:00 GMT")
    assert found.sentence == "This machine's clock is 600 s behind that of http://a.example."


def test_pages_that_must_answer_are_plain_urls() -> None:
    for url in ("ftp://a.example", "http://user:secret@a.example/"):
        with pytest.raises(UsageError, match="expected http://"):
            pages.require_http([url])
