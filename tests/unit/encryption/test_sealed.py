import base64
import io

import pytest

from pipeline.encryption import header
from pipeline.encryption.header import Locked
from pipeline.encryption.keyring import Keyring, keyring, new_line
from pipeline.encryption.sealed import CHUNK, Tampered, seal, stream, unseal
from pipeline.settings import Settings

KEYS = keyring(Settings(encryption_keys=new_line("k1")))
_STEP = CHUNK + 16


def _seal(data: bytes, name: str = "a/b") -> bytes:
    assert KEYS.first is not None
    return seal(data, name, KEYS.first)


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_any_size_comes_back(size: int) -> None:
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    sealed = _seal(data)
    assert unseal(sealed, "a/b", KEYS) == data
    chunks = max(1, -(-size // CHUNK))
    assert len(sealed) == header.parse(sealed).size + size + 16 * chunks
    assert len(sealed) - size - 16 * (chunks - 1) < 80
    if size > 1:
        assert data[:256] not in sealed


def test_the_same_bytes_are_never_encrypted_alike() -> None:
    assert _seal(b"the same") != _seal(b"the same")


def test_a_file_is_encrypted_piece_by_piece() -> None:
    class Source(io.BytesIO):
        largest = 0

        def read(self, size: int | None = -1) -> bytes:
            assert size is not None
            self.largest = max(self.largest, size if size >= 0 else 1 << 40)
            return super().read(size)

    assert KEYS.first is not None
    data = bytes(5 * CHUNK + 7)
    source = Source(data)
    pieces = list(stream(source, "a", KEYS.first))
    assert len(pieces) == 7
    assert source.largest == CHUNK
    assert unseal(b"".join(pieces), "a", KEYS) == data


def test_each_byte_is_authenticated() -> None:
    sealed = _seal(b"amount 100")
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        if header.is_sealed(bytes(changed)):
            with pytest.raises((Tampered, Locked)):
                unseal(bytes(changed), "a/b", KEYS)


def test_no_chunk_can_be_cut_off_added_exchanged_or_repeated() -> None:
    one = _seal(b"".join(bytes([n]) * CHUNK for n in range(4)))
    size = header.parse(one).size
    head, body = one[:size], one[size:]
    a, b, c, d = (body[n * _STEP : (n + 1) * _STEP] for n in range(4))
    for chunks in (
        [a, b, c],
        [a, b],
        [a],
        [],
        [b, a, c, d],
        [a, b, b, d],
        [a, b, d],
        [b, c, d],
        [a, b, c, d, d],
        [a, b, c, d, b""[:0] + d[:16]],
        [a, b, c, d[:-1]],
    ):
        with pytest.raises(Tampered, match="changed, cut off"):
            unseal(head + b"".join(chunks), "a/b", KEYS)
    assert unseal(head + a + b + c + d, "a/b", KEYS)[-1] == 3


def test_every_truncation_is_noticed() -> None:
    sealed = _seal(b"text")
    for size in range(len(header.MAGIC), len(sealed)):
        with pytest.raises(Tampered):
            unseal(sealed[:size], "a/b", KEYS)


def test_an_object_belongs_under_its_name() -> None:
    with pytest.raises(Tampered):
        unseal(_seal(b"1", "pending/a"), "pending/b", KEYS)


def test_keys_that_are_missing_or_wrong_are_no_tampering() -> None:
    sealed = _seal(b"1")
    for keys in (Keyring([]), keyring(Settings(encryption_keys=new_line("k2")))):
        with pytest.raises(
            Locked, match=r'encrypted with the key "k1", which is not in NIGHTSHIFT_ENCRYPTION_KEYS'
        ):
            unseal(sealed, "a/b", keys)
    with pytest.raises(Locked, match='encrypted with another key "k1" than the one in'):
        unseal(sealed, "a/b", keyring(Settings(encryption_keys=new_line("k1"))))
    with pytest.raises(Locked, match="encrypted in format version 9"):
        unseal(sealed.replace(b"NSHIFT\x01", b"NSHIFT\x09", 1), "a/b", KEYS)


def test_the_format_stays_as_it_is() -> None:
    """What version 1 has written must always be readable."""
    keys = keyring(Settings(encryption_keys="k1:" + base64.b64encode(bytes(range(32))).decode()))
    stored = base64.b64decode(STORED)
    assert unseal(stored, "documents/ab", keys) == b"hello, night"


STORED = (
    "jk5TSElGVAECazGvLrxuqERFBsNt0OtDIpF8voZICbjtCL2P+G5a02iii8fr5ou0VCtqGsqd+vv9QDt2"
    "QPN9L2cGQ9Q8wPIOqp533fqRUV6xLP1sBj8="
)
