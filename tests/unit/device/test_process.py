"""The device process and its clients: real processes, real sockets, a simulated device."""

from collections.abc import Iterator

import pytest

from pipeline.errors import DeviceUnavailable, PermanentError
from tests.support.devices import GREEN, Place, colour_of, device_place, picture


@pytest.fixture
def place() -> Iterator[Place]:
    with device_place() as it:
        yield it


def test_each_image_gets_its_own_answer(place: Place) -> None:
    place.start()
    images = [picture((n % 256, 2 * n % 256, 7), height=32 + n, width=40 + n % 5) for n in range(300)]
    answers = place.client().ask("detect", images)
    assert [colour_of(answer) for answer in answers] == [(n % 256, 2 * n % 256, 7) for n in range(300)]
    assert [answer[0].shape for answer in answers] == [image.shape[:2] for image in images]


def test_one_bad_image_costs_itself(place: Place) -> None:
    place.start()
    client = place.client()
    with pytest.raises(PermanentError) as caught:
        client.ask("detect", [picture(), picture(GREEN), picture()])
    assert caught.value.code == "internal"
    assert place.counters.failures == 1
    assert len(client.ask("detect", [picture()] * 3)) == 3


def test_a_process_that_ends_on_purpose_is_an_outage(place: Place) -> None:
    process = place.start()
    client = place.client(patience=0.2)
    client.ask("detect", [picture()])
    process.terminate()
    assert process.wait() == 0
    with pytest.raises(DeviceUnavailable):
        client.ask("detect", [picture()])
