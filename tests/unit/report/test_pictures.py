"""Pictures of pages show only what may be seen, and are small."""

import base64
import io

import numpy as np
import pytest
from msgspec import structs
from PIL import Image

from pipeline.ledger import pending
from pipeline.limits import Limits
from pipeline.models import Code
from pipeline.report import pictures as module
from pipeline.report.pictures import CROP_BYTES, MASKED_SIDE, THUMB_BYTES, THUMB_SIDE, Pictures
from pipeline.storage import Store
from pipeline.tables.masking.documents import masked_result
from tests.support.reports import HEIGHT, WIDTH, box, paper, result

BLACK = 0


def decoded(picture: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(picture))).convert("L")


def dark(picture: str) -> int:
    """Pixels that are ink."""
    return int((np.asarray(decoded(picture)) < 60).sum())


def made(store: Store, mask: str) -> Pictures:
    return Pictures(store, Limits(), mask)


def crop(store: Store, data: bytes, mask: str, **more: object) -> str:
    it = structs.replace(result("a", pending.store_document(store, data)), **more)
    return made(store, mask).crop(it, masked_result(it, mask), 1, (box(100),))


def test_of_a_part_only_what_was_read_and_is_not_masked_is_seen(store: Store) -> None:
    # the total at 100; touching it a phone number that was read, and writing that nobody has read
    together = ((100, BLACK), (142, BLACK), (60, BLACK))
    it = result("a")
    (page,) = it.pages
    lines = (page.lines[0], structs.replace(page.lines[1], box=box(142)))
    moved = (structs.replace(page, lines=lines),)
    shown = crop(store, paper(together), "ids", pages=moved)
    alone = crop(store, paper(((100, BLACK),)), "ids", pages=moved)
    assert shown == alone, "nothing of them is seen"
    assert dark(alone) > 1000
    plain = crop(store, paper(together), "none", pages=moved)
    assert dark(plain) > dark(alone)


def test_barcodes_are_painted_over(store: Store) -> None:
    (page,) = result("a").pages
    coded = (structs.replace(page, codes=(Code(kind="qr", text="4111 1111 1111 1111", box=box(100)),)),)
    black = paper(((100, BLACK),))
    assert crop(store, black, "ids", pages=coded) == "", "nothing is left of it"
    assert dark(crop(store, black, "none", pages=coded)) > 0


@pytest.mark.parametrize("mask", ["all", "PERSON", "ids,PERSON"])
def test_where_names_are_masked_there_are_no_pictures(store: Store, mask: str) -> None:
    assert crop(store, paper(), mask) == ""
    it = result("a", pending.store_document(store, paper()))
    assert made(store, mask).thumbnail(it, masked_result(it, mask)) == ""


def test_a_thumbnail_is_too_small_to_be_read(store: Store) -> None:
    it = result("a", pending.store_document(store, paper(((160, BLACK),))))
    small = made(store, "ids").thumbnail(it, masked_result(it, "ids"))
    assert max(decoded(small).size) == MASKED_SIDE
    assert dark(small) == 0, "the line with the phone number is painted over"
    large = made(store, "none").thumbnail(it, it)
    assert max(decoded(large).size) == THUMB_SIDE
    assert dark(large) > 0


def test_pictures_stay_within_their_bytes(store: Store) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, "PNG")
    it = result("a", pending.store_document(store, out.getvalue()))
    some = made(store, "none")
    for picture, most in (
        (some.crop(it, it, 1, (box(100), box(300))), CROP_BYTES),
        (some.thumbnail(it, it), THUMB_BYTES),
    ):
        assert 0 < len(base64.b64decode(picture)) <= most


def test_a_picture_that_cannot_be_made_is_left_out(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert crop(store, b"not a picture", "none") == ""
    gone = result("a", "ab" * 32)
    assert made(store, "none").crop(gone, gone, 1, (box(100),)) == ""
    assert made(store, "none").crop(gone, gone, 7, (box(100),)) == ""
    monkeypatch.setattr(module, "SECONDS", -1.0)
    assert crop(store, paper(), "none") == "", "no time is left"


def test_another_resolution_than_now_is_scaled(store: Store) -> None:
    it = result("a", pending.store_document(store, paper(((100, BLACK),))))
    (page,) = it.pages
    double = [[(2 * x, 2 * y) for x, y in one] for one in (box(100),)]
    pages = (structs.replace(page, width=2 * WIDTH, height=2 * HEIGHT, lines=()),)
    it = structs.replace(it, pages=pages)
    assert dark(made(store, "none").crop(it, it, 1, (tuple(double[0]),))) > 1000  # type: ignore[arg-type]
