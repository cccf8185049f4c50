"""Reader of the parameter files that Paddle wrote before version 2 (one file per variable, "fluid").

Layout, little-endian: u32 version 0 · u64 number of LoD levels, each u64 size + that many bytes ·
u32 tensor version 0 · i32 size of a TensorDesc protobuf {1: data type, 2: repeated dims} · raw values.
Source: Paddle, `framework/lod_tensor.cc` (SerializeToStream) and `framework.proto` (VarType).
"""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_DTYPES = {2: "<i4", 3: "<i8", 5: "<f4", 6: "<f8"}
_VARINT, _BYTES = 0, 2


def read_variable(path: Path) -> NDArray[Any]:
    """Read one parameter as an array of the stored shape.

    Raises `OSError` if the file can't be read and `ValueError` if it has another layout.
    """
    data = path.read_bytes()
    try:
        dtype, shape, offset = _header(data)
    except (struct.error, IndexError, KeyError, ValueError) as error:
        raise ValueError(f"{path} is not a Paddle parameter file: {error}") from error
    expected = math.prod(shape) * np.dtype(dtype).itemsize
    if len(data) - offset != expected:
        raise ValueError(f"{path} contains {len(data) - offset} bytes of values; its header says {expected}")
    return np.frombuffer(data, dtype, offset=offset).reshape(shape)


def _header(data: bytes) -> tuple[str, list[int], int]:
    """Return data type, shape, and the offset of the values."""
    version, levels = struct.unpack_from("<IQ", data, 0)
    at = 12
    for _ in range(levels):
        at += 8 + struct.unpack_from("<Q", data, at)[0]
    tensor_version, size = struct.unpack_from("<Ii", data, at)
    if version or tensor_version:
        raise ValueError(f"versions {version} and {tensor_version}, expected 0 and 0")
    at += 8
    dtype, shape = _tensor_desc(data[at : at + size])
    return dtype, shape, at + size


def _tensor_desc(message: bytes) -> tuple[str, list[int]]:
    """Decode the protobuf by hand: two fields don't merit a compiled schema."""
    at, dtype, shape = 0, "", list[int]()
    while at < len(message):
        tag, at = _varint(message, at)
        number, at = _varint(message, at)
        match tag >> 3, tag & 7:
            case 1, wire if wire == _VARINT:
                dtype = _DTYPES[number]
            case 2, wire if wire == _VARINT:
                shape.append(number)
            case 2, wire if wire == _BYTES:
                end = at + number
                while at < end:
                    dim, at = _varint(message, at)
                    shape.append(dim)
            case field, wire:
                raise ValueError(f"unknown field {field} of wire type {wire}")
    if not dtype:
        raise ValueError("no data type")
    return dtype, shape


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at
