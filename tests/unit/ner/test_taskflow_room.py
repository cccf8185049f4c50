"""The engine `taskflow` before a model is opened: folders, schemas, windows, labels. No Paddle."""

import json
from pathlib import Path

import pytest

from pipeline import ner
from pipeline.errors import ModelMissing, UsageError
from pipeline.ner.taskflow import folder, hub, labels, schema
from pipeline.ner.taskflow.labels import Span, spans
from pipeline.ner.taskflow.windows import cut
from pipeline.settings import Settings

TOKENIZER = ("vocab.txt", "tokenizer_config.json", "special_tokens_map.json")


def lay(place: Path, *names: str, **config: object) -> Path:
    """A folder of files that only need to exist, and a config.json if there are entries for it."""
    place.mkdir(exist_ok=True)
    for name in names:
        (place / name).write_text("{}")
    if config:
        (place / "config.json").write_text(json.dumps(config))
    return place


def lay_uie(place: Path) -> Path:
    return lay(place, "model_state.pdparams", *TOKENIZER, architectures=["UIE"])


def lay_classifier(place: Path, **config: object) -> Path:
    named = {"architectures": ["ElectraForTokenClassification"], "id2label": {"0": "O", "1": "B-dis"}}
    return lay(place, "model_state.pdparams", *TOKENIZER, **{**named, **config})


# Folders


@pytest.mark.parametrize(
    ("files", "architecture", "layout"),
    [
        (folder.LAC.files, "", folder.LAC),
        (folder.LAC_WEIGHTS.files, "", folder.LAC_WEIGHTS),
        (["tags.txt", "model_state.pdparams", *TOKENIZER], "ErnieCtmWordtagModel", folder.WORDTAG),
        (["model_state.pdparams", *TOKENIZER], "UIE", folder.UIE_MODEL),
        (["model_state.pdparams", *TOKENIZER], "ErnieForTokenClassification", folder.TOKENS),
        (["model.safetensors", *TOKENIZER], "BertForTokenClassification", folder.TOKENS),
    ],
)
def test_the_kind_of_a_folder_is_detected(
    tmp_path: Path, files: list[str], architecture: str, layout: folder.Layout
) -> None:
    place = lay(tmp_path / "model", *files, **({"architectures": [architecture]} if architecture else {}))
    assert folder.look(place, "").layout is layout
    assert folder.look(place, layout.task).layout is layout
    for task in set(folder.TASKS) - {layout.task}:
        with pytest.raises(
            UsageError, match=f"for the task {layout.task}, but NIGHTSHIFT_NER_TASK is {task}"
        ):
            folder.look(place, task)


@pytest.mark.parametrize("layout", [folder.LAC, folder.WORDTAG, folder.UIE_MODEL, folder.TOKENS])
def test_each_missing_file_is_named(tmp_path: Path, layout: folder.Layout) -> None:
    files = [name.split("|")[0] for name in layout.files]
    for missing in files:
        place = tmp_path / missing
        lay(place, *files)
        (place / missing).unlink()
        with pytest.raises(ModelMissing, match=rf"{missing}.* not found in the NER model folder {place}"):
            folder.look(place, layout.task)


def test_an_unrecognised_folder_requires_the_task(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="set NIGHTSHIFT_NER_TASK to one of ner, information_extraction"):
        folder.look(lay(tmp_path / "model", "model_state.pdparams"), "")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"ner_model_dir": "/nowhere"}, "folder /nowhere does not exist"),
        ({}, r"has no default model: name a folder .* NIGHTSHIFT_NER_DOWNLOAD=true"),
        ({"ner_model_dir": "{uie}"}, r"there is none: set NIGHTSHIFT_NER_SCHEMA to a JSON list"),
        ({"ner_model_dir": "{uie}", "ner_schema": '["a"'}, "in NIGHTSHIFT_NER_SCHEMA is not valid JSON"),
        (
            {"ner_model_dir": "{uie}", "ner_schema": "/nowhere.json"},
            "neither a JSON list nor a readable file",
        ),
        (
            {"ner_model_dir": "{uie}", "ner_task": "uie"},
            "Unknown NER task 'uie': set NIGHTSHIFT_NER_TASK to one of ner",
        ),
        ({"ner_model_dir": "{unnamed}"}, r"names no labels: add id2label"),
        ({"ner_model_dir": "{default}"}, r"names no labels: add id2label"),
        ({"ner_model_dir": "{gap}"}, r"skips numbers: name all, starting at 0"),
        ({"ner_model_dir": "{broken}"}, r"config.json is not valid JSON"),
        ({"ner_model_dir": "{uiex}"}, r"a UIEX model, which is not supported"),
        ({"ner_download": True}, "neither a model folder nor a model name"),
        (
            {"ner_download": True, "ner_task": "information_extraction"},
            "there is none: set NIGHTSHIFT_NER_SC",
        ),
        ({"ner_download": True, "ner_task": "ner", "ner_model_name": "uie-base"}, "made for the task inform"),
    ],
)
def test_mistakes_get_one_sentence(tmp_path: Path, settings: dict[str, str], sentence: str) -> None:
    lay_uie(tmp_path / "{uie}")
    lay_classifier(tmp_path / "{unnamed}", id2label={"0": "O"})
    lay_classifier(tmp_path / "{default}", id2label={"0": "LABEL_0", "1": "LABEL_1"})
    lay_classifier(tmp_path / "{gap}", id2label={"0": "O", "2": "B-dis"})
    lay_classifier(tmp_path / "{uiex}", architectures=["UIEX"])
    (lay_classifier(tmp_path / "{broken}") / "config.json").write_text("{")
    directory = settings.get("ner_model_dir", "")
    chosen = {**settings, **({"ner_model_dir": str(tmp_path / directory)} if "{" in directory else {})}
    asked = Settings.from_env({}, ner_engine="taskflow", **chosen)
    for tell in (ner.describe, ner.load):
        with pytest.raises((UsageError, ModelMissing), match=sentence) as caught:
            tell(asked)
        assert "\n" not in str(caught.value)


def test_the_digest_covers_both_alternative_weights(tmp_path: Path) -> None:
    place = lay_classifier(tmp_path / "model")
    asked = Settings(ner_engine=f"taskflow={place}")
    digests = [ner.describe(asked).digest]
    for weights in ("a", "b"):
        (place / "model.safetensors").write_text(weights)
        digests.append(ner.describe(asked).digest)
    assert len(set(digests)) == 3


def test_the_digest_covers_weights_schema_and_nothing_else(tmp_path: Path) -> None:
    place = lay_uie(tmp_path / "model")
    asked = Settings(ner_engine=f"taskflow={place}", ner_schema='["姓名"]')
    info = ner.describe(asked)
    assert (info.engine, info.name) == ("taskflow", "model")
    assert ner.load(asked).info == info
    (place / "README.md").write_text("ignored")
    assert ner.describe(asked) == info
    assert ner.describe(Settings(ner_engine=f"taskflow={place}", ner_schema='["日期"]')).digest != info.digest
    (place / "vocab.txt").write_text("other")
    assert ner.describe(asked).digest != info.digest


def test_a_hub_model_is_identified_by_its_name() -> None:
    asked = Settings(ner_engine="taskflow", ner_download=True, ner_model_name="wordtag")
    info = ner.describe(asked)
    assert info.name == "wordtag"
    assert ner.describe(Settings(ner_engine="taskflow", ner_download=True, ner_task="ner")) == info
    assert hub.choose("someone/ernie-health-ner", "") == ("someone/ernie-health-ner", "token_classification")


def test_blank_texts_open_no_model(tmp_path: Path) -> None:
    engine = ner.load(Settings(ner_engine=f"taskflow={lay_classifier(tmp_path / 'model')}"))
    assert engine.extract(["", " \n\t\u3000", ""]) == [[], [], []]
    assert engine.extract([]) == []


# Schemas


@pytest.mark.parametrize(
    "text",
    [
        '{"a": ["b"]}',
        '"a"',
        "[]",
        '["a", {"b": ["c"]}]',
        "[1]",
        "3",
        '["a", "a"]',
        '[" "]',
        '["情感[正,负]"]',
    ],
)
def test_other_than_a_list_of_names_is_refused(text: str) -> None:
    with pytest.raises(
        UsageError, match=r"in here (is not valid JSON|is not a list of names|has an invalid name)"
    ):
        schema.parse(text, "here")


def test_the_setting_wins_over_the_folders_schema(tmp_path: Path) -> None:
    (tmp_path / "schema.json").write_text('["病名"]', "utf-8")
    (tmp_path / "other.json").write_text('["药名"]', "utf-8")
    assert schema.load("", tmp_path) == ("病名",)
    assert schema.load(str(tmp_path / "other.json"), tmp_path) == ("药名",)
    assert schema.load(' ["日期", "姓名"]', tmp_path) == ("日期", "姓名")


# Windows


@pytest.mark.parametrize("length", [0, 1, 99, 100, 101, 180, 181, 1000])
def test_windows_cover_a_text_and_each_offset_has_one_owner(length: int) -> None:
    found = list(cut("x" * length, 100, 20))
    assert all(window.end - window.start <= 100 for window in found)
    assert [sum(window.owns(at) for window in found) for at in range(length)] == [1] * length
    for at in range(max(0, length - 10)):  # spans up to half the overlap are whole in their window
        (owner,) = [window for window in found if window.owns(at)]
        assert owner.start <= at
        assert at + 10 <= owner.end


def test_windows_of_white_space_are_skipped() -> None:
    assert [window.start for window in cut(" " * 300 + "x", 100, 20)] == [240]
    assert list(cut(" \n" * 500, 100, 20)) == []


# Labels


@pytest.mark.parametrize(
    ("sequence", "expected"),
    [
        ("B-A I-A O B-A", [(0, 2, "A"), (3, 4, "A")]),
        ("B-A B-A I-A", [(0, 1, "A"), (1, 3, "A")]),
        ("I-A I-B I-B", [(0, 1, "A"), (1, 3, "B")]),
        ("B-A M-A E-A S-A O", [(0, 3, "A"), (3, 4, "A")]),
        ("B-A I-A L-A U-B I-B", [(0, 3, "A"), (3, 4, "B"), (4, 5, "B")]),
        ("A A O A B", [(0, 2, "A"), (3, 4, "A"), (4, 5, "B")]),
        ("A-B A-I O", [(0, 2, "A")]),
        ("B-drug-name I-drug-name", [(0, 2, "drug-name")]),
        ("O O", []),
        ("", []),
    ],
)
def test_labels_become_spans(sequence: str, expected: list[tuple[int, int, str]]) -> None:
    given = sequence.split()
    offsets = [(at, at + 1) for at in range(len(given))]
    assert [span[:3] for span in spans(given, offsets, [0.5] * len(given))] == expected


def test_a_spans_confidence_is_the_mean_of_its_labels() -> None:
    assert spans(["B-A", "I-A", "O"], [(0, 2), (5, 9), (9, 10)], [1.0, 0.5, 0.9]) == [Span(0, 9, "A", 0.75)]
    assert labels.types(["O", "B-A", "I-A", "S-B"]) == ["A", "B"]
