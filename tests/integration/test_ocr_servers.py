"""The engine `remote` and servers that misbehave: whose fault it is, what is said, and who is asked next."""

import json
import socket
import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from pipeline import ocr
from pipeline.doctor import ocr_servers as doctor
from pipeline.errors import OcrUnavailable, PermanentError, Poison, RunError
from pipeline.remote.http import AnswerLost, request
from pipeline.remote.policy import server_policy
from pipeline.served.engine import RemoteEngine, servers_of
from pipeline.served.servers import Servers
from pipeline.served.wire import Line
from pipeline.settings import Settings
from pipeline.steps.engines import Engines
from pipeline.steps.verdict import verdict
from tests.support.certificates import Authority
from tests.support.command import run, statuses
from tests.support.servers import fake_ocr as fake
from tests.support.servers import free_port
from tests.support.servers.fake_ocr import (
    GOOD,
    LINE,
    NOTHING,
    READS,
    FakeOcr,
    fake_ocr,
    lines,
    resets,
    says,
    twice,
)
from tests.support.servers.tls_proxy import tls_proxy

PAGE: NDArray[np.uint8] = np.full((300, 400, 3), 255, np.uint8)
INKED = PAGE.copy()
INKED[100:120, 50:350] = 0
MODEL = "PP-OCRv6_small/paddlex-3.7.2"


@pytest.fixture
def server() -> Iterator[FakeOcr]:
    with fake_ocr() as it:
        yield it


@pytest.fixture
def pair() -> Iterator[tuple[FakeOcr, FakeOcr]]:
    with ExitStack() as stack:
        yield stack.enter_context(fake_ocr()), stack.enter_context(fake_ocr())


def settings(*urls: str, **more: object) -> Settings:
    given: dict[str, object] = {"ocr_server_model": MODEL, "ocr_server_seconds": 5, **more}
    return Settings.from_env({}, ocr_engine="remote", ocr_servers=",".join(urls), **given)


def asking(*urls: str, patience: float = 0.0, **more: object) -> Servers:
    them = settings(*urls, **more)
    return Servers(
        servers_of(them),
        them.ocr_server_seconds,
        patience=patience,
        sleep=lambda seconds: time.sleep(min(seconds, 0.1)),
    )


def texts(found: list[Line]) -> list[str]:
    return [line.text for line in found]


def test_a_page_is_read_and_the_model_is_the_stated_one(server: FakeOcr) -> None:
    engine = ocr.load(settings(server.url, ocr_server_token="geheim"))
    seen = engine.read(PAGE)
    assert [line.text for line in seen.lines] == [LINE]
    assert np.array(seen.lines[0].box).tolist() == fake.BOX
    assert (seen.rotation, seen.width, seen.height, seen.found, seen.unread) == (0, 400, 300, 1, 0)
    assert (engine.info.engine, engine.info.name) == ("remote", MODEL)
    assert engine.info == ocr.describe(settings("http://elsewhere:1"))
    assert engine.info != ocr.describe(settings(server.url, ocr_server_model="PP-OCRv5"))
    assert server.headers[0]["Authorization"] == "Bearer geheim"
    assert (server.bodies[0]["fileType"], server.bodies[0]["textDetLimitSideLen"]) == (1, 960)


TOO_MANY = lines(["x"] * 20_000, [fake.BOX] * 20_000, [0.9] * 20_000)
FAR = [[10, 10], [9000, 10], [9000, 40], [10, 40]]


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (says("<html>Please log in</html>"), "answers with a web page (HTML) instead of JSON"),
        (says("{'half'"), "answers with no valid JSON"),
        (says("[1, 2]"), "answers with JSON of another form"),
        (says({"status": "ok"}), "does not answer with the lines of one page"),
        (says(lines(["a", "b"])), "answers with texts, confidences and boxes that differ in number"),
        (says(lines(scores=[17.0])), "answers with a confidence that is not between 0 and 1"),
        (NOTHING, "does not read a test page"),
        (GOOD, "does not read a test page"),
        (says("", 413), "or a proxy, refuses pages of this size (413)"),
        (says(lines(boxes=[FAR])), "answers with boxes outside of the page"),
        (says(lines(boxes=[fake.BOX[:3]])), "answers with JSON of another form"),
        (says(TOO_MANY), "answers with 20000 lines for one page"),
        (fake.endless, "answers with more than 16 MiB"),
        (says("", 404), "answers with status 404"),
        (says("", 302, Location="https://login.example"), "answers with status 302"),
        (says("", 401), "refuses access: it, or a proxy, answered 401; set NIGHTSHIFT_OCR_SERVER_TOKEN"),
    ],
)  # fmt: skip
def test_a_server_that_is_none_waits_for_a_person_and_costs_no_page(
    server: FakeOcr, reply: fake.Reply, sentence: str
) -> None:
    server.replies, server.probe = [NOTHING if reply is GOOD else reply], reply
    with pytest.raises(RunError) as caught:
        asking(server.url).ask(INKED, 960)
    assert f"The OCR server {server.url}" in caught.value.message
    assert sentence in caught.value.message
    assert verdict(caught.value).action == "wait"


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (says("", 503), "is overloaded"),
        (says("", 408), "answered 408"),
        (resets, "closed the connection|answered 500"),
    ],
)
def test_what_passes_by_itself_is_an_outage_and_costs_no_page(
    server: FakeOcr, reply: fake.Reply, sentence: str
) -> None:
    server.replies = [reply]
    server.probe = says("", 500)  # the whole server is unwell, not only with this page
    with pytest.raises(OcrUnavailable, match=sentence) as caught:
        asking(server.url, ocr_server_seconds=2).ask(PAGE, 960)
    assert verdict(caught.value).action == "wait"


def test_nobody_listens_or_the_name_is_unknown() -> None:
    for url in (f"http://127.0.0.1:{free_port()}", "http://no-such-host.invalid:8080"):
        with pytest.raises(OcrUnavailable):
            asking(url).ask(PAGE, 960)


def test_an_overloaded_server_is_asked_again_when_it_says_so(server: FakeOcr) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    server.replies = [says("", 429, Retry_After="1"), says("", 503, Retry_After=date), GOOD]
    began = time.monotonic()
    assert texts(asking(server.url).ask(PAGE, 960)) == [LINE]
    assert time.monotonic() - began >= 1
    assert server.asked == ["page"] * 3


def test_another_server_takes_over_and_the_failed_one_rests(pair: tuple[FakeOcr, FakeOcr]) -> None:
    ill, well = pair
    ill.replies, ill.probe = [says("<html>")], says("<html>")
    them = asking(ill.url, well.url)
    for _ in range(12):
        assert texts(them.ask(PAGE, 960)) == [LINE]
    assert well.asked == ["page"] * 12
    assert ill.asked.count("page") <= 2, "not asked again within half a second"
    ill.replies, ill.probe = [GOOD], READS
    time.sleep(1.5)
    for _ in range(4):
        them.ask(PAGE, 960)
    assert ill.asked.count("page") >= 2, "it takes its share again"


def test_a_page_that_a_server_refuses_while_it_reads_others_fails_alone(server: FakeOcr) -> None:
    server.replies = [says({"errorCode": 500, "errorMsg": "Internal server error"}, 500)] * 2 + [GOOD]
    them = asking(server.url)
    with pytest.raises(PermanentError, match=r"answered 500. It reads other pages") as caught:
        them.ask(PAGE, 960)
    assert (caught.value.code, verdict(caught.value).action) == ("page_refused", "fail")
    assert server.asked == ["page", "probe"] * 2
    assert texts(them.ask(PAGE, 960)) == [LINE]


def test_a_server_that_reads_no_page_at_all_is_an_outage(server: FakeOcr) -> None:
    server.replies = [says("", 500)]
    server.probe = says("", 500)
    with pytest.raises(OcrUnavailable, match="answered 500"):
        asking(server.url).ask(PAGE, 960)


@pytest.mark.parametrize(
    "reply", [says(lines(["a", "b"])), says(lines(scores=[17.0])), says("{'half'"), fake.endless]
)
def test_an_odd_answer_to_one_page_costs_that_page(server: FakeOcr, reply: fake.Reply) -> None:
    server.replies = [reply]
    with pytest.raises(PermanentError, match=r"answers with .* It reads other pages") as caught:
        asking(server.url).ask(PAGE, 960)
    assert caught.value.code == "page_refused"
    assert server.asked == ["page", "probe"] * 2


def test_a_page_too_large_for_a_proxy_is_not_booked_although_a_test_page_is_read(server: FakeOcr) -> None:
    server.replies = [says("", 413)]
    with pytest.raises(RunError, match="client_max_body_size"):
        asking(server.url).ask(PAGE, 960)


def test_nothing_on_a_page_with_ink_is_believed_of_a_server_that_reads(server: FakeOcr) -> None:
    server.replies = [NOTHING]
    them = asking(server.url)
    assert [them.ask(page, 960) for page in (PAGE, INKED, INKED)] == [[], [], []]
    assert server.asked == ["page", "page", "probe", "page"]


def test_a_server_that_finds_nothing_at_all_leaves_pages_to_another(pair: tuple[FakeOcr, FakeOcr]) -> None:
    blind, well = pair
    blind.replies, blind.probe = [NOTHING], NOTHING
    them = asking(blind.url, well.url, patience=5)
    assert [texts(them.ask(INKED, 960)) for _ in range(4)] == [[LINE]] * 4


@pytest.mark.parametrize("reply", [twice(resets), twice(fake.hangs)], ids=["dies", "hangs"])
def test_a_page_that_ends_its_server_twice_is_poison(server: FakeOcr, reply: fake.Reply) -> None:
    server.replies = [reply]
    them = asking(server.url, patience=5, ocr_server_seconds=1)

    def ask() -> None:
        for _ in range(3):
            with suppress(OcrUnavailable):  # it may have been the network
                them.ask(PAGE, 960)

    with pytest.raises(Poison, match="loss number 2 for this page"):
        ask()
    assert server.asked[-3:] == ["probe", "page", "probe"]
    assert server.asked.count("page") == 2


@pytest.mark.parametrize("reply", [resets, says("", 502), says("", 504)])
def test_a_server_that_is_well_after_it_lost_a_page_did_not_die_with_it(
    server: FakeOcr, reply: fake.Reply
) -> None:
    server.replies = [reply, reply, reply, GOOD]
    assert texts(asking(server.url, patience=5).ask(PAGE, 960)) == [LINE]


def test_a_proxy_whose_servers_come_and_go_costs_no_page(server: FakeOcr) -> None:
    server.replies = [says("", 502)]
    server.probe = says("", 502)
    them = asking(server.url, patience=0.3)
    for _ in range(2):
        with pytest.raises(OcrUnavailable, match="answered 502"):
            them.ask(PAGE, 960)
        time.sleep(0.7)
    server.probe = READS
    server.replies = [says("", 502), GOOD]
    time.sleep(1.0)
    with suppress(OcrUnavailable):
        them.ask(PAGE, 960)
    time.sleep(1.0)
    assert texts(them.ask(PAGE, 960)) == [LINE]


@pytest.mark.parametrize("reply", [resets, says("", 502)])
def test_a_page_that_ends_servers_behind_a_balancer_is_poison_in_the_end(
    server: FakeOcr, reply: fake.Reply
) -> None:
    server.replies = [reply]
    with pytest.raises(Poison, match="loss number 5 for this page"):
        asking(server.url, patience=5, ocr_server_seconds=10).ask(PAGE, 960)
    assert server.asked.count("page") == 5


@pytest.mark.parametrize("reply", [fake.hangs, says("", 503, Retry_After="1")])
def test_slow_and_busy_servers_cost_a_page_no_more_than_its_time(server: FakeOcr, reply: fake.Reply) -> None:
    """The engine stops before the process would be ended, and the page is not suspected."""
    server.replies = [reply]
    engine = RemoteEngine(settings(server.url))
    for seconds in (1.0, 0.5, -1.0):
        began = time.monotonic()
        engine.deadline = lambda until=began + seconds: until  # type: ignore[misc]
        with pytest.raises(OcrUnavailable):
            engine.read(PAGE)
        assert time.monotonic() - began < seconds + 2
    assert "probe" not in server.asked


def test_a_slow_server_is_an_outage_though_another_needs_a_person(pair: tuple[FakeOcr, FakeOcr]) -> None:
    wrong, slow = pair
    wrong.replies, slow.replies = [says("", 404)], [fake.hangs]
    them = asking(wrong.url, slow.url)
    for _ in range(2):
        them.until = time.monotonic() + 0.5
        with pytest.raises(OcrUnavailable):
            them.ask(PAGE, 960)


def test_a_worker_states_until_when_a_page_may_take(server: FakeOcr) -> None:
    server.replies = [fake.hangs]
    engines = Engines(settings(server.url))
    engines.wait_until(time.monotonic() + 0.5)
    with pytest.raises(OcrUnavailable):
        engines.ocr.read(PAGE)


def test_a_dead_server_is_never_booked_on_a_page_however_often(server: FakeOcr) -> None:
    server.replies = [resets]
    server.probe = resets
    them = asking(server.url)
    for _ in range(5):
        with pytest.raises(OcrUnavailable):
            them.ask(PAGE, 960)
        time.sleep(0.3)
    server.replies, server.probe = [GOOD], READS
    time.sleep(3)
    assert texts(asking(server.url).ask(PAGE, 960)) == [LINE]


def test_requests_go_nowhere_else_and_show_no_secret(server: FakeOcr) -> None:
    with pytest.raises(RunError, match=r"169\.254\.169\.254 is not public"):
        asking("http://169.254.169.254").ask(PAGE, 960)
    server.replies = [says("", 401)]
    with pytest.raises(RunError) as caught:
        asking(server.url, ocr_server_token="geheim").ask(PAGE, 960)
    assert "geheim" not in caught.value.message
    assert "geheim" not in repr(settings(server.url, ocr_server_token="geheim"))


def test_tls_is_checked_against_the_own_authority(server: FakeOcr, tmp_path: Path) -> None:
    ours, other = Authority(tmp_path, "ours"), Authority(tmp_path, "other")
    with tls_proxy(ours.server(ours.issue("127.0.0.1")), server.port) as port:
        url = f"https://127.0.0.1:{port}"
        assert texts(asking(url, http_ca=str(ours.ca)).ask(PAGE, 960)) == [LINE]
        with pytest.raises(OcrUnavailable, match="an authority that is not trusted here"):
            asking(url, http_ca=str(other.ca)).ask(PAGE, 960)


def test_run_reads_by_servers(server: FakeOcr, tmp_path: Path) -> None:
    env = {
        "NIGHTSHIFT_OCR_ENGINE": "remote",
        "NIGHTSHIFT_OCR_SERVERS": server.url,
        "NIGHTSHIFT_OCR_SERVER_MODEL": MODEL,
        "NIGHTSHIFT_NER_ENGINE": "fake-ner",
    }
    Image.fromarray(PAGE).save(tmp_path / "page.png")
    code, figures = run(tmp_path / "page.png", "--out", tmp_path / "out", **env)
    assert (code, statuses(figures)) == (0, {"page.png": "done"})
    (result,) = (tmp_path / "out").glob("results/*/*.json")
    found = json.loads(result.read_text())
    assert (found["ocr"]["engine"], found["ocr"]["name"]) == ("remote", MODEL)
    assert found["pages"][0]["text"] == LINE
    assert "gpu_seconds" not in found


def test_doctor_names_each_server_that_is_unwell(pair: tuple[FakeOcr, FakeOcr]) -> None:
    well, ill = pair
    ill.health = says("<html>")
    ill.probe = says("<html>")
    first, second = doctor.check(settings(well.url, ill.url), load=True)
    assert (first.level, second.level) == ("ok", "fault")
    assert "reads a test page" in first.sentence
    assert "does not answer /health with JSON" in second.sentence
    assert "paddlex --serve" in second.cure
    assert list(doctor.check(Settings(), load=True)) == []


def test_an_invalid_header_is_not_shown() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        policy = server_policy(settings(url))
        place = policy.match(f"{url}/ocr")[0]
        with (
            pytest.raises(AnswerLost) as caught,
            request("GET", place, policy, time.monotonic() + 5, headers={"Authorization": "gehe\nim"}),
        ):
            pass
    assert "gehe" not in "".join(traceback.format_exception(caught.value))
