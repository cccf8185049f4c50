"""Engines that ask models for what they read, as processes with a device process do: they read what an engine reads."""

import difflib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from pipeline import ocr
from pipeline.errors import UsageError
from pipeline.ocr import identity, weights
from pipeline.ocr import onnx_models as onnx_module
from pipeline.ocr.asking_engine import asking_here
from pipeline.ocr.batched import BatchModels
from pipeline.ocr.onnx_models import OnnxModels
from pipeline.ocr.openvino_models import OpenVinoModels
from pipeline.ocr.tensors import batch_of
from tests.support.engines import WHITE, OcrModelContract, Rgb, letter

# third-party imports (paddle, paddlex) warn about themselves
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
SAMPLES = Path(__file__).resolve().parents[2] / "samples"


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


@pytest.fixture(scope="module", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def pages() -> list[Rgb]:
    """Upright, upside down, sideways, with a seal, blank, and tiny."""
    seals = cv2.cvtColor(cv2.imread(str(SAMPLES / "vat_invoice.jpg")), cv2.COLOR_BGR2RGB)
    turned = [np.ascontiguousarray(np.rot90(letter(), quarters)) for quarters in range(4)]
    return [*turned, seals.astype(np.uint8), WHITE, letter()[:40, :40]]


def texts(readings: list[ocr.PageReading]) -> list[list[str]]:
    return [[line.text for line in reading.lines] for reading in readings]


def onnx_models(*, together: bool) -> OnnxModels:
    files = weights.onnx_models(None)
    return OnnxModels(identity.of_rapid(settings()), files, "cpu", threads=1, together=together)


@pytest.mark.parametrize("engine", ["rapidocr", "paddleocr"])
def test_asking_reads_what_the_engine_reads(engine: str) -> None:
    chosen = settings(ocr_engine=engine)
    models = ocr.load_models(chosen, "cpu")
    asking, alone = ocr.asking(chosen, asking_here(models)), ocr.load(chosen)
    assert asking.info == alone.info == models.info == ocr.describe(chosen)
    read = [asking.read(page) for page in pages()]
    assert read == [alone.read(page) for page in pages()]
    assert sum(map(len, texts(read))) > 60


@pytest.mark.long
def test_several_streams_answer_as_one() -> None:
    files, info = weights.onnx_models(None), identity.of_rapid(settings())
    read = []
    for streams in (1, 3):
        models = OpenVinoModels(info, files, threads=1, streams=streams)
        engine = ocr.asking(settings(), asking_here(models))
        read.append([engine.read(page) for page in pages()])
    assert read[0] == read[1]


def test_batches_of_lines_of_many_pages_read_what_each_line_gives_alone() -> None:
    alone = ocr.asking(settings(), asking_here(onnx_models(together=False)))
    models = Shared(onnx_models(together=True))
    together = ocr.asking(settings(), models.ask)
    expected = [alone.read(page) for page in pages()]
    with ThreadPoolExecutor(4) as threads:
        read = list(threads.map(together.read, pages()))
    assert texts(read) == texts(expected)
    assert [page.rotation for page in read] == [page.rotation for page in expected]
    for one, other in zip(read, expected, strict=True):
        assert [line.box for line in one.lines] == [line.box for line in other.lines]
        pairs = zip(one.lines, other.lines, strict=True)
        assert all(a.confidence == pytest.approx(b.confidence, abs=0.001) for a, b in pairs)
    assert models.largest > 8


def test_shapes_of_a_gpu_read_nearly_the_same_with_few_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    made, shapes, real = list[bytes](), set[Any](), onnx_module._session

    def session(model: bytes, _: str, threads: int) -> Any:
        made.append(model)
        return real(model, "cpu", threads)

    monkeypatch.setattr(onnx_module, "_session", session)
    models = OnnxModels(identity.of_rapid(settings()), weights.onnx_models(None), "gpu:0", threads=1)
    here = asking_here(models)

    def ask(kind: Any, images: Any) -> Any:
        shapes.update((kind, models.size_of(kind, *image.shape[:2])) for image in images)
        return here(kind, images)

    expected = ocr.asking(settings(), asking_here(onnx_models(together=True))).read(letter())
    made.clear()
    engine = ocr.asking(settings(), ask)
    read = [engine.read(letter()) for _ in range(2)]
    assert read[0] == read[1]
    (one,), (other,) = texts([read[0]]), texts([expected])
    assert difflib.SequenceMatcher(None, "\n".join(one), "\n".join(other)).ratio() > 0.99
    assert len(made) == len(shapes) < 15


def test_memory_short_on_a_gpu_closes_the_sessions_of_other_shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    real, full = onnx_module._session, [False]

    class Session:
        def __init__(self, model: bytes, threads: int) -> None:
            self._session = real(model, "cpu", threads)
            self.get_inputs = self._session.get_inputs

        def run(self, *asked: Any) -> Any:
            if full[0] and (len(models._sessions) > 1 or next(iter(asked[1].values())).shape[0] > 1):
                raise RuntimeError("Failed to allocate memory for requested buffer of size 1")
            return self._session.run(*asked)

    monkeypatch.setattr(onnx_module, "_session", lambda model, _, threads: Session(model, threads))
    models = OnnxModels(identity.of_rapid(settings()), weights.onnx_models(None), "gpu:0", threads=1)
    line = np.ascontiguousarray(letter()[60:108, 40:440])
    (expected,) = models.run("recognize", [line])
    models.run("recognize", [line[:, :200]])
    full[0] = True
    (found,) = models.run("recognize", [line])
    assert np.array_equal(found[0], expected[0])
    assert list(models._sessions) == [("recognize", 1, 48, 416, 3)]


@pytest.mark.parametrize(("kind", "width"), [("detect", 320), ("recognize", 301), ("direction", 97)])
def test_a_gpu_normalises_pixels_as_a_processor_does(
    kind: Any, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = onnx_module._session
    monkeypatch.setattr(onnx_module, "_session", lambda model, _, threads: real(model, "cpu", threads))
    models = OnnxModels(identity.of_rapid(settings()), weights.onnx_models(None), "gpu:0", threads=1)
    image = np.ascontiguousarray(letter()[: 320 if kind == "detect" else 48, 40 : 40 + width])
    size = models.size_of(kind, *image.shape[:2])
    batch = batch_of([image], *size, models.tables[kind])
    expected = onnx_models(together=True).compute(kind, batch)
    monkeypatch.setattr(models, "most", lambda *_: 1)
    for found, values in zip(models.run(kind, [image])[0], expected, strict=True):
        assert found.dtype == values.dtype
        assert np.array_equal(found, values[0][: len(found)])


class Shared:
    """Models that several threads ask."""

    def __init__(self, models: BatchModels) -> None:
        self._lock, self._run = Lock(), models.run
        models.run = self._counted  # type: ignore[method-assign]
        self._here = asking_here(models)
        self.largest = 0

    def _counted(self, kind: Any, images: Any) -> Any:
        self.largest = max(self.largest, len(images))
        return self._run(kind, images)

    def ask(self, kind: Any, images: Any) -> Any:
        with self._lock:
            return self._here(kind, images)


def test_the_best_class_is_found_on_the_device_as_numpy_finds_it() -> None:
    import onnxruntime

    line = np.ascontiguousarray(letter()[60:108, 40:440])
    ((classes, confidences),) = onnx_models(together=True).run("recognize", [line])
    session = onnxruntime.InferenceSession(weights.onnx_models(None)["recognize"])
    tensor = np.zeros((1, 3, 48, 416), np.float32)
    tensor[0, :, :, :400] = line.transpose(2, 0, 1) / 127.5 - 1
    (scores,) = session.run(None, {session.get_inputs()[0].name: tensor})
    assert np.array_equal(classes, scores[0].argmax(axis=1))
    assert confidences == pytest.approx(scores[0].max(axis=1), abs=1e-4)
    assert classes.dtype == np.int32
    assert confidences.dtype == np.float32


@pytest.mark.parametrize("engine", ["rapidocr", "paddleocr"])
def test_a_missing_gpu_is_named(engine: str) -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("onnxruntime has CUDA here")
    with pytest.raises(UsageError, match="gpu:1"):
        ocr.load_models(settings(ocr_engine=engine), "gpu:1")


class TestAsking(OcrModelContract):
    """The contract of engines, by the engine that asks."""

    @pytest.fixture(scope="class")
    @classmethod
    def settings(cls) -> Any:
        return settings()

    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, settings: Any) -> ocr.OcrEngine:
        return ocr.asking(settings, asking_here(ocr.load_models(settings, "cpu")))
