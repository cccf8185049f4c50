"""All OCR engines with their real models, on pages drawn here."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from pipeline import ocr
from pipeline.documents.layout import assemble, boxes_of
from pipeline.errors import ModelMissing, UsageError
from pipeline.ocr.paddle_files import cached_onnx_dirs, prepare_onnx_dirs
from pipeline.served.engine import RemoteEngine
from pipeline.settings import Settings
from tests.support.servers import unavailable
from tests.support.servers.paddlex import MODEL, start_paddlex

# third-party imports (paddle, paddlex) warn about themselves
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

Rgb = NDArray[np.uint8]
LETTER = (
    "Harbour Lane Bookshop",
    "14 Quayside Terrace, Newport",
    "Receipt number 20931",
    "The Cartographer's Daughter",
    "Three postcards of the old mill",
    "Wrapping paper and a ribbon",
    "Thank you for your visit",
)
CJK_FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
)


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


@pytest.fixture(scope="module")
def rapid() -> ocr.OcrEngine:
    return ocr.load(settings())


@pytest.fixture(scope="module")
def paddle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ocr.OcrEngine]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield ocr.load(settings(ocr_engine="paddleocr"))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ocr.OcrEngine]:
    """PaddleX's own server."""
    server = start_paddlex(tmp_path_factory.mktemp("paddlex"))
    yield ocr.load(Settings(ocr_engine="remote", ocr_servers=server.url, ocr_server_model=MODEL))
    server.stop()


@pytest.fixture(params=["rapid", "paddle", "served"])
def engine(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


@pytest.fixture
def chinese() -> ImageFont.FreeTypeFont:
    path = next((path for path in CJK_FONTS if Path(path).is_file()), None)
    if path is None:
        unavailable("A font with Chinese characters")
    return ImageFont.truetype(path, 40)


def page(
    lines: tuple[str, ...], size: tuple[int, int] = (800, 700), font_size: int = 32, step: int = 80
) -> Rgb:
    image = Image.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(font_size)
    for number, text in enumerate(lines):
        draw.text((60, 60 + step * number), text, fill="black", font=font)
    return np.asarray(image)


def read_text(engine: ocr.OcrEngine, image: Rgb) -> str:
    seen = engine.read(image)
    return assemble(seen.lines, seen.width, seen.height)[0]


def squeeze(text: str) -> str:
    return "".join(text.split()).lower()


def test_a_server_reads_the_test_page_and_is_believed_when_it_finds_nothing(served: RemoteEngine) -> None:
    served._servers.check()
    stroke = page(()).copy()
    stroke[300:303, 100:103] = 0
    assert served.read(stroke).lines == ()


def test_reads_a_page(engine: ocr.OcrEngine) -> None:
    seen = engine.read(page(LETTER))
    text, lines = assemble(seen.lines, seen.width, seen.height)
    assert squeeze(text) == squeeze("".join(LETTER))
    assert (seen.rotation, seen.width, seen.height) == (0, 800, 700)
    assert all(line.confidence > 0.9 for line in lines)


def test_boxes_cover_the_words(rapid: ocr.OcrEngine) -> None:
    seen = rapid.read(page(LETTER))
    text, lines = assemble(seen.lines, seen.width, seen.height)
    start = text.index("20931")
    ((top_left, _, bottom_right, _),) = boxes_of(lines, start, start + 5)
    left = 60 + ImageFont.load_default(32).getlength("Receipt number ")
    assert top_left == pytest.approx((left, 220), abs=30)
    assert bottom_right[1] - top_left[1] == pytest.approx(36, abs=14)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_rotated_pages_are_read_upright(engine: ocr.OcrEngine, quarters: int) -> None:
    upright = page(LETTER)
    seen = engine.read(np.ascontiguousarray(np.rot90(upright, quarters)))
    assert seen.rotation == 90 * quarters  # rot90 rotates the other way
    assert (seen.width, seen.height) == (800, 700)
    assert squeeze(assemble(seen.lines, seen.width, seen.height)[0]) == squeeze("".join(LETTER))


def test_a_rotated_page_of_one_line(rapid: ocr.OcrEngine) -> None:
    turned = np.ascontiguousarray(np.rot90(page(LETTER[:1], (600, 160)), 2))
    assert rapid.read(turned).rotation == 180
    assert squeeze(read_text(rapid, turned)) == squeeze(LETTER[0])


def test_vertical_writing_is_not_a_rotated_page(
    rapid: ocr.OcrEngine, chinese: ImageFont.FreeTypeFont
) -> None:
    columns = ("春天早晨走过小桥", "河边有许多人洗衣服", "远处山上飘着白云")
    image = Image.new("RGB", (700, 700), "white")
    for number, text in enumerate(columns):
        for at, character in enumerate(text):
            ImageDraw.Draw(image).text(
                (540 - 160 * number, 60 + 54 * at), character, font=chinese, fill="black"
            )
    assert rapid.read(np.asarray(image)).rotation == 0
    assert read_text(rapid, np.asarray(image)) == "\n".join(columns)


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_chinese_pages_in_any_orientation(
    rapid: ocr.OcrEngine, chinese: ImageFont.FreeTypeFont, quarters: int
) -> None:
    lines = (
        "发票号码：20931447",
        "购买方名称：远山书店有限公司",
        "价税合计：壹佰贰拾元整",
        "开票日期：2026年11月22日",
    )
    image = Image.new("RGB", (800, 500), "white")
    for number, text in enumerate(lines):
        ImageDraw.Draw(image).text((60, 60 + 100 * number), text, font=chinese, fill="black")
    seen = rapid.read(np.ascontiguousarray(np.rot90(np.asarray(image), quarters)))
    assert seen.rotation == 90 * quarters
    text = assemble(seen.lines, seen.width, seen.height)[0]
    assert text.replace(" ", "").replace(":", "：").split("\n") == list(lines)


def test_a_receipt_of_one_metre(rapid: ocr.OcrEngine) -> None:
    items = tuple(f"{n:03d} Pencil case blue" for n in range(140))
    text = read_text(rapid, page(items, (560, 7000), font_size=26, step=49))
    assert [row[:3] for row in text.split("\n")] == [item[:3] for item in items]


@pytest.mark.parametrize("size", [(1, 1), (3, 900), (900, 3), (40, 40), (900, 700)])
def test_blank_images_of_any_size_have_no_lines(rapid: ocr.OcrEngine, size: tuple[int, int]) -> None:
    seen = rapid.read(np.full((*size, 3), 255, np.uint8))
    assert (seen.lines, seen.rotation, seen.height, seen.width) == ((), 0, *size)


def test_a_line_that_fills_its_image(engine: ocr.OcrEngine) -> None:
    image = page(LETTER[:1], (460, 150))[62:102, 50:]
    seen = engine.read(np.ascontiguousarray(image))
    assert squeeze(read_text(engine, np.ascontiguousarray(image))) == squeeze(LETTER[0])
    assert all(0 <= x <= seen.width and 0 <= y <= seen.height for ln in seen.lines for x, y in ln.box)


@pytest.mark.parametrize("name", ["rapidocr", "paddleocr"])
def test_one_compute_thread_without_output_or_network(tmp_path: Path, name: str) -> None:
    """In a fresh process: no output, no network access (by children either), one busy thread."""
    code = f"""
import sys, time
calls = ("socket.connect", "socket.getaddrinfo", "socket.sendto")
sys.addaudithook(lambda event, args: event in calls and print(event, args, file=sys.stderr, flush=True))
import numpy as np
from types import SimpleNamespace
from pipeline import ocr
image = np.load({str(tmp_path / "page.npy")!r})
engine = ocr.load(SimpleNamespace(**{vars(settings(ocr_engine=name))!r}))
process, thread = time.process_time(), time.thread_time()
for _ in range(3):
    assert engine.read(image).lines
process, thread = time.process_time() - process, time.thread_time() - thread
assert thread > 0.95 * process, (thread, process)
"""
    np.save(tmp_path / "page.npy", page(LETTER))
    home = {**os.environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=home)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not (tmp_path / "intel").exists()  # OpenVINO's telemetry folder


def test_own_onnx_folders_on_both_engines(tmp_path: Path) -> None:
    prepare_onnx_dirs(tmp_path)
    for name in ("rapidocr", "paddleocr"):
        chosen = settings(ocr_engine=name, ocr_model_dir=str(tmp_path))
        engine = ocr.load(chosen)
        assert squeeze(read_text(engine, page(LETTER))) == squeeze("".join(LETTER))
        assert engine.info == ocr.describe(chosen)


def test_the_cache_is_created_once_and_atomically(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    detection, recognition = cached_onnx_dirs()
    made = (recognition / "inference.yml").stat().st_mtime_ns
    assert cached_onnx_dirs() == (detection, recognition)
    assert (recognition / "inference.yml").stat().st_mtime_ns == made
    assert [path.name for path in (tmp_path / "nightshift" / "models").iterdir()] == [detection.parent.name]


def test_an_unreachable_hub_error_says_what_to_do(tmp_path: Path) -> None:
    """In a fresh process, as paddlex reads its cache folder from the environment when imported."""
    code = f"""
import os
os.environ["PADDLE_PDX_CACHE_HOME"] = {str(tmp_path)!r}
import pytest_socket; pytest_socket.disable_socket(allow_unix_socket=True)
from types import SimpleNamespace
from pipeline import ocr
from pipeline.errors import ModelMissing
try:
    ocr.load(SimpleNamespace(**{vars(settings(ocr_engine="paddleocr", ocr_download=True))!r}))
except ModelMissing as error:
    print(error.message)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "PP-OCRv6_small_det could not be fetched" in done.stdout, done.stderr
    assert "ocr_model_dir" in done.stdout


def test_a_missing_gpu(tmp_path: Path) -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("onnxruntime has CUDA here")
    prepare_onnx_dirs(tmp_path)
    with pytest.raises(UsageError, match="gpu:0"):
        ocr.load(settings(ocr_engine="paddleocr", ocr_device="gpu:0", ocr_model_dir=str(tmp_path)))


def test_onnx_without_characters_is_refused(tmp_path: Path) -> None:
    """RapidOCR would download a list of characters."""
    detection, recognition = prepare_onnx_dirs(tmp_path)
    (recognition / "inference.onnx").write_bytes((detection / "inference.onnx").read_bytes())
    with pytest.raises(ModelMissing, match="characters"):
        ocr.load(settings(ocr_model_dir=str(tmp_path)))


def test_paddle_weights_run_on_paddle(tmp_path: Path) -> None:
    """Weights in Paddle's own format: two small nets that detect dark areas as text and read them as x."""
    _paddle_nets(tmp_path)
    chosen = settings(ocr_engine="paddleocr", ocr_model_dir=str(tmp_path))
    engine = ocr.load(chosen)
    image = np.full((300, 400, 3), 255, np.uint8)
    image[100:140, 80:120] = 0  # as wide as a letter: a longer line of one letter would count as unread
    (line,) = engine.read(image).lines
    (left, top), _, (right, bottom), _ = line.box
    assert line.text == "x"
    assert (left, top, right, bottom) == pytest.approx((80, 100, 120, 140), abs=30)
    assert engine.info == ocr.describe(chosen)


def _paddle_nets(target: Path) -> None:
    import paddle
    from paddle import nn

    class Net(nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.contrast = self.create_parameter([1], default_initializer=nn.initializer.Constant(-10.0))

    class Detect(Net):
        def forward(self, x: Any) -> Any:
            return nn.functional.sigmoid(self.contrast * x.mean(axis=1, keepdim=True))

    class Recognize(Net):
        def forward(self, x: Any) -> Any:
            dark = nn.functional.sigmoid(self.contrast * x.mean(axis=1).min(axis=1, keepdim=True))
            return paddle.concat([1 - dark, dark, dark * 0], axis=1).transpose([0, 2, 1])

    prepare_onnx_dirs(target)
    for part, net, shape in (
        ("det", Detect(), [None, 3, None, None]),
        ("rec", Recognize(), [None, 3, 48, None]),
    ):
        (target / part / "inference.onnx").unlink()
        spec = [paddle.static.InputSpec(shape, "float32", name="x")]
        paddle.jit.save(
            paddle.jit.to_static(net, input_spec=spec, full_graph=True), str(target / part / "inference")
        )
    config = target / "rec" / "inference.yml"
    content = yaml.safe_load(config.read_text(encoding="utf-8"))
    content["PostProcess"]["character_dict"] = ["x"]
    config.write_text(yaml.safe_dump(content), encoding="utf-8")
