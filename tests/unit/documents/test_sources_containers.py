from __future__ import annotations

import io
import struct
import zipfile
import zlib
from contextlib import suppress
from email.message import EmailMessage
from pathlib import Path

import pytest

from pipeline.documents.open import open_document
from pipeline.documents.sources import Notes, Source, containers, find
from pipeline.documents.sources import mail as mails
from pipeline.errors import OverLimit, PermanentError, Unreadable, Unsupported
from pipeline.limits import Limits
from pipeline.settings import Settings
from tests.support.containers import Tree, mail, ole_file, zipped, zipped_raw

SETTINGS = Settings.from_env({"NIGHTSHIFT_MAX_BYTES": "100000"})


def found(path: Path, data: bytes, notes: Notes | None = None) -> dict[str, Source]:
    """Sources by what follows the file's name."""
    path.write_bytes(data)
    return {s.url.removeprefix(str(path)): s for s in find([str(path)], SETTINGS, notes)}


def text_of(data: bytes) -> str:
    with open_document(data, Limits()) as document:
        pages = [document.page(n) for n in range(1, document.page_count + 1)]
    return "\n".join(line.text for page in pages for line in page.lines or ())


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("gb18030", "发票/三月.png"),
        ("gb18030", "增值税电子普通发票_上海.pdf"),
        ("gb18030", "张.pdf"),
        ("cp932", "請求書/三月.png"),
        ("cp932", "領収書（コピー）.pdf"),
        ("cp932", "見積.pdf"),
        ("cp932", "齋藤.pdf"),
        ("big5", "發票/三月.png"),
        ("cp437", "Übersicht März.pdf"),
        ("cp437", "façade été.pdf"),
        ("cp1252", "Straße Größe.pdf"),
        ("cp866", "Счёт-фактура 12.pdf"),
        ("cp866", "накладные/март/ООО Ромашка.png"),
        ("cp949", "세금계산서/거래명세서 한국상사.pdf"),
        ("utf-8", "发票 März.pdf"),
    ],
)
def test_names_in_archives_are_told_apart(tmp_path: Path, encoding: str, name: str) -> None:
    (member,) = found(tmp_path / "a.zip", zipped_raw({name.encode(encoding): b"x"}))
    assert member == f"!{name}"


def test_names_from_windows_have_folders(tmp_path: Path) -> None:
    assert list(found(tmp_path / "a.zip", zipped_raw({b"in\\a.pdf": b"x"}))) == ["!in/a.pdf"]


def test_a_unicode_name_beside_the_plain_one_is_used(tmp_path: Path) -> None:
    out, raw, name = io.BytesIO(), b"\x83\x5c.pdf", "ソ.pdf"
    field = b"\x01" + struct.pack("<I", zlib.crc32(raw)) + name.encode()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("XX.pdf")
        info.extra = struct.pack("<HH", 0x7075, len(field)) + field
        archive.writestr(info, b"x")
    assert list(found(tmp_path / "a.zip", out.getvalue().replace(b"XX.pdf", raw))) == [f"!{name}"]


def test_litter_in_archives_is_left_out(tmp_path: Path) -> None:
    notes = Notes()
    data = zipped({"__MACOSX/._a.jpg": b"", "Thumbs.db": b"", "a/.hidden": b"", "a/b.jpg": b"x"})
    assert list(found(tmp_path / "a.zip", data, notes)) == ["!a/b.jpg"]
    assert sum(notes.left_out.values()) == 3


def test_few_characters_are_chinese_rather_than_korean(tmp_path: Path) -> None:
    data = zipped_raw({f"{name}.pdf".encode("gb18030"): b"x" for name in ("发票", "合同", "报告")})
    assert list(found(tmp_path / "a.zip", data)) == ["!发票.pdf", "!合同.pdf", "!报告.pdf"]


def test_an_archive_without_documents_says_so(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"a\.zip contains no documents"):
        found(tmp_path / "a.zip", zipped({}))[""].read()


def test_a_name_that_occurs_twice_is_two_documents(tmp_path: Path) -> None:
    sources = found(tmp_path / "a.zip", zipped({"a.jpg": b"1", "b.jpg": b"2"}).replace(b"b.jpg", b"a.jpg"))
    assert {name: s.read() for name, s in sources.items()} == {"!a.jpg": b"1", "!a (2).jpg": b"2"}


def test_archives_in_each_other_are_opened_to_a_depth(tmp_path: Path) -> None:
    data = b"deepest"
    for depth in (3, 2, 1):
        data = zipped({f"inner{depth}.zip": data if depth < 3 else zipped({"x": data}), f"{depth}.txt": b"y"})
    sources = found(tmp_path / "a.zip", data)
    assert list(sources) == [
        "!inner1.zip!inner2.zip!inner3.zip",
        "!inner1.zip!inner2.zip!3.txt",
        "!inner1.zip!2.txt",
        "!1.txt",
    ]
    with pytest.raises(OverLimit, match=r"inner3\.zip is inside 3 archives.*unpack the outer ones"):
        sources["!inner1.zip!inner2.zip!inner3.zip"].read()
    assert sources["!inner1.zip!inner2.zip!3.txt"].read() == b"y"


def test_an_inner_archive_that_is_torn_or_too_large_fails_alone(tmp_path: Path) -> None:
    sources = found(
        tmp_path / "a.zip", zipped({"torn.zip": b"PK\x03\x04", "big.zip": bytes(100_001), "b.txt": b"x"})
    )
    assert sources["!b.txt"].read() == b"x"
    with pytest.raises(Unreadable, match="torn"):
        sources["!torn.zip"].read()
    with pytest.raises(OverLimit, match=r"big\.zip is larger"):
        sources["!big.zip"].read()


def test_an_archive_that_unpacks_to_far_too_much_is_refused_whole(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_BZIP2) as archive:
        for name in "abc":
            archive.writestr(name, bytes(25_000_000))
    with pytest.raises(OverLimit, match=r"would unpack to 72 MiB, more than 200 times its size"):
        found(tmp_path / "a.zip", out.getvalue())[""].read()


def test_archives_in_each_other_share_what_they_may_unpack_to(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", bytes(40_000_000))
    inner = packed.getvalue()
    sources = found(tmp_path / "a.zip", zipped({"one.zip": inner, "two.zip": inner, "b.txt": b"x"}))
    assert sources["!b.txt"].read() == b"x"
    with pytest.raises(OverLimit, match="a is larger"):
        sources["!one.zip!a"].read()
    with pytest.raises(OverLimit, match=r"two\.zip would unpack to 38 MiB, more than 200 times its size"):
        sources["!two.zip"].read()


def test_a_member_is_told_by_its_first_bytes_before_the_rest_is_unpacked(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.jpg", b"\0\0\0\1" + b"A" * 90_000)
    broken = out.getvalue().replace(b"A" * 60_000, b"B" * 60_000)  # its checksum would be found to be wrong
    with pytest.raises(Unsupported, match=r"^The file is of an unknown type"):
        found(tmp_path / "a.zip", broken)["!a.jpg"].read()


def test_a_mail_is_its_text_and_its_attachments(tmp_path: Path) -> None:
    message = mail(
        "Rechnung\tMärz", "Total: 12.50 EUR\n", {"scan.pdf": b"%PDF-1", "smime.p7s": b"s", "in.zip": b""}
    )
    message.add_attachment(
        zipped({"b.txt": b"b"}), maintype="application", subtype="zip", filename="发票.zip"
    )
    message.add_attachment(mail("Inner", "inside", {"scan.pdf": b"%PDF-2"}))
    message.add_attachment(b"%PDF-3", maintype="application", subtype="pdf", filename="../up/scan.pdf")
    notes = Notes()
    sources = found(tmp_path / "m.eml", message.as_bytes(), notes)
    assert list(sources) == [
        *("", "!scan.pdf", "!in.zip", "!发票.zip!b.txt", "!Inner.eml", "!Inner.eml!scan.pdf", "!scan (2).pdf")
    ]
    assert notes.left_out == {"signatures of e-mails": 1}
    contents = {name: source.read() for name, source in sources.items() if name != "!in.zip"}
    assert contents["!scan.pdf"] == b"%PDF-1"
    assert contents["!Inner.eml!scan.pdf"] == b"%PDF-2"
    assert contents["!scan (2).pdf"] == b"%PDF-3"
    text = text_of(contents[""])
    assert text.startswith("From: Ann <ann@shop.example>\nTo: bob@bank.example\nDate: Tue, 14 May 2024")
    assert "Subject: Rechnung März" in text
    assert text.endswith("Total: 12.50 EUR")
    assert text_of(contents["!Inner.eml"]).endswith("inside")


def test_the_html_of_a_mail_is_read_where_there_is_no_text(tmp_path: Path) -> None:
    message = mail("s", "")
    message.set_content("<p>Total: <b>12.50&nbsp;EUR</b></p><script>x</script>", subtype="html")
    message.make_mixed()
    message.add_attachment("notes of the meeting", filename="a.txt")
    sources = found(tmp_path / "m.eml", message.as_bytes())
    assert list(sources) == ["", "!a.txt"]
    assert "Total: 12.50 EUR" in text_of(sources[""].read())
    both = mail("s", "plain text")
    both.add_alternative("<p>html text</p>", subtype="html")
    sources = found(tmp_path / "n.eml", both.as_bytes())
    assert list(sources) == [""]
    assert text_of(sources[""].read()).endswith("plain text")


def test_a_mail_in_an_old_encoding_is_text(tmp_path: Path) -> None:
    for charset, said in (("gb18030", "gb2312"), ("cp932", "shift_jis"), ("gb18030", "us-ascii")):
        body = ("请查收附件中的发票" if charset == "gb18030" else "請求書をお送りします").encode(charset)
        head = f"From: a@b.example\nTo: c@d.example\nContent-Type: text/plain; charset={said}\n\n"
        (source,) = found(tmp_path / "m.eml", head.encode() + body).values()
        assert body.decode(charset) in text_of(source.read())


def test_headers_in_an_old_encoding_are_read(tmp_path: Path) -> None:
    raw = (
        "From: 张三 <a@b.example>\nSubject: 发票\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\n见附件\n--x\n"
        'Content-Type: application/pdf\nContent-Disposition: attachment; filename="三月.pdf"\n\n%PDF\n--x\n'
        'Content-Type: application/pdf; name="=?gb2312?B?t6LGsS5wZGY=?="\n\n%PDF\n--x--\n'
    )
    for encoding in ("gb18030", "utf-8"):
        sources = found(tmp_path / "m.eml", raw.encode(encoding))
        assert list(sources) == ["", "!三月.pdf", "!发票.pdf"]
        assert text_of(sources[""].read()) == "From: 张三 <a@b.example>\nSubject: 发票\n见附件"


def test_html_is_read_where_the_text_says_nothing(tmp_path: Path) -> None:
    message = mail("s", "HTML needed")
    message.add_alternative("<p>Invoice 42</p><p>Total: 12.50 EUR, due on 14 May 2024</p>", subtype="html")
    (source,) = found(tmp_path / "m.eml", message.as_bytes()).values()
    assert "Total: 12.50 EUR" in text_of(source.read())


def test_a_delivery_report_is_text(tmp_path: Path) -> None:
    raw = (
        b"From: d@b.example\nContent-Type: multipart/report; boundary=x\n\n--x\nContent-Type: text/plain\n\nsorry\n"
        b"--x\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; b.example\n\nStatus: 5.1.1\n"
        b"--x\nContent-Type: text/rfc822-headers\n\nReceived: from x\nFrom: a@b.example\nSubject: s\n--x--\n"
    )
    sources = found(tmp_path / "m.eml", raw)
    assert [text_of(source.read()) for source in sources.values()] == [
        "From: d@b.example\nsorry",
        "Reporting-MTA: dns; b.example\nStatus: 5.1.1",
        "Received: from x\nFrom: a@b.example\nSubject: s",
    ]


def test_too_many_attachments_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "MAX_ATTACHMENTS", 5)
    sources = found(tmp_path / "m.eml", mail("s", "text", {f"{n}.pdf": b"x" for n in range(20)}).as_bytes())
    assert len(sources) == 6
    with pytest.raises(OverLimit, match=r"the first 5 are read, 16 more are not"):
        sources["!…"].read()


def test_mails_that_are_none_or_encrypted_say_so(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="not a readable e-mail"):
        found(tmp_path / "a.eml", b"no header at all")[""].read()
    with pytest.raises(Unsupported, match="a mailbox with several"):
        found(tmp_path / "b.eml", b"From a\nSubject: x\n\nhello\n\nFrom b\nSubject: y\n\nhi")[""].read()
    sealed = EmailMessage()
    sealed["From"] = "a@b.example"
    sealed.set_content(b"\x30\x80", maintype="application", subtype="pkcs7-mime")
    with pytest.raises(Unsupported, match="encrypted e-mail") as caught:
        found(tmp_path / "c.eml", sealed.as_bytes())[""].read()
    assert caught.value.code == "encrypted"


def outlook(**more: bytes | Tree) -> Tree:
    def wide(text: str) -> bytes:
        return text.encode("utf-16-le")

    return {
        "__properties_version1.0": bytes(32),
        "__substg1.0_0037001F": wide("Angebot"),
        "__substg1.0_0C1A001F": wide("Ann"),
        "__substg1.0_5D01001F": wide("ann@shop.example"),
        "__substg1.0_1000001F": wide("Summe: 12,50 EUR"),
        **more,
    }


def test_an_outlook_message_is_its_text_and_its_attachments(tmp_path: Path) -> None:
    def attached(name: str, **more: bytes | Tree) -> Tree:
        return {"__substg1.0_3707001F": name.encode("utf-16-le"), **more}

    tree = outlook(
        **{
            "__attach_version1.0_#00000000": attached("a.pdf", **{"__substg1.0_37010102": b"%PDF-1" * 1000}),
            "__attach_version1.0_#00000001": attached("inner.msg", **{"__substg1.0_3701000D": outlook()}),
            "__attach_version1.0_#00000002": attached("cloud.docx"),
        }
    )
    sources = found(tmp_path / "m.msg", ole_file(tree))
    assert list(sources) == ["", "!a.pdf", "!inner.msg", "!cloud.docx"]
    assert sources["!a.pdf"].read() == b"%PDF-1" * 1000
    for name in ("", "!inner.msg"):
        text = text_of(sources[name].read())
        assert text == "From: Ann <ann@shop.example>\nSubject: Angebot\nSumme: 12,50 EUR"
    with pytest.raises(Unsupported, match=r"cloud\.docx is only a link"):
        sources["!cloud.docx"].read()


def test_an_outlook_message_whose_sectors_go_in_a_circle_takes_no_memory(tmp_path: Path) -> None:
    data = bytearray(ole_file(outlook(__substg1_0=bytes(20_000))))
    fat = (struct.unpack_from("<I", data, 76)[0] + 1) * 4096
    for sector in range(8):
        struct.pack_into("<I", data, fat + 4 * sector, sector)
    (source,) = found(tmp_path / "m.msg", bytes(data)).values()
    with pytest.raises(Unreadable, match=r"m\.msg is not a readable Outlook message: send it again"):
        source.read()


def test_long_names_are_shortened_in_sentences(tmp_path: Path) -> None:
    long = "x" * 3000
    attached: Tree = {"__substg1.0_3707001F": f"{long}\x07.docx".encode("utf-16-le")}
    tree = outlook(**{"__attach_version1.0_#00000000": attached})
    data = bytearray(zipped({f"{long}.txt": b"text" * 500, "b.txt": b"b"}))
    data[3100:3110] = b"\xff" * 10  # in the packed text
    for name, content in (("m.msg", ole_file(tree)), ("a.zip", bytes(data))):
        with pytest.raises(PermanentError) as caught:
            next(s for s in found(tmp_path / name, content).values() if long in s.url).read()
        assert len(caught.value.message) < 300
        assert caught.value.message.isprintable()


def test_hostile_bytes_fail_with_a_sentence(tmp_path: Path) -> None:
    whole = {
        "a.zip": zipped({"a.txt": b"x" * 100}),
        "a.msg": ole_file(outlook()),
        "a.eml": mail("s", "text", {"a.pdf": b"%PDF"}).as_bytes(),
    }
    for name, data in whole.items():
        for cut in range(1, len(data), max(len(data) // 40, 1)):
            for torn in (data[:cut], data[:cut] + b"\xff\x00" * 8 + data[cut + 16 :]):
                for source in found(tmp_path / name, torn).values():
                    with suppress(PermanentError):  # anything else is a traceback for the user
                        source.read()


HEAD = b"From: a@b.example\nDate: Thu, 1 Jan 2026 00:00:00 +0000\nMIME-Version: 1.0\nMessage-ID: <x@y>\n"


def test_a_mail_of_countless_parts_is_refused() -> None:
    parts = b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\n\n" * 20_001 + b"--b--\n"
    with pytest.raises(OverLimit, match=r"a\.eml has more than 20,000 parts"):
        mails.members(HEAD + parts, "a.eml")


def test_a_mail_of_many_groups_side_by_side_is_refused() -> None:
    groups = b"".join(
        b"--b\nContent-Type: multipart/mixed; boundary=g%d\n\n--g%d\n\nx\n--g%d--\n" % (n, n, n)
        for n in range(501)
    )
    with pytest.raises(OverLimit, match=r"a\.eml has more than 500 groups of parts"):
        mails.members(HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n" + groups + b"--b--\n", "a.eml")


@pytest.mark.parametrize(
    "level",
    [
        b"Content-Type: message/rfc822\n\n",
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\nContent-Type: message/rfc822\n\n",
    ],
)
def test_mails_in_mails_without_end_are_nested_too_deeply(level: bytes) -> None:
    levels = (level % ((n,) * level.count(b"%d")) for n in range(1200))
    with pytest.raises(OverLimit, match=r"a\.eml is nested too deeply"):
        mails.members(HEAD + HEAD.join(levels) + HEAD + b"\nx", "a.eml")


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_boundaries_that_begin_alike_are_counted_as_they_are(end: bytes) -> None:
    parts = b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--bb\n\n\n" * 20_001 + b"--b\n\nx\n--b--\n"
    assert [member.name for member in mails.members(HEAD + parts, "a.eml")] == [""]
    many = (HEAD + parts.replace(b"--bb", b"--b")).replace(b"\n", end)
    with pytest.raises(OverLimit, match="has more than 20,000 parts"):
        mails.members(many, "a.eml")


def test_a_header_of_any_length_is_read() -> None:
    data = HEAD + b"To: " + b"a@b.example, " * 30_000 + b"\nSubject: s\n\nthe body"
    (body,) = mails.members(data, "a.eml")
    text = body.read(10**6).decode()
    assert "To: a@b.example" in text
    assert text.endswith("Subject: s\n\nthe body\n")
