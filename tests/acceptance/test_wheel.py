"""The wheel in an empty environment: it carries all that the package is made of, and reads a document anywhere."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import pipeline
from tests.conftest import ROOT

BIN = Path(sys.executable).parent
SOURCES = ("pyproject.toml", "setup.cfg", "README.md", "LICENSE", "THIRD_PARTY.md", "celeryconfig.py")
PACKAGES = ("pipeline", "tasks")
RECEIPT = ROOT / "samples" / "receipt.jpg"
DAY = "2026-11-22"


def succeed(*command: object, cwd: Path, env: dict[str, str] | None = None) -> str:
    """Run a command, return its standard output; fail with what it said."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{command}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the source archive of a copy: setuptools would pack what an earlier build has left."""
    work = tmp_path_factory.mktemp("wheel")
    source = work / "source"
    source.mkdir()
    for name in SOURCES:
        shutil.copy(ROOT / name, source)
    for name in PACKAGES:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    # Without isolation: setuptools is here already, so this needs no network.
    succeed(
        BIN / "uv", "build", "--no-build-isolation", "--python", sys.executable,
        "--out-dir", work / "dist", source, cwd=work,
    )  # fmt: skip
    (built,) = (work / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def venv(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel and what it requires, nothing else."""
    folder = tmp_path_factory.mktemp("empty") / "venv"
    succeed(BIN / "uv", "venv", "--python", sys.executable, folder, cwd=folder.parent)
    install = [
        BIN / "uv", "pip", "install", "--python", folder / "bin" / "python",
        "-c", ROOT / "requirements.lock", wheel,
    ]  # fmt: skip
    # `make setup` has left everything in uv's cache; only a cleaned cache needs the network.
    for more in ("--offline", "--no-progress"):
        done = subprocess.run(
            [*map(str, install), more], cwd=folder.parent, capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            return folder
    if not os.environ.get("CI") and any(s in done.stderr for s in ("error sending request", "dns error")):
        pytest.skip("no network, and uv's cache lacks a required package")
    raise AssertionError(done.stderr)


def test_the_wheel_holds_every_file_of_the_packages(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    packed = {name for name in names if ".dist-info/" not in name}
    ours = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert packed == ours | {"celeryconfig.py"}
    assert {"pipeline/py.typed", "pipeline/submission/schema/submission.v1.json"} <= packed
    notices = {name.rpartition("/")[2] for name in names if ".dist-info/licenses/" in name}
    assert notices == {"LICENSE", "THIRD_PARTY.md"}


def test_it_reads_a_document_from_any_folder(venv: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    shutil.copy(RECEIPT, tmp_path / "scan.jpg")
    home = tmp_path / "home"
    env = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "LANG": "C.UTF-8",
    }
    where = tmp_path / "elsewhere"
    python = venv / "bin" / "python"

    assert (
        succeed(python, "-m", "pipeline", "--version", cwd=where, env=env).split()[-1] == pipeline.__version__
    )
    succeed(
        venv / "bin" / "nightshift", "run", "../scan.jpg", "--out", "results", "--run-date", DAY,
        cwd=where, env=env,
    )  # fmt: skip

    (path,) = (where / "results" / "results" / f"run_date={DAY}").glob("*.json")
    result = json.loads(path.read_text())
    text = "\n".join(line["text"] for page in result["pages"] for line in page["lines"])
    assert "KEDAI MAKAN CONTOH" in text
    assert "68.30" in text
    assert {"DATE", "MONEY", "ORG"} <= {entity["type"] for entity in result["entities"]}
    code = "from pipeline import results; print(*results.load('results', 'documents')['status'])"
    assert succeed(python, "-c", code, cwd=where, env=env) == "done\n"


def test_no_library_of_a_desktop_is_needed(venv: Path) -> None:
    """Only the headless OpenCV: the other builds need libGL, which servers and slim images lack."""
    packages = venv / "lib" / "python3.11" / "site-packages"
    assert {path.name.split("-")[0] for path in packages.glob("opencv*.dist-info")} == {
        "opencv_python_headless"
    }
    assert b"libGL.so" not in next((packages / "cv2").glob("cv2*.so")).read_bytes()


WORDTAG = {
    "NIGHTSHIFT_NER_ENGINE": "taskflow",
    "NIGHTSHIFT_NER_DOWNLOAD": "true",
    "NIGHTSHIFT_NER_MODEL_NAME": "wordtag",
}


@pytest.mark.parametrize(
    ("settings", "extra"), [({"NIGHTSHIFT_OCR_ENGINE": "paddleocr"}, "paddleocr"), (WORDTAG, "paddlenlp")]
)
def test_an_engine_that_is_an_extra_says_what_to_install(
    venv: Path, tmp_path: Path, settings: dict[str, str], extra: str
) -> None:
    done = subprocess.run(
        [venv / "bin" / "nightshift", "run", RECEIPT, "--out", "results"],
        cwd=tmp_path, env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), **settings},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert f"nightshift[{extra}]" in " ".join((done.stdout + done.stderr).split())
