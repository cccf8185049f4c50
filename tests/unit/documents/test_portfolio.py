"""Documents embedded in a PDF are read as documents of their own; a cover alone is never the document."""

from __future__ import annotations

import io
import time
import zipfile
import zlib
from contextlib import nullcontext
from pathlib import Path

import pytest
from PIL import Image

from pipeline.documents import cover
from pipeline.documents.notices import refuse_notice
from pipeline.documents.open import open_document
from pipeline.documents.portfolio import MAX_EMBEDDED, check_sizes, members
from pipeline.documents.sources import find
from pipeline.errors import Encrypted, OverLimit, Unsupported
from pipeline.limits import Limits
from pipeline.settings import Settings
from tests.unit.documents.conftest import build_pdf

MIB = 1024 * 1024
LINE = b"BT /F1 10 Tf 50 %d Td (%s) Tj ET\n"
INVOICE = LINE % (200, b"Invoice 5001 of ACME Ltd") + LINE % (180, b"Total 412.00 EUR, due on 1 May")
COVER = LINE % (200, b"For the best experience, open this PDF portfolio in") + LINE % (
    180,
    b"Acrobat X or later.",
)
COLLECTION = b"/Collection<</Type/Collection/View/D>>"


def embed(
    files: dict[str, bytes],
    *,
    content: bytes | list[bytes] = COVER,
    root: bytes = COLLECTION,
    spec: bytes = b"",
) -> bytes:
    extra: list[bytes] = []
    names = b""
    for name, data in files.items():
        body = zlib.compress(data)
        number = 4 + len(extra)
        written = name.encode("utf-16").hex().encode()
        extra += [
            b"<</Type/EmbeddedFile/Filter/FlateDecode/Length %d>>stream\n" % len(body)
            + body
            + b"\nendstream",
            b"<</Type/Filespec/F<%s>/UF<%s>/EF<</F %d 0 R/UF %d 0 R>>%s>>"
            % (written, written, number, number, spec),
        ]
        names += b"<%s>%d 0 R" % (written, number + 1)
    root += b"/Names<</EmbeddedFiles<</Names[" + names + b"]>>>>"
    return build_pdf(content, extra=extra, root=root)


def png() -> bytes:
    out = io.BytesIO()
    Image.new("L", (40, 30), 255).save(out, "PNG")
    return out.getvalue()


def read(data: bytes, max_bytes: int = MIB) -> dict[str, bytes]:
    return {one.name: one.read(max_bytes) for one in members(data, "a.pdf", max_bytes)}


FIRST, SECOND = build_pdf(INVOICE), build_pdf(INVOICE.replace(b"5001", b"5002"))


def test_a_portfolio_stands_for_its_files_whatever_they_are() -> None:
    files = {"one.pdf": FIRST, "发票.pdf": SECOND, "photo.png": png(), "notes.docx": b"PK\x03\x04 and so on"}
    assert read(embed(files)) == files


def test_the_files_of_a_portfolio_are_found_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "mail.PDF").write_bytes(embed({"one.pdf": FIRST, "two.pdf": SECOND}))
    (tmp_path / "plain.pdf").write_bytes(FIRST)
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7 nothing")
    (tmp_path / "empty.pdf").write_bytes(b"")
    found = {s.url.removeprefix(f"{tmp_path}/"): s for s in find([str(tmp_path)], Settings.from_env({}))}
    assert list(found) == ["broken.pdf", "empty.pdf", "mail.PDF!one.pdf", "mail.PDF!two.pdf", "plain.pdf"]
    assert found["mail.PDF!two.pdf"].read() == SECOND
    assert found["plain.pdf"].read() == FIRST


def test_a_portfolio_that_is_opened_itself_is_refused_with_the_names_inside() -> None:
    data = embed({f"invoice {n}.pdf": FIRST for n in range(7)})
    with pytest.raises(
        Unsupported, match=r"portfolio.*7 embedded files \(invoice 0\.pdf, .* and 2 more\)"
    ) as caught:
        open_document(data, Limits())
    assert caught.value.code == "portfolio"


def test_an_invoice_with_its_data_is_one_document() -> None:
    data = embed({"factur-x.xml": b"<?xml version='1.0'?><rsm/>"}, content=INVOICE, root=b"")
    assert read(data) == {}
    with open_document(data, Limits()) as document:
        assert document.page(1).lines


def test_an_annex_of_an_ordinary_pdf_is_read_besides(tmp_path: Path) -> None:
    data = embed({"annex.pdf": SECOND, "data.xml": b"<a/>", "photo.png": png()}, content=INVOICE, root=b"")
    assert read(data) == {"": data, "annex.pdf": SECOND, "photo.png": png()}
    (tmp_path / "a.pdf").write_bytes(data)
    found = list(find([str(tmp_path)], Settings.from_env({})))
    assert [s.url.removeprefix(f"{tmp_path}/") for s in found] == [
        "a.pdf",
        "a.pdf!annex.pdf",
        "a.pdf!photo.png",
    ]
    assert found[0].read() == data


def test_office_documents_in_an_ordinary_pdf_are_read_besides() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        package.writestr("word/document.xml", "<w:document/>")
        package.writestr("media/image1.png", zlib.compress(bytes(5000)))
    letter = out.getvalue()
    data = embed({"letter.docx": letter, "notes.txt": b"note"}, content=INVOICE, root=b"")
    assert read(data) == {"": data, "letter.docx": letter}


@pytest.mark.parametrize("content", [INVOICE, [INVOICE, INVOICE]])
def test_pages_of_a_portfolio_that_are_no_cover_are_read_too(content: bytes | list[bytes]) -> None:
    data = embed({"one.pdf": SECOND}, content=content)
    assert list(read(data)) == ["", "one.pdf"]
    with open_document(data, Limits()) as document:
        assert document.page(1).lines


def test_a_catalog_in_an_object_stream_is_seen() -> None:
    data = embed({"one.pdf": FIRST}).replace(
        b"/Collection<<", b"/Col#6cection<<"
    )  # not found in the raw bytes
    assert list(read(data)) == ["one.pdf"]


def test_portfolios_in_each_other_are_opened_to_a_depth() -> None:
    inner = embed({"deep.pdf": FIRST, "other.pdf": SECOND})
    middle = embed({"inner.pdf": inner, "flat.pdf": FIRST})
    assert read(middle) == {"inner.pdf!deep.pdf": FIRST, "inner.pdf!other.pdf": SECOND, "flat.pdf": FIRST}
    outer = read(embed({"middle.pdf": middle}))
    assert outer == {"middle.pdf!inner.pdf": inner, "middle.pdf!flat.pdf": FIRST}
    with pytest.raises(Unsupported, match="portfolio"):
        open_document(outer["middle.pdf!inner.pdf"], Limits())


def test_names_are_shown_on_one_line_and_differ() -> None:
    assert list(read(embed({"a\nb.pdf": FIRST, "a!b.pdf": FIRST}))) == [
        "a_b.pdf",
        "a_b (2).pdf",
    ]


def test_a_file_that_unpacks_to_a_gigabyte_is_refused_without_unpacking_it() -> None:
    packer = zlib.compressobj(1)
    body = b"".join(packer.compress(bytes(MIB)) for _ in range(1024)) + packer.flush()
    small = embed({"bomb.pdf": b"x"})
    old = zlib.compress(b"x")
    data = small.replace(b"/Length %d>>stream\n" % len(old) + old, b"/Length %d>>stream\n" % len(body) + body)
    start = time.perf_counter()
    with pytest.raises(
        OverLimit, match=r"a\.pdf has embedded files that unpack to more than the limit of 64 MiB"
    ):
        members(data, "a.pdf", 64 * MIB)
    assert time.perf_counter() - start < 5


def test_deflated_twice_is_refused() -> None:
    data = embed({"bomb.pdf": zlib.compress(bytes(MIB))}).replace(
        b"/Filter/FlateDecode", b"/Filter[/FlateDecode/FlateDecode]"
    )
    with pytest.raises(OverLimit):
        members(data, "a.pdf", MIB)


def test_too_many_embedded_files_are_refused(tmp_path: Path) -> None:
    data = embed({f"{n}.pdf": b"x" for n in range(MAX_EMBEDDED + 1)})
    with pytest.raises(OverLimit, match=r"1,001 embedded files, more than the limit of 1,000"):
        members(data, "a.pdf", MIB)
    (tmp_path / "a.pdf").write_bytes(data)
    (only,) = find([str(tmp_path)], Settings.from_env({}))
    with pytest.raises(OverLimit, match="1,001"):
        only.read()


@pytest.mark.parametrize(
    ("name", "spec"),
    [("payload.pdf", b"/AFRelationship/EncryptedPayload"), ("MicrosoftIRMServices Protected PDF.pdf", b"")],
)
def test_the_cover_of_a_protected_document_is_refused(name: str, spec: bytes) -> None:
    data = embed({name: b"%PDF-2.0 encrypted"}, content=INVOICE, spec=spec)
    assert read(data) == {}
    with pytest.raises(Encrypted, match="cover of a protected document") as caught:
        open_document(data, Limits())
    assert caught.value.code == "protected"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (b"This PDF file is protected. You need a different reader to open it.", Encrypted),
        (
            b"If this message is not eventually replaced by the proper contents of the document, ...",
            Unsupported,
        ),
    ],
)
def test_a_notice_instead_of_the_document_is_refused(words: bytes, error: type[Exception]) -> None:
    with open_document(build_pdf(LINE % (200, words)), Limits()) as document, pytest.raises(error):
        document.page(1)
    with open_document(build_pdf([LINE % (200, words), INVOICE]), Limits()) as document:
        assert document.page(1).lines  # a part of a larger document


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("Dieses Dokument ist durch eine Richtlinie geschützt.", Encrypted),  # codespell:ignore
        ("Ce fichier PDF est protégé", Encrypted),
        ("此 PDF 文件受保护", Encrypted),
        ("This document is encrypted by a policy server.", Encrypted),
        (
            "Wenn diese Meldung nicht durch den eigentlichen Inhalt des Dokuments ersetzt wird, ...",
            Unsupported,
        ),
        ("Si ce message n’est pas remplacé par le contenu du document, ...", Unsupported),
        ("如果本消息最终未被文档的正确内容替代，则您的阅读器可能无法显示此类型的文档。", Unsupported),
        ("このメッセージが文書の適切な内容に置き換わらない場合は、表示できません。", Unsupported),
        ("Der Inhalt ist geschützt, die Datei 4711 wurde ersetzt.", None),  # codespell:ignore
        ("Ihr Dokument wurde geprüft.", None),  # codespell:ignore
        ("请回复此消息，否则合同内容将被替换。", None),
    ],
)
def test_notices_are_known_in_other_languages(words: str, error: type[Exception] | None) -> None:
    with pytest.raises(error) if error else nullcontext():
        refuse_notice(words)


def test_a_file_pinned_to_a_page_is_a_missing_part() -> None:
    spec = b"<</Type/Filespec/F(offer.pdf)/UF(offer.pdf)/EF<</F 5 0 R>>>>"
    body = b"<</Type/EmbeddedFile/Length %d>>stream\n%s\nendstream" % (len(SECOND), SECOND)
    note = b"<</Type/Annot/Subtype/FileAttachment/Rect[300 200 320 220]/FS 4 0 R/Name/PushPin>>"
    data = build_pdf(INVOICE, extra=[spec, body, note], page=b"/Annots[6 0 R]")
    with open_document(data, Limits()) as document:
        page = document.page(1)
        assert page.lines
        assert page.unread == 1
        assert page.warnings == (
            "The PDF has the file offer.pdf attached, which was not read: save and send it.",
        )
        assert document.page(1).unread == 1


@pytest.mark.parametrize("spec", [b"/Filter 9 0 R", b"/Filter[/FlateDecode/FlateDecode]"])
def test_embedded_files_whose_filters_stand_elsewhere_are_refused(spec: bytes) -> None:
    data = b"1 0 obj<</EF<</F 2 0 R>>>>endobj\n2 0 obj<<" + spec + b">>stream\nabc\nendstream endobj"
    with pytest.raises(OverLimit, match="unpack to more"):
        check_sizes(data, "a.pdf", 1, MIB)


def test_a_cover_that_exhausts_its_process_hides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cover, "_SECONDS", 0.0)
    found = read(embed({"one.pdf": FIRST}))
    assert found["one.pdf"] == FIRST
    assert set(found) == {"", "one.pdf"}, "the page itself ends with a record, too"


def test_a_cover_is_asked_apart() -> None:
    assert cover.is_cover_apart(embed({"one.pdf": FIRST}))
    assert not cover.is_cover_apart(embed({"one.pdf": FIRST}, content=INVOICE))
