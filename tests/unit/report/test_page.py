"""The page of the morning report: what it says, what it never does, and how large it may get."""

import base64
import hashlib
import os
import re
import subprocess
import sys
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from lxml import html
from msgspec import structs

from pipeline.report.facts import Report, Verdict
from pipeline.report.page.words import LANGUAGES
from pipeline.report.render import render
from tests.conftest import ROOT
from tests.support import example_reports as reports

EVIL = "<script>alert(1)</script>\"'&\x00\ud800"
LATIN = re.compile(r"[A-Za-z][A-Za-z/-]*[A-Za-z]")
NAMES = {
    "P50",
    "P90",
    "GPU",
    "GiB",
    "UTC",
    "PDF",
    "JPEG",
    "Excel",
    "PNG",
    "TIFF",
    "EUR",
    "USD",
    "Europe/Berlin",
    "gpu",
    "ocr",
}


@cache
def rendered(night: str, language: str) -> str:
    return render(reports.NIGHTS[night](), language)


def page(report: Report | str, language: str = "en") -> Any:
    """The page of a report, or of the night of this name."""
    text = rendered(report, language) if isinstance(report, str) else render(report, language)
    return html.document_fromstring(text)


def words(element: Any) -> str:
    return " ".join(" ".join(element.itertext()).split())


def section(report: Report | str, name: str, language: str = "en") -> str:
    return words(page(report, language).get_element_by_id(name).getparent())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("night", reports.NIGHTS)
def test_structure(night: str, language: str) -> None:
    report = reports.NIGHTS[night]()
    tree = page(night, language)
    assert tree.get("lang") == {"en": "en", "zh": "zh-Hans"}[language]
    assert words(tree.find(".//h1")) == report.verdict.sentences[language]
    order = ["five", "todo", "night", "came", "sure", "looks", "cost", "conditions"]
    assert [h2.get("id") for h2 in tree.iter("h2")] == order
    assert [s.get("aria-labelledby") for s in tree.iter("section")] == order
    assert [len(tree.findall(f".//{mark}")) for mark in ("main", "header", "footer", "h1")] == [1] * 4
    assert all(th.get("scope") for th in tree.iter("th"))
    assert all(image.get("alt") for image in tree.iter("img"))
    for svg in tree.iter("svg"):
        assert svg.get("aria-hidden") or (svg.get("role") == "img" and svg.get("aria-label"))


@pytest.mark.parametrize(
    ("word", "tone"),
    [("done", "good"), ("left", "warn"), ("stopped", "bad"), ("running", "run"), ("empty", "calm")],
)
def test_the_verdict_is_a_word_an_icon_and_a_colour(word: Any, tone: str) -> None:
    sentence = "All of it."
    tree = page(structs.replace(reports.old(), verdict=Verdict(word=word, sentences={"en": sentence})))
    (verdict,) = tree.find_class("verdict")
    assert tone in verdict.get("class").split()
    assert verdict.find("svg") is not None
    name = {
        "done": "Done",
        "left": "Left over",
        "stopped": "Stopped",
        "running": "Running",
        "empty": "Empty night",
    }
    assert words(verdict.find("p")).startswith(name[word])
    assert words(verdict.find("h1")) == sentence
    assert tree.findtext(".//title").startswith(name[word])


def test_nothing_is_asked_for_and_nothing_runs() -> None:
    text = rendered("small", "en")
    tree = html.document_fromstring(text)
    assert not list(tree.iter("script", "iframe", "object", "form"))
    assert [link.get("href")[:10] for link in tree.iter("link")] == ["data:image"]
    assert not tree.xpath("//@style")
    assert not tree.xpath("//@*[starts-with(name(), 'on')]")
    assert all(source.startswith("data:image/png;base64,") for source in tree.xpath("//@src"))
    assert "@import" not in text
    assert "url(" not in text
    (policy,) = tree.xpath("//meta[@http-equiv]/@content")
    style = tree.find(".//style").text
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; img-src data:; style-src 'sha256-{digest}';")


def test_what_comes_from_outside_is_escaped() -> None:
    base = reports.small()
    report = structs.replace(
        base,
        store=EVIL,
        verdict=Verdict(word="done", sentences={"en": EVIL}),
        todo=(structs.replace(base.todo[0], example=EVIL, command=EVIL, code=EVIL, sentences={"en": EVIL}),),
        samples=tuple(structs.replace(s, trouble=EVIL, memory_mib={EVIL: 1.0}) for s in base.samples),
        outages=((reports.OPENED, reports.CLOSED, EVIL),),
        steps=(structs.replace(base.steps[0], step=EVIL),),
        released={EVIL: 1.0},
        kinds=(structs.replace(base.kinds[0], name=EVIL),),
        looks=tuple(
            structs.replace(one, source=EVIL, field=EVIL, value=EVIL, reason=EVIL, picture=EVIL)
            for one in base.looks
        ),
        documents=tuple(
            structs.replace(one, source=EVIL, status=EVIL, document_type=EVIL, error=EVIL, picture=EVIL)
            for one in base.documents
        ),
        cost=structs.replace(
            base.cost, clouds=(structs.replace(reports.good().cost.clouds[0], name=EVIL, as_of=EVIL),)
        ),
        conditions={EVIL: EVIL},
        masked=EVIL,
    )
    text = render(report, "en")
    tree = html.document_fromstring(text)
    assert "<script" not in text
    assert not list(tree.iter("script"))
    assert "\x00" not in text
    assert text.encode()
    assert "<script>alert(1)</script>\"'&" in words(tree.find(".//h1"))
    assert tree.find_class("command")[0].text_content().startswith("<script>alert(1)</script>")


@pytest.mark.parametrize("night", reports.NIGHTS)
def test_no_english_is_left_in_chinese(night: str) -> None:
    tree = page(night, "zh")
    labels = tree.xpath("//@aria-label | //@alt")
    for outside in [*tree.iter("code", "bdi", "style"), *tree.find_class("mono"), *tree.find_class("legend")]:
        outside.text = ""
        for child in list(outside):
            child.clear()
    seen = " ".join([words(tree.find("body")), *(re.sub(r"\S*(://|_)\S*", "", label) for label in labels)])
    left = (
        set(LATIN.findall(re.sub(r"P[59]0", "", seen)))
        - NAMES
        - {"total", "net", "opening", "date", "number"}
    )
    assert {word for word in left if word not in {"buyer", "period", "train", "payee", "tip", "vnd"}} == set()


def test_the_largest_report_is_below_one_megabyte() -> None:
    for language in LANGUAGES:
        text = render(reports.largest(), language)
        assert len(text.encode()) < 1_000_000
        tree = html.document_fromstring(text)
        looks, documents = tree.find_class("crop"), tree.find_class("thumb")
        assert (len(looks), len(documents)) == (12, 50)
        assert all(look.find("img") is not None for look in looks)


def test_fifty_documents_keep_their_pictures() -> None:
    base = reports.small()
    documents = tuple(structs.replace(base.documents[n % 12], picture="A" * 6_000) for n in range(50))
    looks = tuple(structs.replace(look, picture="A" * 18_600) for look in reports.good().looks)
    text = render(structs.replace(base, documents=documents, looks=looks), "en")
    assert text.count("<img ") == 62
    assert len(text) < 800_000


def test_many_shares_become_one_row() -> None:
    text = section("large", "came")
    assert "tenant-12" in text
    assert "tenant-13" not in text
    assert "others (27)" in text


def test_the_same_report_gives_the_same_page() -> None:
    code = (
        "import hashlib, sys; from pipeline.report.render import render; assert 'matplotlib' not in sys.modules;"
        "from tests.support import example_reports as reports;"
        "print(hashlib.sha256(render(reports.left(), 'zh').encode()).hexdigest())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONHASHSEED": "1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == hashlib.sha256(rendered("left", "zh").encode()).hexdigest()


def test_what_is_not_known_is_not_zero() -> None:
    report = reports.old()
    tree = page(report)
    device = [words(dd) for dd in tree.get_element_by_id("night").getparent().iter("dd")]
    assert device == ["not known"] * 3
    assert "The course of this night was not recorded" in section(report, "night")
    assert not tree.find_class("plot")
    assert "invoice 812 not known" in section(report, "came")
    assert words(tree.find_class("numbers")[0]).count("no nights before") == 5
    unpriced = section(structs.replace(report, cost=structs.replace(report.cost, pages=900)), "cost")
    assert "Device time not known" in unpriced
    assert "Money per 1,000 pages not known: no price" in unpriced


def test_a_night_that_is_not_known_leaves_a_gap() -> None:
    note = words(page("good").find_class("numbers")[0][4])
    assert note.startswith("fields to review 1,874 median of 6 nights: 1,746")
    assert "Nights before, oldest first: 1,702, 1,811, 590, not known, 1,680" in note


def test_an_empty_night_says_why_and_shows_no_plots() -> None:
    tree = page("empty")
    assert words(tree.find(".//h1")) == "Nothing was received."
    assert "Nothing was waiting, and nothing was read." in section("empty", "night")
    assert not tree.find_class("plot")
    assert "Nothing needs to be done." in section("empty", "todo")


def test_the_audit_is_an_equation_with_what_is_missing() -> None:
    good = words(page("good").find_class("audit")[0])
    assert good == (
        "Audit passed 12,431 received = 12,398 done + 21 partial + 12 failed + 0 pending no discrepancies"
    )
    for unread, said in ((12_431, "contents of 12,431 records not read again"), (0, "every record read")):
        line = structs.replace(reports.good().audit, unread=unread)
        assert words(page(reports.good(audit=line)).find_class("audit")[0]).endswith(said)
    wrong = words(page("left").find_class("audit")[0])
    assert wrong.startswith("Audit failed 12,420 received = ")
    assert "+ 3 missing" in wrong
    assert wrong.endswith("discrepancies: missing 3, other bytes 1")
    unlisted = structs.replace(reports.good().audit, done=12_000)
    assert "Audit failed" in words(page(reports.good(audit=unlisted, samples=())).find_class("audit")[0])


def test_do_this_now_has_the_commands_whole() -> None:
    tree = page("left")
    commands = [code.text_content() for code in tree.find_class("command")]
    assert commands == [todo.command for todo in reports.left().todo if todo.command]
    assert "Workers gpu-02 has not answered since 01:35. Check the host. 1 no command" in section(
        reports.left(), "todo"
    )


def test_times_are_of_the_installation() -> None:
    head = words(page("good").find("body/header"))
    assert (
        "Night of Wednesday, 25 November 2026 Window 22:00 to 06:00 All times: Europe/Berlin (UTC+1)" in head
    )
    utc = words(page(reports.good(timezone="UTC", samples=())).find("body/header"))
    assert "Window 21:00 to 05:00 All times: UTC Store" in utc
    nepal = words(page(reports.good(timezone="Asia/Kathmandu", samples=())).find("body/header"))
    assert "Window 02:45 to 10:45 All times: Asia/Kathmandu (UTC+5:45)" in nepal


def test_a_night_in_which_clocks_change_names_both_offsets() -> None:
    change = reports.OPENED.replace(month=10, day=24)
    report = reports.good(samples=(), opened=change, closed=change + timedelta(hours=8))
    assert "(UTC+2 → UTC+1)" in words(page(report).find("body/header"))


def test_forecast_against_what_came() -> None:
    text = section("good", "night")
    assert "The backlog was done by 04:55." in text
    assert re.search(r"22:30 05:\d\d 05:\d\d \d+ min earlier, before P90", text)
    assert "The backlog was not done in this window." in section("left", "night")
    assert "The backlog is not done yet." in section("running", "night")


def test_outages_are_numbered_in_list_and_plots() -> None:
    tree = page("left")
    (listed,) = tree.find_class("outages")
    assert [words(item) for item in listed] == [
        "1 23:35 to 00:30 Store unreachable: connection refused.",
        "2 03:00 to 03:20 RabbitMQ takes no messages: memory alarm.",
    ]
    for plot in tree.xpath("//section[h2/@id='night']//svg[contains(@class, 'plot')]"):
        marks = [text.text for text in plot.iter("text") if "f-bad" in text.get("class")]
        assert marks == ["1", "2"]


def test_every_sample_is_in_the_table() -> None:
    report = reports.good()
    (table,) = page(report).xpath("//details[contains(@class, 'long')]//tbody")
    assert len(table) == len([s for s in report.samples if s.at <= reports.CLOSED + timedelta(minutes=30)])
    cells = [words(cell) for cell in table[-1]]
    assert cells[:3] == ["06:30", "closed", "0"]


def test_plots_have_no_colours_of_their_own() -> None:
    text = rendered("left", "en")
    plots = re.findall(r"<svg[^>]*(?:plot|spark).*?</svg>", text, re.DOTALL)
    assert len(plots) == 5 + 2 * 6
    assert not any(re.search(r"#[0-9a-f]{6}|style=|id=|url\(", plot) for plot in plots)


def test_reasons_are_in_words() -> None:
    text = section("good", "looks")
    assert "amounts do not add up" in text
    assert "confidence below 0.8, text recognition was not certain" in text
    assert "置信度低于 0.8、文字识别不确定" in section("good", "looks", "zh")


def test_another_language_is_refused() -> None:
    with pytest.raises(ValueError, match='Invalid language "de" of a report: use one of en, zh'):
        render(reports.good(), "de")


def test_a_window_that_never_closes() -> None:
    begin = reports.OPENED - timedelta(hours=12)
    moved = tuple(structs.replace(s, window_open=True) for s in reports.good().samples)
    for opened in (begin, None):
        tree = page(reports.good(opened=opened, closed=None, samples=moved))
        head = words(tree.find("body/header"))
        assert ("Window open since 11-25 10:00" if opened else "Window not known") in head
        assert len(tree.xpath("//section[h2/@id='night']//svg[contains(@class, 'plot')]")) == 10


def test_forecasts_for_another_day_are_in_the_table_alone() -> None:
    tomorrow = reports.CLOSED + timedelta(hours=17, minutes=40)
    samples = tuple(
        structs.replace(s, p50=tomorrow, p90=tomorrow + timedelta(hours=1)) for s in reports.left().samples
    )
    report = structs.replace(reports.left(), samples=samples)
    text = section(report, "night")
    assert "22:00 11-26 23:40 11-27 00:40" in text
    assert len(page(report).xpath("//section[h2/@id='night']//svg[contains(@class, 'plot')]")) == 8


def test_one_sample_and_many_devices() -> None:
    one = structs.replace(reports.good().samples[20], memory_mib={f"gpu:{n}": 1000.0 for n in range(9)})
    text = section(reports.good(samples=(one,)), "night")
    assert "gpu:0 gpu:1 gpu:2 gpu:3" in text
    assert "and 5 more" in text
    assert "How busy the device was is not known." in text


def test_a_report_with_nothing_in_it() -> None:
    bare = structs.replace(
        reports.old(),
        numbers=(),
        verdict=Verdict(word="stopped", sentences={}),
        confidence=structs.replace(reports.old().confidence, tonight=(), before=()),
        kinds=(),
    )
    assert "Nothing came." in section(bare, "came")
    assert "No fields were read." in section(bare, "sure")
