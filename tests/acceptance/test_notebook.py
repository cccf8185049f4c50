"""The notebook, run from top to bottom on results that the test itself has made."""

import base64
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbclient import NotebookClient
from numpy.typing import NDArray
from PIL import Image

from tests.conftest import ROOT
from tests.support.command import DAY, run

NOTEBOOK = ROOT / "notebooks" / "last_night.ipynb"
Pixels = NDArray[np.uint8]
SAMPLES = ("vat_invoice.jpg", "receipt.jpg", "expense_claim_mixed.pdf", "invoice_00417366.pdf")


@pytest.fixture(autouse=True)
def _own_jupyter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the home folder alone, and let no other Python's kernel be found there."""
    for name in (
        "IPYTHONDIR",
        "JUPYTER_DATA_DIR",
        "JUPYTER_CONFIG_DIR",
        "JUPYTER_RUNTIME_DIR",
        "MPLCONFIGDIR",
    ):
        monkeypatch.setenv(name, str(tmp_path / "jupyter"))
    monkeypatch.delenv("MPLBACKEND", raising=False)


def execute(store: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Any]]:
    """Cell id -> its outputs; a warning in any cell is an error."""
    monkeypatch.setenv("NIGHTSHIFT_STORE_URL", str(store))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    strict = "import sys, warnings; warnings.simplefilter('error'); sys.executable"
    notebook.cells.insert(0, nbformat.v4.new_code_cell(strict, id="strict"))
    notebook.cells.append(nbformat.v4.new_code_cell("warnings.simplefilter('default')", id="lenient"))
    client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(NOTEBOOK.parent)}})
    client.execute()
    outputs = {cell.id: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}
    assert outputs.pop("strict")[0]["data"]["text/plain"] == repr(sys.executable)
    return outputs


def table(outputs: list[Any]) -> pd.DataFrame:
    """The one table that a cell shows."""
    (html,) = [o["data"]["text/html"] for o in outputs if "data" in o and "text/html" in o["data"]]
    found = pd.read_html(io.StringIO(html))[0]
    if found.columns.nlevels == 2:  # names of the index stand in a header line of their own
        found.columns = [below if above.startswith("Unnamed") else above for above, below in found.columns]
    return found


def pictures(outputs: list[Any]) -> Iterator[Pixels]:
    for output in outputs:
        if "image/png" in output.get("data", {}):
            yield np.asarray(
                Image.open(io.BytesIO(base64.b64decode(output["data"]["image/png"]))).convert("RGB")
            )


def red(picture: Pixels) -> NDArray[np.bool_]:
    """Where the outline is drawn."""
    return (picture[..., 0] > 240) & (picture[..., 1] < 40) & (picture[..., 2] < 40)


def test_it_is_committed_without_outputs() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert cell.cell_type != "code" or (not cell.outputs and cell.execution_count is None)


def test_it_shows_what_last_night_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scans = tmp_path / "scans"
    scans.mkdir()
    for name in SAMPLES:
        (scans / name).symlink_to(ROOT / "samples" / name)
    engines = {"NIGHTSHIFT_OCR_ENGINE": "rapidocr", "NIGHTSHIFT_NER_ENGINE": "patterns"}
    code, figures = run(scans, "--out", tmp_path / "out", **engines)
    assert (code, figures["failed"]) == (3, 1)
    outputs = execute(tmp_path / "out", monkeypatch)

    counts = figures["rows"]
    totals = f"{counts['documents']} documents, {counts['pages']} pages, {counts['entities']} entities"
    assert outputs["load"][0]["text"] == f"The night of {DAY}: {totals}.\n"
    assert len(table(outputs["plain"])) == 10
    volumes = table(outputs["volumes"])
    assert volumes["documents"].sum() == counts["documents"]
    assert volumes["entities"].sum() == counts["entities"]
    (failure,) = table(outputs["failures"]).to_dict("records")
    assert (failure["error_code"], failure["documents"]) == ("unreadable", 1)
    assert "invoice_****7366.pdf" in failure["example"]
    assert table(outputs["least-sure"])["confidence"].between(0.5, 1).all()
    types = table(outputs["types"]).set_index("type")["entities"]
    assert types.sum() == counts["entities"]
    amounts = table(outputs["amounts"]).set_index("currency")["amounts"]
    assert amounts.sum() == types["MONEY"]
    assert {"CNY", "MYR"} <= set(amounts.index)
    for cell in ("confidence", "types-picture", "page"):
        (picture,) = pictures(outputs[cell])
        assert picture.std() > 20, f"{cell}: an empty picture"

    (picture,) = pictures(outputs["page"])
    whole, close = np.hsplit(picture, [picture.shape[1] * 2 // 5])
    assert 0 < red(whole).sum() < red(close).sum(), "outlined on the whole page and in the close-up"
    rows, columns = np.nonzero(red(close))
    inside = close[rows.min() + 4 : rows.max() - 3, columns.min() + 4 : columns.max() - 3]
    assert (inside.mean(axis=2) < 128).mean() > 0.05, "there is ink inside the outline"


@pytest.mark.long
def test_a_night_that_found_nothing_breaks_no_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "a.pdf").write_bytes(b"\x00 no document")
    code, _ = run(tmp_path / "scans", "--out", tmp_path / "out")
    assert code == 3
    outputs = execute(tmp_path / "out", monkeypatch)
    assert outputs["load"][0]["text"] == f"The night of {DAY}: 1 documents, 0 pages, 0 entities.\n"
    assert len(table(outputs["failures"])) == 1
    assert not list(pictures(outputs["page"]))
