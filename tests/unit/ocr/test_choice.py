"""Choosing an engine, identifying its model, and error messages for missing files."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline import ocr
from pipeline.errors import ModelMissing, UsageError
from pipeline.models import ModelInfo
from pipeline.ocr import weights
from tests.support.entry_points import register


def settings(**changes: object) -> Any:
    defaults = {
        "ocr_engine": "rapidocr",
        "ocr_device": "cpu",
        "ocr_model_dir": None,
        "ocr_max_side": 960,
        "ocr_threads": 1,
        "ocr_download": False,
    }
    return SimpleNamespace(**{**defaults, **changes})


def model_folder(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    return folder


ONNX = ("det/inference.onnx", "det/inference.yml", "rec/inference.onnx", "rec/inference.yml")
PADDLE = tuple(f"{part}/inference.{end}" for part in ("det", "rec") for end in ("json", "pdiparams", "yml"))


@pytest.mark.parametrize(
    "changes",
    [{"ocr_max_side": 1280}, {"ocr_engine": "paddleocr"}, {"ocr_engine": "paddleocr", "ocr_download": True}],
)
def test_digest_changes_with_what_changes_output(changes: dict[str, object]) -> None:
    assert ocr.describe(settings()).digest != ocr.describe(settings(**changes)).digest


@pytest.mark.parametrize("changes", [{"ocr_threads": 4}, {"ocr_device": "gpu:0"}])
def test_digest_stays_with_what_does_not(changes: dict[str, object]) -> None:
    assert ocr.describe(settings()) == ocr.describe(settings(**changes))


@pytest.mark.parametrize("names", [ONNX, PADDLE])
def test_digest_covers_the_bytes_of_each_file(tmp_path: Path, names: tuple[str, ...]) -> None:
    folder = model_folder(tmp_path / "mine", *names)
    digests = set()
    for changed in ("", *names):
        if changed:
            (folder / changed).write_bytes(b"other bytes")
        digests.add(ocr.describe(settings(ocr_engine="paddleocr", ocr_model_dir=str(folder))).digest)
    assert len(digests) == len(names) + 1


@pytest.mark.parametrize("missing", [*ONNX, *PADDLE])
def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    names = [name for name in (ONNX if missing in ONNX else PADDLE) if name != missing]
    folder = model_folder(tmp_path / "mine", *names)
    with pytest.raises(ModelMissing, match=Path(missing).name.replace(".", r"\.")):
        ocr.describe(settings(ocr_engine="paddleocr", ocr_model_dir=str(folder)))


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    for engine in ("rapidocr", "paddleocr"):
        with pytest.raises(ModelMissing, match="nowhere"):
            ocr.describe(settings(ocr_engine=engine, ocr_model_dir=str(tmp_path / "nowhere")))


def test_a_wheel_without_its_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "RECOGNITION", "no-such.onnx")
    with pytest.raises(ModelMissing, match=r"no-such\.onnx"):
        ocr.describe(settings())


def test_rapidocr_on_a_gpu_says_what_to_do() -> None:
    with pytest.raises(UsageError, match="paddleocr"):
        ocr.load(settings(ocr_device="gpu"))


@pytest.mark.parametrize("device", ["npu", "gpu:all", ""])
def test_an_unknown_device_is_refused(device: str) -> None:
    for engine in ("rapidocr", "paddleocr"):
        with pytest.raises(UsageError, match=f"'{device}'"):
            ocr.load(settings(ocr_engine=engine, ocr_device=device))


def test_an_unknown_engine_lists_the_known_but_no_fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, ocr.ENTRY_POINTS, "theirs", "their_package:Engine")
    with pytest.raises(UsageError, match=r"'tesseract'.*rapidocr, paddleocr, remote, theirs\.$"):
        ocr.load(settings(ocr_engine="tesseract"))


def test_a_registered_engine_is_loaded_and_described() -> None:
    chosen = settings(ocr_engine="fake-ocr")
    assert ocr.load(chosen).info == ocr.describe(chosen)


def test_a_registered_engine_with_describe_is_not_loaded_for_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    register(monkeypatch, ocr.ENTRY_POINTS, "theirs", f"{__name__}:Theirs")
    assert ocr.describe(settings(ocr_engine="theirs")).name == "described"
    with pytest.raises(RuntimeError, match="loaded"):
        ocr.load(settings(ocr_engine="theirs"))


class Theirs:
    def __init__(self, _: object) -> None:
        raise RuntimeError("loaded")

    @staticmethod
    def describe(_: object) -> ModelInfo:
        return ModelInfo(engine="theirs", name="described", digest="ab" * 8)


def test_describing_imports_no_model_library() -> None:
    code = (
        "import sys; from types import SimpleNamespace as S; from pipeline import ocr;"
        "s = dict(ocr_device='cpu', ocr_model_dir=None, ocr_max_side=960, ocr_threads=1, ocr_download=False);"
        "[ocr.describe(S(ocr_engine=e, **s)) for e in ('rapidocr', 'paddleocr')];"
        "print({'cv2', 'numpy', 'rapidocr', 'openvino', 'paddle', 'paddleocr', 'yaml'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
