"""The documentation agrees with itself and with the code: links, glossary, settings, commands."""

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest
import typer.main

from pipeline.cli.app import app
from pipeline.settings import PREFIX, Settings
from tests.conftest import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
NOT_SETTINGS = re.compile(rf"{PREFIX}(?:ENV_FILE|DATA|SERVICE_HOST|FAKE_\w*)")

_LINK = re.compile(r"\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)")
_CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.DOTALL | re.MULTILINE)


def named(pages: list[Path]) -> list[str]:
    """Names of pages for pytest."""
    return [str(page.relative_to(ROOT)) for page in pages]


@cache
def anchors(page: Path) -> set[str]:
    """Anchors of a page, as GitHub makes them from headings, and explicit ids."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    found = set(re.findall(r'<a id="([^"]+)">', text))
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        found.add(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return found


def problem(page: Path, link: str) -> str:
    """What is wrong with a link, or nothing."""
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists():
        return f"{link}: no such file"
    if anchor and (target.suffix != ".md" or anchor not in anchors(target)):
        return f"{link}: no such anchor"
    return ""


@pytest.mark.parametrize("page", PAGES, ids=named(PAGES))
def test_links_resolve(page: Path) -> None:
    links = [link for link in _LINK.findall(_CODE.sub("", page.read_text())) if "://" not in link]
    assert [wrong for link in links if (wrong := problem(page, link))] == []


def test_a_wrong_link_is_noticed() -> None:
    page = ROOT / "docs" / "index.md"
    assert problem(page, "reference/nothing.md") == "reference/nothing.md: no such file"
    assert problem(page, "reference/glossary.md#nothing") == "reference/glossary.md#nothing: no such anchor"
    assert problem(page, "reference/glossary.md#attempt") == ""


def test_every_page_is_linked() -> None:
    links = {
        (p.parent / link.partition("#")[0]).resolve() for p in PAGES for link in _LINK.findall(p.read_text())
    }
    assert [str(page.relative_to(ROOT)) for page in PAGES if page.parent != ROOT and page not in links] == []


def test_the_glossary_is_sorted_and_linked() -> None:
    text = (ROOT / "docs" / "reference" / "glossary.md").read_text()
    terms = re.findall(r'^\| <a id="([^"]+)"></a>(.+?) \|', text, re.MULTILINE)
    assert len(terms) > 30
    assert [word for _, word in terms] == sorted((word for _, word in terms), key=str.lower)
    used = {link for page in PAGES for link in re.findall(r"glossary\.md#([\w-]+)", page.read_text())}
    assert [term for term, _ in terms if term not in used] == []


def test_every_setting_in_the_documentation_exists() -> None:
    known = {PREFIX + name.upper() for name in Settings.__struct_fields__}
    for page in PAGES:
        for name in set(re.findall(rf"{PREFIX}[A-Z0-9_]*[A-Z0-9]", page.read_text())):
            exists = name in known or any(
                one.startswith(name + "_") for one in known
            )  # such as NIGHTSHIFT_OCR_*
            assert exists or NOT_SETTINGS.match(name + "_") or NOT_SETTINGS.match(name), (
                f"{page.name}: {name}"
            )


def test_every_command_in_the_documentation_exists() -> None:
    top = typer.main.get_command(app)
    commands = getattr(top, "commands")  # noqa: B009 - typer's groups have no public type
    assert "submit" in commands
    for page in PAGES:
        for code in _CODE.findall(re.sub(r"rabbitmqctl.*", "", page.read_text())):
            for name, sub in re.findall(r"nightshift (?:-\S+ )*([a-z]+)(?: ([a-z]+))?(?=[\s`]|$)", code):
                assert name in commands, f"{page.name}: nightshift {name}"
                subs = getattr(commands[name], "commands", None)
                assert not (subs and sub) or sub in subs, f"{page.name}: nightshift {name} {sub}"


def test_pages_named_in_code_exist() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if tracked.returncode:
        pytest.skip("not in a git checkout")
    missing = []
    for name in tracked.stdout.split():
        if Path(name).suffix in {".py", ".yaml", ".ipynb", ".example", ".sh", ""} and (ROOT / name).is_file():
            text = (ROOT / name).read_text(errors="ignore")
            missing += [
                f"{name}: {page}"
                for page in re.findall(r"docs/[\w/-]+\.md", text)
                if not (ROOT / page).exists()
            ]
    assert missing == []
