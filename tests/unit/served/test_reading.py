"""What is made of a server's answers, without a server."""

import base64

import cv2
import msgspec
import numpy as np
import pytest

from pipeline.errors import UsageError
from pipeline.ocr.cuts import Image
from pipeline.served.engine import RemoteEngine, servers_of
from pipeline.served.strips import MARGIN, TALLEST, read_lines
from pipeline.served.wire import Line, lines_of, request_of
from pipeline.settings import Settings


def line(left: float, top: float, right: float, bottom: float, text: str, confidence: float = 0.9) -> Line:
    quad = np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32)
    return Line(quad, text, confidence)


def test_a_page_is_sent_without_loss() -> None:
    page = np.random.default_rng(1).integers(0, 256, (40, 60, 3), np.uint8)
    sent = msgspec.json.decode(request_of(page, 960))
    image = cv2.imdecode(np.frombuffer(base64.b64decode(sent["file"]), np.uint8), cv2.IMREAD_COLOR)
    assert (image == page).all()


def test_text_has_no_control_characters_and_boxes_stay_on_the_page() -> None:
    pruned = {
        "rec_texts": ["a\nb\u0000"],
        "rec_scores": [0.5],
        "rec_polys": [[[-3, 0], [9, 0], [9, 5], [-3, 5]]],
    }
    body = msgspec.json.encode({"result": {"ocrResults": [{"prunedResult": pruned}]}})
    (found,) = lines_of(body, 5, 6)
    assert found.text == "a b "
    assert found.quad.tolist() == [[0, 0], [6, 0], [6, 5], [0, 5]]


def test_a_confidence_that_rounding_raised_above_one_is_one() -> None:
    box = [[0, 0], [5, 0], [5, 5], [0, 5]]
    pruned = {"rec_texts": ["a"], "rec_scores": [1.0005], "rec_polys": [box]}
    body = msgspec.json.encode({"result": {"ocrResults": [{"prunedResult": pruned}]}})
    assert lines_of(body, 5, 6)[0].confidence == 1.0


def test_lines_are_stacked_and_what_is_read_goes_back_to_each() -> None:
    crops: list[Image] = [np.full((40, 100 + 10 * n, 3), n, np.uint8) for n in range(40)]
    pages: list[tuple[int, ...]] = []

    def ask(page: Image, _side: int) -> list[Line]:
        pages.append(page.shape)
        found = []
        for top in range(MARGIN, page.shape[0], 40 + MARGIN):
            value = int(page[top, MARGIN, 0])
            if value == 7:
                continue  # not found
            if value == 8:  # found in two pieces, the right one first
                found.append(line(90, top, 120, top + 40, "right", 0.5))
            found.append(line(MARGIN, top, 80, top + 40, f"line {value}", 1.0))
        return found

    texts = read_lines(crops, ask)
    assert [text for text, _ in texts] == [
        "" if n == 7 else "line 8 right" if n == 8 else f"line {n}" for n in range(40)
    ]
    assert texts[7] == ("", 0.0)
    assert texts[8][1] == pytest.approx((6 * 1.0 + 5 * 0.5) / 11)
    assert len(pages) == 2
    assert all(height <= TALLEST for height, *_ in pages)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"ocr_servers": "ftp://gpu1"}, "NIGHTSHIFT_OCR_SERVERS"),
        ({"ocr_server_token": "geheim\nX-Other: 1"}, "NIGHTSHIFT_OCR_SERVER_TOKEN"),
        ({"ocr_server_token": "geheim\u7684"}, "NIGHTSHIFT_OCR_SERVER_TOKEN"),
        ({"ocr_servers": "http://gpu1", "time_limit": "200"}, "a fifth of NIGHTSHIFT_TIME_LIMIT=200"),
        ({"ocr_servers": "http://user:geheim@gpu1"}, "without user, password and query"),
        ({"ocr_servers": "http://gpu1", "require_tls": "true"}, "https:// only"),
        ({"ocr_server_seconds": "0"}, "NIGHTSHIFT_OCR_SERVER_SECONDS"),
        ({}, "Set NIGHTSHIFT_OCR_SERVERS"),
        ({"ocr_servers": "http://gpu1"}, "Set NIGHTSHIFT_OCR_SERVER_MODEL"),
        (
            {"ocr_servers": "http://gpu1", "ocr_server_seconds": "61"},
            "at most a fifth of NIGHTSHIFT_TIME_LIMIT=300",
        ),
    ],
)
def test_settings_that_do_not_fit_are_named(given: dict[str, str], sentence: str) -> None:
    def use() -> None:
        settings = Settings.from_env({}, ocr_engine="remote", **given)
        servers_of(settings)
        RemoteEngine.describe(settings)

    with pytest.raises(UsageError) as caught:
        use()
    assert sentence in caught.value.message
    assert "geheim" not in caught.value.message


def test_settings_name_answers_that_take_too_long_and_only_with_servers() -> None:
    with pytest.raises(UsageError, match="OCR_SERVER_SECONDS"):
        Settings.from_env({}, ocr_engine="remote", ocr_server_seconds="61")
    Settings.from_env({}, ocr_server_seconds="61", time_limit="100")


def test_a_line_end_after_a_token_is_not_sent() -> None:
    settings = Settings.from_env({}, ocr_servers="http://gpu1", ocr_server_token="geheim\r\n")
    (server,) = servers_of(settings)
    assert server._headers["Authorization"] == "Bearer geheim"
