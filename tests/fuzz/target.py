"""What can be fuzzed: a kind of input, with examples, and what must hold for each input."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Protocol

from tests.fuzz.mutation import Mutator

NAMES = ("messages", "parsers", "texts", "stored", "documents", "containers")


class Target(Protocol):
    """One kind of input. `tokens`: words that its parsers look for."""

    tokens: Sequence[bytes]

    def seeds(self) -> list[bytes]:
        """Valid inputs, and some invalid ones; made by code."""
        ...

    def change(self, mutator: Mutator, data: bytes) -> bytes:
        """A new input made of an old one."""
        ...

    def check(self, data: bytes) -> str:
        """Try an input; returns how it ended, in a word or two.

        Raises `checks.Violation`, or anything that the product should not have raised.
        """
        ...


@dataclass(frozen=True)
class Limits:
    """What one input may cost in a child process: seconds of CPU, seconds by the clock, MiB of memory."""

    cpu: float = 10.0
    wall: float = 120.0
    memory: int = field(default=2048)


def load(name: str) -> Target:
    """The target of that name, with what it needs imported."""
    found: Target = import_module(f"tests.fuzz.{name}").TARGET
    return found
