"""A PDF whose structure is false or never ends gives one clear sentence, in bounded time and memory."""

from __future__ import annotations

import re
import struct
import time
import tracemalloc
import zlib
from collections.abc import Callable

import pytest

from pipeline.documents.open import open_document
from pipeline.documents.pdf_bounds import check_object_streams, unpacked
from pipeline.errors import OverLimit, Unreadable
from pipeline.limits import Limits
from tests.unit.documents.conftest import build_pdf

LINE = b"BT /F1 10 Tf 50 %d Td (%s) Tj ET\n"
TEXT = LINE % (200, b"Invoice 12345678 of May") + LINE % (180, b"Total 412.00 CNY")
TWO = build_pdf([TEXT, TEXT])


def tree(kids: bytes, count: int, data: bytes = TWO) -> bytes:
    new = b"2 0 obj\n<</Type/Pages/Kids[" + kids + b"]/Count %d>>\nendobj" % count
    return re.sub(rb"2 0 obj\n<<.*?>>\nendobj", lambda _: new, data, count=1, flags=re.DOTALL)


@pytest.mark.parametrize(
    "kids", [b"2 0 R", b"2 0 R 4 0 R", b"4 0 R 2 0 R", b"9 0 R"], ids=["itself", "before", "after", "nothing"]
)
def test_a_page_tree_that_contains_itself_ends(kids: bytes) -> None:
    start = time.perf_counter()
    with open_document(tree(kids, 2), Limits()) as document:
        for number in range(1, document.page_count + 1):
            try:
                assert document.page(number).lines
            except Unreadable as error:
                assert re.match(r"Page \d of 2 of the PDF is damaged", error.message)  # noqa: PT017
    assert time.perf_counter() - start < 5


def test_pages_that_do_not_exist_are_named() -> None:
    with open_document(tree(b"4 0 R 6 0 R", 50), Limits()) as document:
        assert document.page(2).lines
        with pytest.raises(Unreadable, match="Page 3 of 50 of the PDF is damaged"):
            document.page(3)


@pytest.mark.parametrize("count", [2_000_000_000, -5, 0])
def test_an_impossible_page_count_is_corrected(count: int) -> None:
    with open_document(tree(b"4 0 R 6 0 R", count), Limits()) as document:
        assert document.page_count == 2
        assert document.page(2).lines


def test_a_page_count_that_hides_pages_is_refused() -> None:
    with pytest.raises(Unreadable, match="says that it has 1 page and holds 2"):
        open_document(tree(b"4 0 R 6 0 R", 1), Limits())


def test_an_older_version_of_a_page_is_no_hidden_page() -> None:
    one = build_pdf([TEXT])
    old = b"9 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>\nendobj\n"
    with open_document(one.replace(b"%PDF-1.7\n", b"%PDF-1.7\n" + old), Limits()) as document:
        assert document.page_count == 1
        assert document.page(1).lines


def object_stream_bomb(
    mebibytes: int, filters: bytes = b"/FlateDecode", pack: Callable[[bytes], bytes] = bytes
) -> bytes:
    packer = zlib.compressobj(1)
    body = pack(b"".join(packer.compress(b" " * 2**20) for _ in range(mebibytes)) + packer.flush())
    out = b"%PDF-1.5\n"
    out += b"4 0 obj\n<</Type/ObjStm/N 1/First 9/Filter%s/Length %d>>stream\n" % (filters, len(body)) + body
    out += b"\nendstream\nendobj\n"
    rows = b"".join(
        struct.pack(">BIH", *r) for r in [(0, 0, 65535), (2, 4, 0), (0, 0, 0), (0, 0, 0), (1, 9, 0)]
    )
    head = b"5 0 obj\n<</Type/XRef/Size 5/W[1 4 2]/Root 1 0 R/Length %d>>stream\n" % len(rows)
    return out + head + rows + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF" % len(out)


@pytest.mark.parametrize("twice", [False, True])
def test_object_streams_that_unpack_to_the_memory_are_refused(twice: bool) -> None:
    data = (
        object_stream_bomb(300, b"[/FlateDecode/FlateDecode]", zlib.compress)
        if twice
        else object_stream_bomb(300)
    )
    tracemalloc.start()
    start = time.perf_counter()
    with pytest.raises(OverLimit, match="unpacks to more than 256 MiB"):
        open_document(data, Limits())
    assert time.perf_counter() - start < 10
    assert tracemalloc.get_traced_memory()[1] < 64 * 2**20
    tracemalloc.stop()


@pytest.mark.timeout(20)
@pytest.mark.parametrize("size", [1 << 10, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20])
def test_data_are_counted_to_their_end_whatever_follows(size: int) -> None:
    data = b"stream\n" + zlib.compress(b" " * size) + b"\nendstream endobj"
    assert unpacked(data, 0, 8 << 20) == size


@pytest.mark.parametrize(
    "head",
    [
        b"/Type/ObjStm/Filter[/FlateDecode/FlateDecode]",
        b"/Type/ObjStm/Filter[/Fl#61teDecode/FlateDe#63ode]",
        b"/Filter[/FlateDecode/Fl]/Type/Obj#53tm",
        b"/Type/#4FbjStm/Filter 7 0 R",
        b"/Type/ObjStm/Note(a stream of objects)/Filter[/LZWDecode/RL]",
        b"/Type/ObjStm" + b" " * 5000 + b"/Filter[/FlateDecode/FlateDecode]",
        b"/Type/X#52ef/Filter[/FlateDecode/FlateDecode]",
    ],
    ids=["plain", "filters", "type", "indirect", "word", "long", "xref"],
)
def test_a_structure_packed_twice_is_refused_however_it_is_spelled(head: bytes) -> None:
    with pytest.raises(OverLimit, match="structure of the PDF unpacks to more"):
        check_object_streams(b"%PDF-1.7\n5 0 obj\n<<" + head + b">>stream\nabc\nendstream\nendobj\n")


def test_a_structure_packed_once_is_accepted() -> None:
    head = b"/Type/ObjStm/Filter[/Fl#61teDecode]/N 1/First 4"
    check_object_streams(b"%PDF-1.7\n5 0 obj\n<<" + head + b">>stream\nabc\nendstream\nendobj\n")


@pytest.mark.parametrize("unit", [b"/XRef ", b"/XRef stream\n", b"obj/ObjStm "])
def test_many_structures_take_linear_time(unit: bytes) -> None:
    start = time.perf_counter()
    check_object_streams(b"%PDF-1.7\n" + unit * 50_000)
    assert time.perf_counter() - start < 5
