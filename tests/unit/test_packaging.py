"""The files that say what is installed, and what is checked, agree with each other."""

import configparser
import re

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pipeline.version import __version__
from scripts import licences, release
from tests.conftest import ROOT

SETUP = configparser.ConfigParser()
SETUP.read(ROOT / "setup.cfg")


def text(name: str) -> str:
    return (ROOT / name).read_text()


def requirements(lines: str) -> dict[str, Requirement]:
    """Name -> requirement, without comments and options."""
    words = (line.partition("#")[0].strip() for line in lines.splitlines())
    found = [Requirement(word) for word in words if word and not word.startswith("-")]
    return {canonicalize_name(requirement.name): requirement for requirement in found}


PACKAGE = requirements(SETUP["options"]["install_requires"])
for extra in SETUP["options.extras_require"].values():
    PACKAGE |= requirements(extra)
DEVELOPERS = requirements(text("requirements-dev.txt"))
PINS = dict(re.findall(r"^([a-z0-9-]+)==(\S+)$", text("constraints.txt"), flags=re.MULTILINE))
LOCK = text("requirements.lock")


def test_requirements_txt_names_what_the_package_requires() -> None:
    assert requirements(text("requirements.txt")).keys() == PACKAGE.keys()
    assert "-c constraints.txt\n" in text("requirements.txt")


def test_the_pins_lie_within_the_ranges() -> None:
    for name, requirement in (PACKAGE | DEVELOPERS).items():
        assert requirement.specifier.contains(PINS[name], prereleases=True), (
            f"{requirement}, not {PINS[name]}"
        )


def test_lock_and_constraints_are_of_one_resolution() -> None:
    locked = re.findall(r"^([a-z0-9-]+)==(\S+) \\\n    --hash=sha256:[0-9a-f]{64}", LOCK, flags=re.MULTILINE)
    assert dict(locked) == PINS
    assert len(locked) == len(re.findall(r"^\S", LOCK, flags=re.MULTILINE)), (
        "a line that is no pin with its hash"
    )


@pytest.mark.parametrize("name", ["requirements.lock", "constraints.txt", "requirements.txt"])
def test_no_index_is_named(name: str) -> None:
    assert not re.search(r"://|index-url|find-links", text(name))


def test_the_images_are_built_with_the_same_tools() -> None:
    (tools,) = re.findall(
        r"/pip install \S+ -c constraints.txt (.+)$", text("docker/Dockerfile"), flags=re.MULTILINE
    )
    assert set(tools.split()) <= PINS.keys()


def test_hooks_run_what_make_lint_runs() -> None:
    recipes = dict(re.findall(r"^(style|types):.*\n((?:\t.*\n)+)", text("Makefile"), flags=re.MULTILINE))
    lines = (recipes["style"] + recipes["types"]).splitlines()
    commands = [line.strip().replace("$(BIN)", ".venv/bin") for line in lines]
    (local,) = yaml.safe_load(text(".pre-commit-config.yaml"))["repos"]
    assert local["repo"] == "local", "nothing is fetched"
    assert sorted(hook["entry"] for hook in local["hooks"]) == sorted(commands)
    assert {hook["language"] for hook in local["hooks"]} == {"system"}


def test_terms_can_be_read() -> None:
    lines = text("docs/terms.txt").splitlines()
    assert lines == sorted(lines)
    for line in lines:
        assert re.fullmatch(r"[a-z]+->[a-z .]+(, [a-z .]+)*,?", line), line
        assert line.endswith(",") == ("," in line), "codespell wants a comma at the end of several proposals"


def test_the_version_is_in_one_place() -> None:
    assert SETUP["metadata"]["version"] == "attr: pipeline.version.__version__"
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)
    named = [
        path for path in ("pyproject.toml", "Makefile", "docker/Dockerfile") if __version__ in text(path)
    ]
    assert named == []


def test_third_party_notices_name_every_package_and_its_licence() -> None:
    """Write them again with `python -m scripts.licences`."""
    assert licences.written() == text("THIRD_PARTY.md")
    found = licences.packages()
    assert {canonicalize_name(name) for name in PACKAGE} <= found.keys() | {"pyseccomp"}
    assert [name for name, licence in found.items() if not licence] == []
    strict = [
        f"{n}: {licence}"
        for n, licence in found.items()
        if re.search(r"\bA?GPL|GNU (Affero )?General", licence)
    ]
    assert strict == [], "not only Lesser: it would apply to Nightshift"


def test_a_release_has_its_section_in_the_changelog() -> None:
    notes = (
        "# Changelog\n\n## [Unreleased]\n\n- more\n\n## [9.1.0] - 2026-12-01\n\n- this\n\n## [9.0.0] - 2026\n"
    )
    assert release.section(notes, "9.1.0") == "- this"
    assert release.section(notes, "9.0.0") == ""
    with pytest.raises(SystemExit, match=r"no section for 9\.2\.0"):
        release.section(notes, "9.2.0")
