"""Changes of bytes that know nothing of formats; `tests.fuzz.structure` knows some."""

import random
from collections.abc import Callable, Sequence

Change = Callable[[bytes], bytes]

NUMBERS = (0, 1, 2, 3, 7, 8, 15, 16, 31, 32, 63, 64, 100, 127, 128, 255, 256, 511, 512, 1000, 1024, 4096, 9999,
           32767, 32768, 65535, 65536, 99999, 10**6, 2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 10**10, 2**53,
           2**63 - 1, 2**63, 2**64, 10**20, 10**40)  # fmt: skip
WIDTHS = (1, 2, 4, 8)


class Mutator:
    """Changes inputs at random. `tokens`: words of the format; `pool`: other inputs, to take pieces from."""

    def __init__(self, rng: random.Random, tokens: Sequence[bytes], pool: Sequence[bytes]) -> None:
        self.rng, self.tokens, self.pool = rng, tokens or (b"\0",), pool
        self._ways: tuple[Change, ...] = (
            self._flip, self._number, self._delete, self._repeat, self._token, self._splice, self._swap,
            self._cut, self._digits,
        )  # fmt: skip

    def change(self, data: bytes) -> bytes:
        """One to eight changes, mostly few."""
        for _ in range(min(1 + int(self.rng.expovariate(0.6)), 8)):
            data = self.rng.choice(self._ways)(data)
        return data

    def number(self) -> int:
        """A number at the edge of some type, or next to one, or its negative."""
        value = self.rng.choice(NUMBERS) + self.rng.choice((-1, 0, 0, 0, 1))
        return -value if self.rng.random() < 0.2 else value

    def span(self, data: bytes, most: int = 64) -> tuple[int, int]:
        """A random piece of the data: where it begins and ends."""
        start = self.rng.randrange(len(data) + 1)
        return start, min(start + self.rng.randint(1, most), len(data))

    def _flip(self, data: bytes) -> bytes:
        out = bytearray(data)
        for _ in range(self.rng.choice((1, 1, 2, 4))):
            if out:
                out[self.rng.randrange(len(out))] ^= 1 << self.rng.randrange(8)
        return bytes(out)

    def _number(self, data: bytes) -> bytes:
        width, order = self.rng.choice(WIDTHS), self.rng.choice(("little", "big"))
        value = (self.number() % (1 << 8 * width)).to_bytes(width, order)  # type: ignore[arg-type]
        at = self.rng.randrange(len(data) + 1)
        return data[:at] + value + data[at + width :]

    def _digits(self, data: bytes) -> bytes:
        """Another number in place of one written in digits."""
        places = [i for i, byte in enumerate(data[:65536]) if 48 <= byte <= 57]
        if not places:
            return self._flip(data)
        start = end = self.rng.choice(places)
        while end < len(data) and 48 <= data[end] <= 57:
            end += 1
        return data[:start] + str(self.number()).encode() + data[end:]

    def _delete(self, data: bytes) -> bytes:
        start, end = self.span(data, self.rng.choice((1, 8, 256)))
        return data[:start] + data[end:]

    def _repeat(self, data: bytes) -> bytes:
        start, end = self.span(data)
        times = self.rng.choice((2, 2, 3, 16, 200))
        return data[:start] + data[start:end] * times + data[end:]

    def _token(self, data: bytes) -> bytes:
        start, end = self.span(data, 8)
        if self.rng.random() < 0.5:
            end = start
        return data[:start] + self.rng.choice(self.tokens) + data[end:]

    def _splice(self, data: bytes) -> bytes:
        if not self.pool:
            return self._flip(data)
        other = self.rng.choice(self.pool)
        start, end = self.span(other, self.rng.choice((16, 256, 4096)))
        at, until = self.span(data, self.rng.choice((1, 256)))
        return data[:at] + other[start:end] + data[until:]

    def _swap(self, data: bytes) -> bytes:
        a, b = sorted((self.rng.randrange(len(data) + 1), self.rng.randrange(len(data) + 1)))
        middle = self.rng.randint(a, b)
        return data[:a] + data[middle:b] + data[a:middle] + data[b:]

    def _cut(self, data: bytes) -> bytes:
        if self.rng.random() < 0.7:
            return self._flip(data)
        return data[: self.rng.randrange(len(data) + 1)]
