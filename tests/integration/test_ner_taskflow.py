"""The engine `taskflow` on the real PaddleNLP, with tiny models of known weights and with LAC."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from pipeline import ner
from pipeline.errors import ModelMissing, RunError, UsageError
from pipeline.ner.quiet_paddle import import_paddlenlp
from pipeline.ner.taskflow import hub
from pipeline.ner.taskflow.export import export_lac
from pipeline.settings import Settings
from tests.support import taskflow_models as tiny

SCHEMA = '["名", "地"]'
FOUND = {"classifier": ("PER", "LOC"), "uie": ("名", "地"), "wordtag": ("人物类_实体", "世界地区类")}
KINDS = list(FOUND)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("models")
    for kind in KINDS:
        getattr(tiny, kind)(place / kind)
    export_lac(place / "lac")
    return place


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _own_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only this machine can be resolved: a lookup of any other host fails the test."""
    ask = socket.getaddrinfo

    def refuse(host: str, *rest: object, **options: object) -> object:
        if host not in ("localhost", "127.0.0.1"):
            raise socket.gaierror(f"a test asked for {host}")
        return ask(host, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def engine(models: Path, kind: str) -> ner.NerEngine:
    return ner.load(Settings(ner_engine=f"taskflow={models / kind}", ner_schema=SCHEMA))


def wordings(text: str, engine: ner.NerEngine) -> list[tuple[str, str]]:
    return [(m.type, text[m.start : m.end]) for m in engine.extract([text])[0]]


# What is found, and where


@pytest.mark.parametrize("kind", KINDS)
def test_offsets_refer_to_the_original_text(models: Path, kind: str) -> None:
    person, place = FOUND[kind]
    reader = engine(models, kind)
    for between in (
        "住在",
        "：",
        " \n ",
        "ＡＢ Ｃ",
        "É e\u0301 ",
        "\u200b\u00ad\x07",
        "饕 餮",
        "ΣΑΣ ς",
        "İİ",
        "한국 ",
        "😀",
        "ﬁ½",
    ):
        text = f"{between}张伟{between}广州{between}张伟"
        assert wordings(text, reader) == [(person, "张伟"), (place, "广州"), (person, "张伟")], between


@pytest.mark.parametrize("kind", KINDS)
def test_lines_of_unknown_characters_are_skipped(models: Path, kind: str) -> None:
    person, place = FOUND[kind]
    reader = engine(models, kind)
    for text in ("\uf0b7\n张伟住在广州", "张伟住在\n\x00\n广州", "\ufffd\n张伟住在广州\n\u200b"):
        assert wordings(text, reader) == [(person, "张伟"), (place, "广州")], text
    assert reader.extract(["\u200b", "\uf0b7\n\uf0b7"]) == [[], []]


@pytest.mark.parametrize("kind", KINDS)
def test_long_and_short_texts_in_one_call(models: Path, kind: str) -> None:
    person, place = FOUND[kind]
    reader = engine(models, kind)
    texts = ["", "住" * 397 + "张伟" + "在" * 320 + "广州", " \n", "张伟", "在" * 5000 + "广州"]
    expected = [[], [(person, 397), (place, 719)], [], [(person, 0)], [(place, 5000)]]
    assert [[(m.type, m.start) for m in each] for each in reader.extract(texts)] == expected


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_at_any_cut_is_found_once(models: Path, kind: str) -> None:
    reader = engine(models, kind)
    for before in range(310, 325):
        text = "在" * before + "张伟" * 45 + "住" * 300
        assert [m.start for m in reader.extract([text])[0]] == list(range(before, before + 90, 2))


@pytest.mark.parametrize(
    ("kind", "wording"), [("classifier", "张\n伟"), ("uie", "张\n伟"), ("wordtag", "张")]
)
def test_only_models_of_sentences_stop_at_a_line_break(models: Path, kind: str, wording: str) -> None:
    (first, *_) = wordings("住在张\n伟", engine(models, kind))
    assert first == (FOUND[kind][0], wording)


@pytest.mark.parametrize("kind", KINDS)
def test_each_mention_has_model_and_confidence(models: Path, kind: str) -> None:
    reader = engine(models, kind)
    (mention,) = reader.extract(["张伟"])[0]
    assert (mention.engine, mention.model, mention.model_digest) == ("taskflow", kind, reader.info.digest)
    assert mention.confidence == 0.5 if kind == "wordtag" else mention.confidence > 0.9


def test_a_vocabulary_that_is_not_chinese_is_read_word_by_word(tmp_path: Path) -> None:
    place = tiny.classifier(tmp_path / "words")
    vocabulary = place / "vocab.txt"
    words = [*tiny.SPECIAL, *(f"w{n}" for n in range(len(tiny.LETTERS)))]
    words[tiny.VOCABULARY.index("张")], words[tiny.VOCABULARY.index("伟")] = "hua", "zhang"
    words[tiny.VOCABULARY.index("。")] = "##zhou"
    vocabulary.write_text("\n".join(words) + "\n")
    text = "w1 Hua ZHANG, w2 huazhou."
    assert wordings(text, ner.load(Settings(ner_engine=f"taskflow={place}"))) == [
        ("PER", "Hua ZHANG"),
        ("PER", "huazhou"),
    ]


def test_lac_as_an_exported_taskflow_reads_offline(models: Path) -> None:
    text = "王小明昨天从北京飞到上海，在 清华大学附属医院见了李华。"
    found = wordings(text, engine(models, "lac"))
    assert {("PER", "王小明"), ("LOC", "北京"), ("LOC", "上海"), ("PER", "李华"), ("TIME", "昨天")} <= set(
        found
    )


def test_lac_as_paddlenlp_publishes_it_is_converted(tmp_path: Path) -> None:
    reader = ner.load(Settings(ner_engine=f"taskflow={tiny.lac_weights(tmp_path / 'lac')}"))
    assert wordings("张Ａ\n伟", reader) == [("PER", "张"), ("PER", "Ａ"), ("PER", "伟")]


# Folders and files


def test_the_users_folder_stays_as_it_is_and_may_be_read_only(models: Path) -> None:
    for kind in KINDS:
        place = models / kind
        before = {file.name: file.read_bytes() for file in place.iterdir()}
        place.chmod(0o555)
        engine(models, kind).extract(["张伟"])
        place.chmod(0o755)
        assert {file.name: file.read_bytes() for file in place.iterdir()} == before


@pytest.mark.parametrize("kind", KINDS)
def test_invalid_weights_are_named(models: Path, tmp_path: Path, kind: str) -> None:
    place = getattr(tiny, kind)(tmp_path / "torn")
    weights = place / "model_state.pdparams"
    weights.write_bytes(weights.read_bytes()[:1000])
    broken = ner.load(Settings(ner_engine=f"taskflow={place}", ner_schema=SCHEMA))
    with pytest.raises(ModelMissing, match=f"PaddleNLP can't open the NER model in {place}") as caught:
        broken.extract(["张伟"])
    assert "\n" not in str(caught.value)


def test_a_wordtag_tokenizer_with_one_summary_is_refused(tmp_path: Path) -> None:
    place = tiny.wordtag(tmp_path / "shifted", summaries=1)
    with pytest.raises(ModelMissing, match="says cls_num 1, but wordtag has 2"):
        ner.load(Settings(ner_engine=f"taskflow={place}")).extract(["张伟"])


def test_a_schema_too_long_for_the_model_is_refused(tmp_path: Path) -> None:
    place = tiny.uie(tmp_path / "uie")
    config = place / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "max_position_embeddings": 64}))
    small = ner.load(Settings(ner_engine=f"taskflow={place}", ner_schema=json.dumps(["长" * 60])))
    with pytest.raises((UsageError, ModelMissing)):
        small.extract(["张伟"])


# Processes


MEASURE = """
import resource, sys
from pipeline import ner
from pipeline.settings import Settings
engine = ner.load(Settings(ner_engine="taskflow=" + sys.argv[1], ner_schema=sys.argv[2]))
text = "张伟住在广州。" * 30_000
engine.extract([text[:12_800]])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(len(engine.extract([text])[0]))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.long
@pytest.mark.parametrize("kind", ["classifier", "wordtag"])
def test_210_000_characters_take_bounded_memory_and_print_nothing(
    models: Path, cache: Path, kind: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", MEASURE, str(models / kind), SCHEMA],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "XDG_CACHE_HOME": str(cache)},
    )
    assert done.stderr == ""
    mentions, more = map(int, done.stdout.split())
    assert mentions == 60_000
    assert more < 150


# The hub


@pytest.fixture
def server(models: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(models))) as answering:
        thread = Thread(target=answering.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{answering.server_address[1]}"
        answering.shutdown()
        thread.join()


@pytest.fixture
def uie_base(server: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """PaddleNLP's list of the files of `uie-base`, moved to this machine."""
    import_paddlenlp()
    from paddlenlp.taskflow.information_extraction import UIETask

    listed = UIETask.resource_files_urls["uie-base"]
    here = {key: [f"{server}/uie/{UIETask.resource_files_names[key]}", ""] for key in listed}
    monkeypatch.setitem(UIETask.resource_files_urls, "uie-base", here)
    return here


FROM_HUB = Settings(
    ner_engine="taskflow", ner_download=True, ner_task="information_extraction", ner_schema=SCHEMA
)


def test_a_model_is_fetched_once_and_then_kept(
    uie_base: dict[str, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for _ in range(2):
        assert wordings("张伟住在广州", ner.load(FROM_HUB)) == [("名", "张伟"), ("地", "广州")]
        uie_base["config"][0] = "http://127.0.0.1:1/config.json"


def test_a_wrong_checksum_is_not_cached(
    uie_base: dict[str, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    uie_base["vocab_file"][1] = "0" * 32
    with pytest.raises(RunError, match=r"checksum of vocab.txt of 'uie-base' .* is wrong"):
        ner.load(FROM_HUB).extract(["张伟"])
    assert list((tmp_path / "nightshift" / "models").iterdir()) == []


def test_an_unreachable_hub_is_named_with_a_solution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for settings in (FROM_HUB, Settings(ner_engine="taskflow", ner_download=True, ner_model_name="me/mine")):
        with pytest.raises(
            RunError, match=r"The model hub \S+ can't be reached for .* NIGHTSHIFT_NER_MODEL_DIR"
        ):
            ner.load(settings).extract(["张伟"])


def test_a_hub_that_does_not_answer_times_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(hub, "SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(RunError, match=rf"The model hub 127.0.0.1:{port} can't be reached"):
            hub._download(f"http://127.0.0.1:{port}/a", "", tmp_path / "a", "uie-base")


def test_a_truncated_file_is_not_cached(tmp_path: Path) -> None:
    class Short(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "1000000")
            self.end_headers()
            self.wfile.write(b"x" * 1000)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Short) as answering:
        Thread(target=answering.handle_request).start()
        with pytest.raises(RunError, match=r"truncated after 1000 of 1000000 bytes"):
            hub._download(f"http://127.0.0.1:{answering.server_address[1]}/a", "", tmp_path / "a", "mine")


def test_a_model_unknown_to_the_hub_is_refused(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(ModelMissing, match="Model 'uie-nonsense' is unknown to PaddleNLP"):
        ner.load(
            Settings(
                ner_engine="taskflow", ner_download=True, ner_model_name="uie-nonsense", ner_schema=SCHEMA
            )
        ).extract(["张伟"])
    with pytest.raises(ModelMissing, match=r"config.json of 'mine' not found on .* \(status 404\)"):
        hub._download(f"{server}/mine/config.json", "", tmp_path / "config.json", "mine")
