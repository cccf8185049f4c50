"""LAC with the real weights on the real Paddle."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline import ner
from pipeline.errors import RunError
from pipeline.ner.lac import LacEngine
from pipeline.ner.lac_model import locate, static_model
from pipeline.ner.quiet_paddle import import_paddle
from pipeline.settings import Settings

PLACES = "王小明昨天从北京飞到上海，在清华大学附属医院见了李华。"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _own_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))


@pytest.fixture(scope="module")
def lac() -> LacEngine:
    return LacEngine(Settings())


def run(code: str, cache: Path, **environ: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache), **environ}
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code], stdout=pipe, stderr=pipe, text=True, env=environment
    )


def wordings(text: str, engine: ner.NerEngine) -> set[tuple[str, str]]:
    return {(m.type, text[m.start : m.end]) for m in engine.extract([text])[0]}


def test_finds_names_with_their_probability(lac: LacEngine) -> None:
    (mentions,) = lac.extract([PLACES])
    found = {(m.type, PLACES[m.start : m.end]) for m in mentions}
    assert found >= {("PER", "王小明"), ("LOC", "北京"), ("LOC", "上海"), ("PER", "李华"), ("TIME", "昨天")}
    assert all(0.3 <= m.confidence <= 1 and m.engine == "lac" for m in mentions)
    assert len({m.confidence for m in mentions}) > 1


def test_japanese_words_are_no_names(lac: LacEngine) -> None:
    assert lac.extract(["請求書 発行日 単価 小計 お支払期限 登録番号"]) == [[]]
    assert lac.extract([f"{PLACES}メーカー"])[0]


def test_the_batch_a_text_is_in_does_not_matter(lac: LacEngine) -> None:
    texts = [PLACES, "", "张伟住在广州。", "Total 12.00", "国", PLACES * 20, "第一行\n住在广州的张伟\n第三行"]
    together = lac.extract(texts)
    for text, mentions in zip(texts, together, strict=True):
        (alone,) = lac.extract([text])
        assert [(m.type, m.start, m.end) for m in alone] == [(m.type, m.start, m.end) for m in mentions]
        assert [m.confidence for m in alone] == pytest.approx([m.confidence for m in mentions], abs=2e-3)
    assert together[1] == together[3] == together[4] == []


def test_spans_in_long_texts_match_the_words(lac: LacEngine) -> None:
    text = "\n".join(["张伟住在广州。" * 60] * 3)
    (mentions,) = lac.extract([text])
    assert {text[m.start : m.end] for m in mentions if m.type == "LOC"} == {"广州"}
    assert len([m for m in mentions if m.type == "LOC"]) == 180
    assert all("\n" not in text[m.start : m.end] for m in mentions)
    assert [m.start for m in mentions] == sorted(m.start for m in mentions)


def test_the_default_engine_lets_a_checked_date_win(lac: LacEngine) -> None:
    text = "开票日期：2023年2月3日 购买方：上海市徐汇区人民政府"
    found = wordings(text, ner.load(Settings()))
    assert ("DATE", "2023年2月3日") in found
    assert not [wording for kind, wording in found if kind == "TIME"]
    assert ("TIME", "2023年2月3日") in wordings(text, lac)


MEASURE = """
import resource
from pipeline import ner
from pipeline.settings import Settings
engine = ner.load(Settings())
engine.extract(["你好"])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
engine.extract(["中华人民共和国" * 30_000])
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.long
def test_a_text_of_210_000_characters_without_a_break_takes_bounded_memory(cache: Path) -> None:
    out, err = run(MEASURE, cache).communicate(timeout=120)
    assert err == ""
    assert int(out) < 300


QUIET = """
import json, logging, os, signal, sys
heard = []
signal.signal(signal.SIGTERM, lambda *_: heard.append("SIGTERM"))
from pipeline import ner
from pipeline.settings import Settings
found = ner.load(Settings()).extract(["张伟住在广州。"])
os.kill(os.getpid(), signal.SIGTERM)
root = logging.getLogger()
threads = os.environ["OMP_NUM_THREADS"]
print(json.dumps([heard, len(found[0]), root.handlers, root.level, "jieba" in sys.modules, threads]))
"""


def test_prints_nothing_and_keeps_signals_and_logs(tmp_path: Path, cache: Path) -> None:
    for place in (tmp_path, cache):  # with conversion and, most likely, without
        out, err = run(QUIET, place, OMP_NUM_THREADS="4").communicate(timeout=120)
        assert err == ""
        assert json.loads(out) == [["SIGTERM"], 2, [], 30, False, "4"]


CONVERT = "from pipeline.ner.lac_model import locate, static_model; print(static_model(locate(None)))"


def test_two_concurrent_conversions_leave_one_complete_model(tmp_path: Path) -> None:
    both = [run(CONVERT, tmp_path) for _ in range(2)]
    outs = [process.communicate(timeout=120) for process in both]
    assert [err for _, err in outs] == ["", ""]
    assert outs[0][0] == outs[1][0]
    (model,) = (tmp_path / "nightshift" / "models").iterdir()
    assert str(model) == outs[0][0].strip()
    names = {"inference.json", "inference.pdiparams", "transitions.npy"}
    assert {file.name for file in model.iterdir()} == names


def test_a_kill_during_conversion_leaves_no_partial_model(tmp_path: Path) -> None:
    process = run(CONVERT, tmp_path)
    models = tmp_path / "nightshift" / "models"
    while process.poll() is None and not list(models.glob("lac-*.*/inference.json")):
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    out, err = run(CONVERT, tmp_path).communicate(timeout=120)
    assert err == ""
    assert (Path(out.strip()) / "transitions.npy").is_file()


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(RunError, match=r"can't be written .* set XDG_CACHE_HOME"):
        LacEngine(Settings()).extract(["你好"])


def test_a_missing_gpu_is_named() -> None:
    if import_paddle().device.is_compiled_with_cuda():
        pytest.skip("this Paddle has CUDA")
    with pytest.raises(RunError, match="The NER device is gpu:0, but this Paddle is a CPU build"):
        LacEngine(Settings(ner_device="gpu:0")).extract(["你好"])


def test_a_model_is_converted_once() -> None:
    model = static_model(locate(None))
    inode = model.stat().st_ino
    assert static_model(locate(None)) == model
    assert model.stat().st_ino == inode
