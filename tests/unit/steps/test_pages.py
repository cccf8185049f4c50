"""One page from its text layer and what OCR reads of the rest."""

from __future__ import annotations

import time
from contextlib import nullcontext
from itertools import count
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.documents.base import Document, PageInput, Suspect
from pipeline.models import Code, Page, Rotation, TextLine, from_json
from pipeline.ocr.base import PageReading
from pipeline.steps.engines import Engines
from pipeline.steps.pages import FALSE_LAYER, read_page
from tests.support.barcodes import barcode, sheet


def line(text: str, x: float, y: float, confidence: float = 1.0) -> TextLine:
    right = x + 10 * len(text)
    return TextLine(text=text, box=((x, y), (right, y), (right, y + 20), (x, y + 20)), confidence=confidence)


class Paper(Document):
    media_type = "application/pdf"
    page_count = 1

    def __init__(self, given: PageInput) -> None:
        self.given = given

    def page(self, number: int) -> PageInput:
        return self.given

    def render(self, number: int) -> NDArray[np.uint8]:
        return np.zeros((self.given.height, self.given.width, 3), np.uint8)

    def close(self) -> None:
        pass


class Reader:
    """OCR that finds the same on every picture."""

    def __init__(self, *lines: TextLine, rotation: Rotation = 0) -> None:
        self.lines, self.rotation, self.calls = lines, rotation, 0

    def read(self, image: NDArray[np.uint8]) -> PageReading:
        self.calls += 1
        height, width = image.shape[:2]
        if self.rotation in (90, 270):
            height, width = width, height
        return PageReading(
            rotation=self.rotation, width=width, height=height, lines=self.lines, found=len(self.lines)
        )


_numbers = count()


def engines(reader: Reader) -> Engines:
    digest = f"reader {next(_numbers)}"
    made = SimpleNamespace(
        clock=time.perf_counter,
        gpu_clock=lambda: 0.0,
        ocr=reader,
        ocr_info=SimpleNamespace(digest=digest),
        computing=lambda _: nullcontext(),
    )
    return cast(Engines, made)


def given(**values: Any) -> PageInput:
    image = np.random.default_rng(0).integers(0, 255, (400, 300, 3), np.uint8)
    return PageInput(**{"number": 1, "width": 300, "height": 400, "image": image, **values})


def test_a_region_is_read_and_takes_its_place_between_the_lines() -> None:
    layer = (line("first", 20, 20), line("last", 20, 300))
    reader = Reader(line("seen", 5, 5, 0.9))
    page = read_page(Paper(given(lines=layer, regions=((10, 100, 200, 200),))), 1, engines(reader))
    assert page.text == "first\nseen\nlast"
    assert (page.text_from, page.regions_found) == ("mixed", 1)
    assert page.lines[1].box[0] == (15, 105)


def test_a_region_that_repeats_the_layer_adds_nothing() -> None:
    reader = Reader(line("flrst", 20, 20, 0.9))
    page = read_page(
        Paper(given(lines=(line("first", 20, 20),), regions=((0, 0, 300, 400),))), 1, engines(reader)
    )
    assert (page.text, page.text_from) == ("first", "text_layer")


def test_the_same_picture_is_read_once() -> None:
    reader = Reader(line("logo", 5, 5, 0.9))
    paper, made = Paper(given(lines=(line("text", 20, 20),), regions=((10, 100, 200, 200),))), engines(reader)
    assert read_page(paper, 1, made).text == read_page(paper, 1, made).text == "text\nlogo"
    assert reader.calls == 1


def test_a_stamp_on_a_scan_turned_to_its_side_is_turned_with_it() -> None:
    reader = Reader(line("a long line of the scan", 20, 100, 0.9), rotation=90)
    page = read_page(
        Paper(given(lines=(line("p. 3", 20, 20),), regions=((0, 0, 300, 400),))), 1, engines(reader)
    )
    facts = {name: getattr(page, name) for name in ("rotation", "width", "height")}
    assert facts == {"rotation": 90, "width": 400, "height": 300}
    boxes = {seen.text: seen.box for seen in page.lines}
    assert boxes["a long line of the scan"][0] == (20.0, 100.0)
    assert boxes["p. 3"][0] == (380.0, 20.0)


@pytest.mark.parametrize(
    ("said", "shown", "false"),
    [
        ("Lxzfye aljlmwp: 7,583.33 JHS", "Amount payable: 4,250.00 USD", True),
        ("Amount payable: 4,250.00 USD", "Arnount payab1e: 4,250.00 USD", False),
        ("Total 7,583.33", "Total 4,250.00", True),
        ("Total 4,250.00", "Total 4,250.0O", False),
        ("价税合计贰佰", "购买方名称示", True),
        ("Total 4,250.00", "", False),
        (
            "\u0410\u041c\u041e\u0424\u041d\u0423 \u0413\u0424\u0414",
            "Amount due",
            True,
        ),  # Cyrillic that is none
        (
            "\u0421\u0443\u043c\u043c\u0430 \u043a \u043e\u043f\u043b\u0430\u0442\u0435",
            "CyMMa K onnaTe",
            False,
        ),
        (
            "\u0421\u0447\u0451\u0442 \u043e\u0442 \u0443\u0442\u0440\u0430",
            "C4eT",
            False,
        ),  # few letters known
        ("$&(.'- +., )$ )('$", "Amount due by bank", True),
        ("---- //// ==== ....", "", False),
    ],
)
def test_a_false_layer_is_replaced_by_what_is_seen(said: str, shown: str, false: bool) -> None:
    suspect = Suspect(text=said, box=(20, 20, 280, 40), font="F1")
    reader = Reader(*([line(shown, 20, 20, 0.95)] if shown else []))
    page = read_page(Paper(given(lines=(line(said, 20, 20),), suspects=(suspect,))), 1, engines(reader))
    assert page.text == (shown if false else said)
    assert page.warnings == ((FALSE_LAYER,) if false else ())
    assert page.text_from == ("ocr" if false else "text_layer")


def test_a_code_on_a_scan_has_its_place_on_the_upright_page() -> None:
    upright = sheet((barcode("paid"), 500, 40), size=(800, 600))
    image = np.ascontiguousarray(np.rot90(upright))  # on its side: OCR turns it by 90 degrees
    page = read_page(
        Paper(given(width=600, height=800, image=image)), 1, engines(Reader(line("x", 1, 1), rotation=90))
    )
    (code,) = page.codes
    assert (page.rotation, page.width, page.height) == (90, 800, 600)
    assert code.box is not None
    assert code.box[0] == pytest.approx((512, 52), abs=10)


def test_codes_of_pictures_and_attachments_are_joined() -> None:
    layer = (line("first", 20, 200),)
    image = sheet((barcode("seen"), 10, 10), size=(300, 400))
    xml = Code(kind="xml", text="<a/>")
    page = read_page(
        Paper(given(image=image, lines=layer, regions=((0, 0, 150, 150),), codes=(xml,))),
        1,
        engines(Reader()),
    )
    assert [code.text for code in page.codes] == ["<a/>", "seen"]


@pytest.mark.parametrize("tiled", [True, False])
def test_a_digital_page_is_drawn_only_where_a_code_may_be(tiled: bool) -> None:
    class Drawn(Paper):
        drawn = 0

        def render(self, number: int) -> NDArray[np.uint8]:
            self.drawn += 1
            return sheet((barcode("seen"), 10, 10), size=(300, 400))

    paper = Drawn(given(image=None, lines=(line("first", 20, 200),), tiled=tiled))
    page = read_page(paper, 1, engines(Reader()))
    assert paper.drawn == tiled
    assert [code.text for code in page.codes] == ["seen"] * tiled


def test_a_layer_that_was_replaced_keeps_the_attachment() -> None:
    suspect = Suspect(text="Lxzfye aljlmwp", box=(20, 20, 280, 40), font="F1")
    paper = Paper(
        given(lines=(line("Lxzfye", 20, 20),), suspects=(suspect,), codes=(Code(kind="xml", text="<a/>"),))
    )
    page = read_page(paper, 1, engines(Reader(line("Amount payable", 20, 20, 0.95))))
    assert page.warnings == (FALSE_LAYER,)
    assert [code.text for code in page.codes] == ["<a/>"]


def test_pages_stored_before_there_were_codes_still_decode() -> None:
    stored = b'{"number":1,"width":10,"height":20,"text":"a"}'
    assert from_json(stored, Page).codes == ()
