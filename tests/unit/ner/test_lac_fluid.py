import struct
from pathlib import Path

import numpy as np
import pytest

from pipeline.ner.fluid import read_variable

FLOAT = b"\x08\x05"


def write(
    path: Path, desc: bytes, values: bytes, version: int = 0, levels: bytes = struct.pack("<Q", 0)
) -> Path:
    path.write_bytes(struct.pack("<I", version) + levels + struct.pack("<Ii", 0, len(desc)) + desc + values)
    return path


@pytest.mark.parametrize("dims", [b"\x10\x02\x10\x03", b"\x12\x02\x02\x03"], ids=["repeated", "packed"])
def test_reads_shape_and_values(tmp_path: Path, dims: bytes) -> None:
    values = np.arange(6, dtype="<f4")
    read = read_variable(write(tmp_path / "w", FLOAT + dims, values.tobytes()))
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, values.reshape(2, 3))


def test_reads_dimensions_of_several_bytes_and_skips_lod(tmp_path: Path) -> None:
    values = np.arange(300, dtype="<i8")
    levels = struct.pack("<QQ", 1, 16) + bytes(16)
    read = read_variable(write(tmp_path / "w", b"\x08\x03\x10\xac\x02", values.tobytes(), levels=levels))
    np.testing.assert_array_equal(read, values)


@pytest.mark.parametrize(
    ("desc", "values", "version"),
    [
        (FLOAT + b"\x10\x02", bytes(7), 0),
        (FLOAT + b"\x10\x02", bytes(12), 0),
        (FLOAT + b"\x10\x02", bytes(8), 1),
        (b"\x08\x63\x10\x02", bytes(8), 0),
        (b"\x10\x02", bytes(8), 0),
        (FLOAT + b"\x18\x02", bytes(8), 0),
        (FLOAT + b"\x10", bytes(8), 0),
    ],
    ids=["short", "long", "version", "type", "no type", "field", "torn"],
)
def test_refuses_other_files(tmp_path: Path, desc: bytes, values: bytes, version: int) -> None:
    path = write(tmp_path / "w", desc, values, version)
    with pytest.raises(ValueError, match=str(path)):
        read_variable(path)


def test_refuses_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "w").touch()
    with pytest.raises(ValueError, match="not a Paddle parameter file"):
        read_variable(tmp_path / "w")
