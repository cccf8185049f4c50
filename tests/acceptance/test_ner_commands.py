"""`nightshift ner` as it is typed: train a model, judge it, and read documents with it and LAC."""

import json
from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import ROOT
from tests.support.command import DAY, nightshift
from tests.support.labelled import medical, orders, plain, write_bio

REAL = {"NIGHTSHIFT_OCR_ENGINE": "rapidocr", "NIGHTSHIFT_NER_ENGINE": "lac"}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ner")
    labels = write_bio(folder / "labels.txt", medical(60) + orders(90) + plain(90))
    done = nightshift("ner", "train", labels, "--out", folder / "own", "--epochs", 5, "--json")
    assert done.returncode == 0, done.stderr
    card = json.loads(done.stdout)
    assert card == json.loads((folder / "own" / "model.json").read_text())
    assert (card["name"], card["types"]) == ("own", ["DRUG", "ILLNESS", "ORDER"])
    assert sorted(p.name for p in folder.iterdir()) == ["labels.txt", "own"]
    return folder / "own"


@pytest.mark.long
def test_a_model_is_judged_by_folder_and_by_spec(model: Path, tmp_path: Path) -> None:
    labels = write_bio(tmp_path / "test.txt", medical(30, seed=7) + orders(30, seed=7))
    figures = json.loads(nightshift("ner", "evaluate", model, labels, "--json").stdout)
    assert figures["micro"]["f1"] > 0.9
    assert figures["types"].keys() == {"DRUG", "ILLNESS", "ORDER"}
    assert {"precision", "recall", "f1"} <= figures["types"]["DRUG"].keys()
    renamed = write_bio(tmp_path / "renamed.txt", medical(30, seed=7))
    renamed.write_text(renamed.read_text().replace("-DRUG", "-MED"))
    shown = nightshift("ner", "evaluate", f"patterns,crf={model}", renamed, "--map", "MED=DRUG")
    assert shown.returncode == 0, shown.stderr
    assert "patterns+own on 30 sentences" in shown.stdout
    assert "DRUG" in shown.stdout


@pytest.mark.long
def test_it_reads_documents_beside_lac_and_each_entity_names_its_model(model: Path, tmp_path: Path) -> None:
    mail = ROOT / "samples" / "ticket_email.pdf"
    out = tmp_path / "out"
    settings = REAL | {"NIGHTSHIFT_NER_ENGINE": f"lac,crf={model}"}
    done = nightshift("run", mail, "--out", out, "--run-date", DAY, "--json", **settings)
    assert done.returncode == 0, done.stderr
    entities = pd.read_parquet(out / "summary" / "entities")
    found = {(e.model, e.type, e.text) for e in entities.itertuples()}
    assert {("own", "ORDER", "88213"), ("lac-small", "PER", "谭美")} <= found
    assert {"own", "lac-small", "patterns"} == set(entities["model"])
    assert entities.groupby("model")["model_digest"].nunique().eq(1).all()
    assert entities["model_digest"].nunique() == 3
    documents = pd.read_parquet(out / "summary" / "documents")
    assert list(documents["ner_engine"]) == ["lac+crf"]
    assert list(documents["ner_model"]) == ["lac-small+patterns+own"]


@pytest.mark.long
def test_a_model_that_exists_is_kept_unless_forced(model: Path, tmp_path: Path) -> None:
    labels = write_bio(tmp_path / "labels.txt", medical(60))
    before = (model / "model.json").read_bytes()
    refused = nightshift("ner", "train", labels, "--out", model)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "exists: name another folder, or use --force" in refused.stderr
    assert (model / "model.json").read_bytes() == before
    for _ in range(2):
        options = ("--epochs", 2, "--name", "second", "--embedding", "none", "--force")
        done = nightshift("ner", "train", labels, "--out", tmp_path / "second", *options)
        assert done.returncode == 0, done.stderr
        assert "Model second in" in done.stdout
    assert sorted(p.name for p in tmp_path.iterdir()) == ["labels.txt", "second"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["train", "{labels}", "--out", "{new}"], 2, "line 2 has I-X after O, which BIO does not allow"),
        (["train", "{new}", "--out", "{new}"], 2, "can't be read (No such file or directory)"),
        (
            ["train", "{labels}", "--out", "{new}", "--embedding", "none", "--layers", "lac"],
            2,
            "add --embedding lac",
        ),
        (["train", "{labels}", "--out", "{new}", "--device", "tpu"], 2, "Invalid NER device 'tpu'"),
        (["evaluate", "{new}", "{labels}"], 2, "There is no model folder"),
        (["evaluate", "{folder}", "{labels}"], 1, "model.json not found in the model folder"),
        (["evaluate", "patterns", "{labels}", "--map", "X"], 2, 'Invalid --map "X"'),
        (["evaluate", "nobody", "{labels}"], 2, "Unknown NER engine 'nobody'"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(
    tmp_path: Path, arguments: list[str], code: int, said: str
) -> None:
    (tmp_path / "labels.txt").write_text("甲 O\n乙 I-X\n")
    places = {"labels": tmp_path / "labels.txt", "new": tmp_path / "new", "folder": tmp_path}
    done = nightshift("ner", *(a.format(**places) for a in arguments))
    assert done.returncode == code
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "new").exists()
