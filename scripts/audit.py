"""Known vulnerabilities of the locked packages (`pip-audit`), apart from those that were judged.

`audit-exceptions.txt` has a line per finding that is accepted: its id, and behind `#` the reason. Where the advisory
service cannot be reached, the script says so and succeeds, unless `--required` is given.

Exit codes: 0 no finding, or nothing could be audited; 1 findings, or `--required` and something could not be audited;
2 an exception without a reason.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
EXCEPTIONS = ROOT / "audit-exceptions.txt"


def exceptions(text: str) -> dict[str, str]:
    """Id of an accepted finding -> reason. Raises `ValueError` for a line without a reason."""
    accepted = {}
    for number, line in enumerate(text.splitlines(), 1):
        name, _, reason = (part.strip() for part in line.partition("#"))
        if name and not reason:
            raise ValueError(
                f"{EXCEPTIONS.name}, line {number}: write the reason behind a #, as in `{name}  # why`."
            )
        if name:
            accepted[name] = reason
    return accepted


def report(found: dict[str, Any], accepted: dict[str, str]) -> tuple[list[str], list[str], int]:
    """Sentences about findings, sentences about the rest, and the number of packages that could not be audited."""
    packages = found["dependencies"]
    unaudited = [one["name"] for one in packages if "skip_reason" in one]
    findings, notes, used = [], [], set[str]()
    for one in packages:
        for finding in one.get("vulns", []):
            ids = {finding["id"], *finding.get("aliases", [])}
            sentence = f"{one['name']} {one['version']}: {finding['id']}"
            if known := ids & accepted.keys():
                used |= known
                notes.append(f"accepted  {sentence}: {accepted[min(known)]}")
            else:
                fixed = ", ".join(finding["fix_versions"]) or "no version"
                findings.append(f"found  {sentence}, fixed in {fixed}")
    if len(unaudited) < len(packages):
        notes += [
            f"unused  {name}: delete it from {EXCEPTIONS.name}" for name in sorted(accepted.keys() - used)
        ]
    notes.append(
        f"{len(packages) - len(unaudited)} of {len(packages)} packages audited, {len(findings)} findings."
    )
    if unaudited:
        notes.append(f"Not audited: the advisory service has no answer about {', '.join(unaudited[:5])} …")
    return findings, notes, len(unaudited)


def audit(requirements: Path) -> dict[str, Any] | str:
    """What `pip-audit` says about the locked packages, or why it says nothing."""
    command = [
        sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--requirement", str(requirements),
        "--progress-spinner", "off", "--timeout", "10", "--format", "json",
    ]  # fmt: skip
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    except subprocess.TimeoutExpired:
        return "it took more than 300 s"
    if not ended.stdout.strip():
        return (ended.stderr.strip().splitlines() or ["no output"])[-1]
    answer: dict[str, Any] = json.loads(ended.stdout)
    return answer


def main() -> int:
    """Audit, and print what was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--required", action="store_true", help="fail where something could not be audited")
    required = parser.parse_args().required
    try:
        accepted = exceptions(EXCEPTIONS.read_text())
    except ValueError as error:
        print(error)
        return 2
    found = audit(ROOT / "requirements.lock")
    if isinstance(found, str):
        print(f"pip-audit: nothing could be audited: {found}")
        return int(required)
    findings, notes, unaudited = report(found, accepted)
    print("\n".join(f"pip-audit: {sentence}" for sentence in (*findings, *notes)))
    return int(bool(findings) or (required and unaudited > 0))


if __name__ == "__main__":
    sys.exit(main())
