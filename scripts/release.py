"""`make release`: build wheel and source archive of this commit, and try the wheel in an empty environment.

Nothing is published, and no tag is made: docs/how-to/release.md says what follows.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from pipeline.version import __version__

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
UV = Path(sys.executable).parent / "uv"
PACKED = ("pipeline", "tasks", "celeryconfig.py")
_TIMEOUT = 1800.0  # seconds of one command; the packages are 2 GB


def main() -> None:
    """Check, build, try; ends with one sentence where something is not as a release needs it."""
    tag = f"v{__version__}"
    if said(["git", "status", "--porcelain"]):
        sys.exit("There are changes that are not committed: commit them, or stash them.")
    if said(["git", "tag", "--list", tag]):
        sys.exit(f"The tag {tag} exists already: raise the version in pipeline/version.py.")
    if not section((ROOT / "CHANGELOG.md").read_text("utf-8"), __version__):
        sys.exit(f"The section of {__version__} in CHANGELOG.md is empty: say what is new.")
    with tempfile.TemporaryDirectory(prefix="nightshift-release-") as work:
        source = Path(work) / "source"
        check_out(source)
        wheel, archive = build(source)
        compare(wheel, archive)
        attempt(wheel, Path(work))
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in (wheel, archive)]
    (DIST / "SHA256SUMS").write_text("".join(sums))
    print(f"{wheel.name}, {archive.name} and SHA256SUMS are in dist/. To release them:")
    print(f"  git tag -s {tag} -m 'Nightshift {__version__}' && git push origin {tag}")


def said(command: list[str], cwd: Path = ROOT) -> str:
    """What a command prints; ends with what it said where it fails."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=_TIMEOUT)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def section(changelog: str, version: str) -> str:
    """What the changelog says of a version; ends where it has no section for it."""
    for part in changelog.split("\n## [")[1:]:
        name, _, rest = part.partition("]")
        if name == version:
            return rest.partition("\n")[2].strip()
    sys.exit(
        f"CHANGELOG.md has no section for {version}: make it of what is under Unreleased, with the date."
    )


def check_out(folder: Path) -> None:
    """The files of this commit, and no others: setuptools would pack what an earlier build left."""
    folder.mkdir()
    packed = folder.with_suffix(".tar")
    said(["git", "archive", "-o", str(packed), "HEAD"])
    said(["tar", "-xf", str(packed), "-C", str(folder)])


def build(source: Path) -> tuple[Path, Path]:
    """The source archive, and the wheel that is built from it, in dist/."""
    said([str(UV), "build", "--clear", "--python", sys.executable, "--out-dir", str(DIST), str(source)])
    (wheel,), (archive,) = DIST.glob("*.whl"), DIST.glob("*.tar.gz")
    if f"-{__version__}" not in wheel.name or f"-{__version__}" not in archive.name:
        sys.exit(f"{wheel.name} and {archive.name} are not of version {__version__}.")
    return wheel, archive


def compare(wheel: Path, archive: Path) -> None:
    """End where a file of the packages is missing from either, or something else is in the wheel."""
    ours = set(said(["git", "ls-files", *PACKED]).splitlines())
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    with tarfile.open(archive) as tar:
        kept = {name.partition("/")[2] for name in tar.getnames()}
    if wrong := sorted(packed ^ ours) + sorted(ours - kept):
        sys.exit(f"The wheel or the source archive is not what is committed: {', '.join(wrong[:10])}.")


def attempt(wheel: Path, work: Path) -> None:
    """Install the wheel into an empty environment and process a sample document with it."""
    python = work / "venv" / "bin" / "python"
    said([str(UV), "venv", "--python", sys.executable, str(work / "venv")])
    lock = str(ROOT / "constraints.txt")
    said([str(UV), "pip", "install", "--python", str(python), "-c", lock, str(wheel)])
    nightshift = str(python.with_name("nightshift"))
    if (named := said([nightshift, "--version"], work)) != f"nightshift {__version__}":
        sys.exit(f"The installed command says {named}.")
    sample = str(ROOT / "samples" / "receipt.jpg")
    said([nightshift, "run", sample, "--out", "results"], work)
    code = "from pipeline import results; print(*results.load('results', 'documents')['status'])"
    if (status := said([str(python), "-c", code], work)) != "done":
        sys.exit(f"The sample document ended as {status}, not done.")


if __name__ == "__main__":
    main()
