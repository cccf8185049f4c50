"""Tables: nothing is cut at any width, ids stay whole."""

import pytest

from pipeline.cli import screen

ID = "contract_2026_scan_0001_pdf-0123456789abcdef0123456789abcdef"
REASON = "scan.pdf has 2417 pages, more than the limit of 2000: raise NIGHTSHIFT_MAX_PAGES or split [it]."


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_ids_stay_whole_and_text_folds(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    rows = [(ID, "2026-11-22", REASON), ("短い", "2026-11-23", "金额 " * 60)]
    screen.listing("2 failed", ("task", "run date", "reason"), rows)
    shown = capsys.readouterr().out
    words = shown.split()
    assert len(ID) == 60
    assert ID in words
    assert words.count("金额") == 60
    assert "…" not in shown
    assert [word for word in words if word in REASON.split()] == REASON.split()


@pytest.mark.usefixtures("terminal")
def test_a_table_where_it_fits_and_blocks_where_not(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for width, lines in (("60", 4), ("120", 1)):
        monkeypatch.setenv("COLUMNS", width)
        screen.listing("", ("task", "#pages", "code", "reason"), [(ID, 12, "over_limit", "too long")])
        found = [line for line in capsys.readouterr().out.splitlines() if line.strip() and "─" not in line]
        assert len(found) - (width == "120") == lines, found


@pytest.mark.usefixtures("terminal")
def test_an_id_wider_than_the_line_is_left_to_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    screen.block(ID * 2, [("source", f"file:///{ID}"), ("run date", "2026-11-22")])
    assert capsys.readouterr().out.splitlines() == [
        ID * 2,
        f"  source    file:///{ID}",
        "  run date  2026-11-22",
    ]


def test_quiet_prints_json_alone(terminal: screen.Terminal, capsys: pytest.CaptureFixture[str]) -> None:
    terminal.quiet = True
    screen.say("text")
    screen.listing("title", ("a", "b"), [("1", "2")])
    screen.block("title", [("a", 1)])
    screen.as_json({"a": 1})
    assert capsys.readouterr().out == '{\n  "a": 1\n}\n'


def test_progress_is_for_terminals(terminal: screen.Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: False)
    assert screen.bar().disable
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert not screen.bar().disable
    terminal.progress = False
    assert screen.bar().disable


@pytest.mark.parametrize(
    ("when", "left"),
    [("auto", {"NO_COLOR": "1"}), ("always", {"FORCE_COLOR": "1"}), ("never", {"NO_COLOR": "1"})],
)
def test_colour(when: str, left: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    environ = {"NO_COLOR": "1"}
    monkeypatch.setattr("os.environ", environ)
    screen.colour(when)  # type: ignore[arg-type]
    assert environ == left
