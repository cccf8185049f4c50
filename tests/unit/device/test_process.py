"""The device process and its clients: real processes, real sockets, a simulated device."""

from __future__ import annotations

import gc
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from pipeline.device import client as clients
from pipeline.device.launch import EXIT_LOAD, environment, reason_file, start
from pipeline.errors import OverLimit, PermanentError
from pipeline.ocr.cuts import Image
from pipeline.settings import Settings
from tests.support.devices import GREEN, MAGENTA, Place, colour_of, descriptors, device_place, picture, until


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    """A device with room for 32,768 pixels: eight images of 64 x 64."""
    with device_place() as it:
        it.start("pixels=32768 batch=0.002 most=16")
        yield it


def test_each_image_gets_its_own_answer(place: Place) -> None:
    images = [picture((n % 256, 2 * n % 256, 7), height=32 + n % 64, width=40 + n % 5) for n in range(300)]
    answers = place.client().ask("detect", images)
    assert [colour_of(answer) for answer in answers] == [(n % 256, 2 * n % 256, 7) for n in range(300)]
    assert [answer[0].shape for answer in answers] == [image.shape[:2] for image in images]


def test_each_kind_is_answered(place: Place) -> None:
    client = place.client()
    ((classes, confidences),) = client.ask("recognize", [picture((5, 6, 7), 48, 320)])
    assert classes.dtype == np.int32
    assert classes.tolist() == [5, 6, 7] + [0] * 37
    assert confidences.dtype == np.float32
    assert confidences.shape == (40,)
    ((upright,),) = client.ask("direction", [picture()])
    assert upright.tolist() == [1.0, 0.0]
    assert client.ask("detect", []) == []


def test_a_request_larger_than_what_is_sent_at_once(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "PART", 100_000)
    images = [picture((n, 0, 0)) for n in range(30)]
    assert [colour_of(answer)[0] for answer in place.client().ask("detect", images)] == list(range(30))


def test_many_threads_share_batches(place: Place) -> None:
    client, before = place.client(lines=16), place.counters

    def ask(thread: int) -> list[tuple[int, ...]]:
        return [colour_of(client.ask("detect", [picture((thread, n, 1), 32, 32)])[0]) for n in range(20)]

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, range(16)))
    assert answers == [[(thread, n, 1) for n in range(20)] for thread in range(16)]
    after = place.counters
    assert after.images - before.images == 320
    assert after.batches - before.batches < 160


def test_many_processes_share_batches(place: Place) -> None:
    code = (
        "import sys; from pathlib import Path; from pipeline.device.client import Client;"
        "from tests.support.devices import colour_of, picture; number = int(sys.argv[2]);"
        "client = Client([Path(sys.argv[1])]);"
        "asked = [colour_of(client.ask('detect', [picture((number, n, 1))])[0]) for n in range(50)];"
        "assert asked == [(number, n, 1) for n in range(50)]; client.close()"
    )
    before = place.counters.images
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(place.address), str(number)]) for number in range(4)
    ]
    assert [process.wait(60) for process in started] == [0] * 4
    assert place.counters.images - before == 200


def test_one_bad_image_costs_itself(place: Place) -> None:
    client, before = place.client(), place.counters
    with ThreadPoolExecutor(9) as pool:
        good = [pool.submit(client.ask, "detect", [picture((n, 1, 1), 32, 32)]) for n in range(8)]
        with pytest.raises(PermanentError) as caught:
            client.ask("detect", [picture(GREEN, 32, 32)])
        assert [colour_of(one.result()[0])[0] for one in good] == list(range(8))
    assert caught.value.code == "internal"
    assert "RuntimeError" in caught.value.message
    assert place.counters.failures - before.failures == 1


def test_too_little_memory_makes_batches_smaller(place: Place) -> None:
    client = place.client()
    images = [picture((n, 0, 0), 64, 64) for n in range(16)]
    assert [colour_of(answer)[0] for answer in client.ask("detect", images)] == list(range(16))
    before = place.counters
    assert len(client.ask("detect", images)) == 16
    assert place.counters.batches - before.batches == 2, "the size that fits is kept"
    assert place.counters.slots - before.slots == 16


@pytest.mark.parametrize("image", [picture((1, 1, 1), 256, 256), picture(MAGENTA, 32, 32)])
def test_an_image_that_needs_too_much_memory_alone_fails(place: Place, image: Image) -> None:
    client = place.client()
    with pytest.raises(PermanentError) as caught:
        client.ask("detect", [picture((2, 2, 2), 32, 32), image])
    assert caught.value.code == "out_of_memory"
    assert colour_of(client.ask("detect", [picture((3, 3, 3), 32, 32)])[0]) == (3, 3, 3)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((32, 32), np.uint8),
        np.zeros((32, 32, 4), np.uint8),
        np.zeros((0, 32, 3), np.uint8),
        picture() / 2,
    ],
)
def test_what_is_no_image_is_refused_here(place: Place, image: Image) -> None:
    with pytest.raises(ValueError, match="expected BGR"):
        place.client().ask("detect", [image])


def test_an_image_that_is_too_large_is_refused_here(place: Place) -> None:
    large = np.broadcast_to(np.zeros(3, np.uint8), (20_000, 20_000, 3))
    with pytest.raises(OverLimit):
        place.client().ask("detect", [large])


def test_batches_are_not_smaller_because_one_image_is_too_large(place: Place) -> None:
    client = place.client()
    good = [picture((n, 4, 4), 96, 32) for n in range(10)]
    with pytest.raises(PermanentError):
        client.ask("detect", [*good, picture(MAGENTA, 96, 32)])
    before = place.counters
    assert len(client.ask("detect", good)) == 10
    assert place.counters.batches - before.batches == 1


def test_connections_and_memory_are_released(place: Place) -> None:
    pid = place.counters.pid
    there, here = descriptors(pid), descriptors()
    for _ in range(20):
        client = place.client()
        client.ask("detect", [picture()])
        client.close()
    until(lambda: descriptors(pid) <= there)
    gc.collect()
    assert descriptors() <= here


def test_the_process_has_no_secrets(monkeypatch: pytest.MonkeyPatch, place: Place) -> None:
    monkeypatch.setenv("NIGHTSHIFT_BROKER_URL", "amqp://user:secret@broker.example.org")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert "secret" not in str(environment())
    assert environment()["CUDA_VISIBLE_DEVICES"] == "1"
    entries = Path(f"/proc/{place.counters.pid}/environ").read_text(encoding="utf-8").split("\0")
    names = {entry.partition("=")[0] for entry in entries}
    assert {name for name in names if name.startswith("NIGHTSHIFT_")} <= {"NIGHTSHIFT_FAKE_DEVICE"}


def test_an_engine_that_cannot_be_loaded_is_said_once(capfd: pytest.CaptureFixture[str]) -> None:
    with device_place() as place:
        process = start(place.address, Settings(ocr_engine="fake-ocr"), "cpu")
        assert process.wait(60) == EXIT_LOAD
        assert "The OCR engine 'fake-ocr' can't share its models" in reason_file(place.address).read_text()
        assert not capfd.readouterr().err, "who started it says so"
        assert not place.address.exists()


def test_the_process_ends_with_its_parent() -> None:
    code = (
        "import os, sys; from pathlib import Path; from tests.support.devices import Place, picture;"
        "place = Place(Path(sys.argv[1])); process = place.start('batch=60');"
        "print(process.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    with device_place() as place:
        done = subprocess.run(
            [sys.executable, "-c", code, str(place.address.parent)],
            capture_output=True,
            text=True,
            check=False,
        )
        pid = int(done.stdout)
        until(lambda: not Path(f"/proc/{pid}").exists())


def test_each_thread_knows_what_the_device_computed_for_it() -> None:
    with device_place() as slow:
        slow.start("batch=0.1 image=0.02 most=4")
        client = slow.client(lines=16)

        def ask(thread: int) -> float:
            waited, computed, began = client.waited, client.computed, time.monotonic()
            client.ask("detect", [picture((thread, 0, 0), 32, 32)])
            elapsed = time.monotonic() - began
            assert client.waited - waited < elapsed
            assert client.computed - computed == pytest.approx(elapsed - (client.waited - waited), abs=0.05)
            return elapsed - (client.waited - waited)

        with ThreadPoolExecutor(8) as pool:
            seconds = list(pool.map(ask, range(16)))
        until(lambda: slow.counters.since == 0.0)
        assert sum(seconds) == pytest.approx(slow.counters.busy, abs=0.1), (
            "nothing twice, and nothing for waiting"
        )
