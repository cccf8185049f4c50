"""Metadata of ONNX files, read without a library; written here with the library."""

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from pipeline.errors import ModelMissing
from pipeline.ocr.onnx_metadata import metadata


def model(path: Path, **pairs: str) -> Path:
    shape = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    other = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [shape], [other])
    made = helper.make_model(graph)
    helper.set_model_props(made, pairs)
    onnx.save(made, path)
    return path


def test_all_pairs_are_found(tmp_path: Path) -> None:
    pairs = {"character": "\n".join(chr(n) for n in range(0x4E00, 0x9000)), "empty": "", "shape": "48, 320"}
    assert metadata(model(tmp_path / "a.onnx", **pairs)) == pairs
    assert metadata(model(tmp_path / "b.onnx")) == {}


@pytest.mark.parametrize("cut", [0, 1, 40, -1])
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, cut: int) -> None:
    path = model(tmp_path / "a.onnx", character="abc")
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ModelMissing, match=r"a\.onnx"):
        metadata(path)


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(ModelMissing, match=r"a\.onnx"):
        metadata(tmp_path / "a.onnx")
