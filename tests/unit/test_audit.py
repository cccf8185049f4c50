"""`make audit`: accepted findings have reasons, and what could not be audited is reported."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

SPEC = spec_from_file_location("audit", ROOT / "scripts" / "audit.py")
assert SPEC
assert SPEC.loader
audit: Any = module_from_spec(SPEC)
SPEC.loader.exec_module(audit)

FINDING = {"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["2.0"]}


def answer(*findings: dict[str, Any], skipped: int = 0) -> dict[str, Any]:
    packages: list[dict[str, Any]] = [{"name": "a", "version": "1.0", "vulns": list(findings)}]
    return {"dependencies": packages + [{"name": f"s{n}", "skip_reason": "?"} for n in range(skipped)]}


def test_every_accepted_finding_has_a_reason() -> None:
    audit.exceptions((ROOT / "audit-exceptions.txt").read_text())
    with pytest.raises(ValueError, match="line 2: write the reason"):
        audit.exceptions("CVE-1  # not used here\nCVE-2\n")


def test_a_finding_is_reported_until_it_is_accepted() -> None:
    findings, notes, unaudited = audit.report(answer(FINDING), {})
    assert findings == ["found  a 1.0: PYSEC-1, fixed in 2.0"]
    assert (notes, unaudited) == (["1 of 1 packages audited, 1 findings."], 0)
    findings, notes, _ = audit.report(answer(FINDING), {"CVE-1": "not used here"})
    assert not findings
    assert notes[0] == "accepted  a 1.0: PYSEC-1: not used here"


def test_what_could_not_be_audited_is_reported() -> None:
    _, notes, unaudited = audit.report(answer(skipped=2), {})
    assert unaudited == 2
    assert "1 of 3 packages audited, 0 findings." in notes
    assert notes[-1].startswith("Not audited: the advisory service has no answer about s0, s1")


def test_an_exception_that_fits_nothing_is_reported() -> None:
    assert "unused  CVE-9: delete it from audit-exceptions.txt" in audit.report(answer(), {"CVE-9": "old"})[1]


def test_the_list_of_components_has_the_hash_of_each(tmp_path: Path) -> None:
    lock, sbom = tmp_path / "requirements.lock", tmp_path / "sbom.json"
    text = (ROOT / "requirements.lock").read_text()
    lock.write_text(text[text.index("celery==") : text.index("click==")])
    command = [Path(sys.executable).with_name("cyclonedx-py"), "requirements", "-o", sbom, lock]
    subprocess.run(list(map(str, command)), check=True, timeout=120)
    listed = json.loads(sbom.read_text())
    (celery,) = [one for one in listed["components"] if one["name"] == "celery"]
    assert listed["bomFormat"] == "CycloneDX"
    assert celery["purl"].startswith("pkg:pypi/celery@")
    assert celery["externalReferences"][0]["hashes"][0]["alg"] == "SHA-256"


def test_rules_against_weak_code_are_on_and_each_exception_has_a_reason() -> None:
    assert '"S"' in (ROOT / "ruff.toml").read_text()
    for room in ("pipeline", "tasks"):
        for path in (ROOT / room).rglob("*.py"):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                _, mark, rest = line.partition("# noqa: S")
                assert not mark or " - " in rest, f"{path}:{number}: no reason"
