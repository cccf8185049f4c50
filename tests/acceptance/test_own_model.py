"""A model of one's own alongside the default: in the workers of `nightshift run`, and in those of the night."""

import json
from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import ROOT
from tests.support import taskflow_models as tiny
from tests.support.command import DAY, nightshift, run
from tests.support.night import night
from tests.support.servers.rabbit import Rabbit

TEXT = "患者王小明，北京人，感到乏力。"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A token classifier that knows one symptom."""
    return tiny.classifier(tmp_path_factory.mktemp("models") / "ernie-tiny", {"症状": ("乏", "力")})


def test_a_run_with_two_models_says_which_found_what(model: Path, tmp_path: Path) -> None:
    code, figures = run(
        ROOT / "samples" / "medical_note.png",
        "--out",
        tmp_path / "out",
        "--ner-engine",
        f"lac,taskflow={model}",
        NIGHTSHIFT_OCR_ENGINE="rapidocr",
    )
    assert (code, figures["done"]) == (0, 1)
    (record,) = (tmp_path / "out" / "results" / f"run_date={DAY}").iterdir()
    assert json.loads(record.read_bytes())["ner"]["name"] == "lac-small+patterns+ernie-tiny"
    rows = pd.read_parquet(tmp_path / "out" / "summary" / "entities")
    found = set(zip(rows["type"], rows["text"], rows["engine"], rows["model"], strict=True))
    assert ("症状", "乏力", "taskflow", "ernie-tiny") in found
    assert ("PER", "周晓棠", "lac", "lac-small") in found
    assert {(kind, name) for kind, _, engine, name in found if engine == "taskflow"} == {
        ("症状", "ernie-tiny")
    }
    assert rows.groupby("model")["model_digest"].nunique().eq(1).all()


@pytest.mark.long
def test_the_nights_workers_open_it_too(model: Path, rabbit: Rabbit, tmp_path: Path) -> None:
    with night(rabbit, tmp_path, NIGHTSHIFT_NER_ENGINE=f"lac,taskflow={model}") as nights:
        nights.ready(nights.worker())
        nights.publish([{"task_id": f"note_{n}", "task_type": "nlp", "text": TEXT} for n in range(6)])
        records = nights.settle(6)
        for record in records.values():
            assert record.status == "done"
            found = {(e.type, e.text, e.model) for e in record.entities}
            assert {("症状", "乏力", "ernie-tiny"), ("PER", "王小明", "lac-small")} <= found


def test_a_model_folder_that_misses_a_file_ends_the_run_in_one_sentence(tmp_path: Path) -> None:
    place = tmp_path / "model"
    place.mkdir()
    (place / "config.json").write_text('{"architectures": ["UIE"]}')
    sample = ROOT / "samples" / "medical_note.png"
    done = nightshift("run", sample, "--out", tmp_path / "out", "--ner-engine", f"taskflow={place}")
    said = " ".join(done.stderr.split())
    assert done.returncode == 1
    assert "model_state.pdparams not found in" in said
    assert "Traceback" not in said
    assert not (tmp_path / "out" / "results").exists()
