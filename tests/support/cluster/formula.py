"""The part of KEDA's formula language (expr-lang) that the chart uses, with its precedence.

Numbers, names, `+ - * /`, comparisons, `!`, `&&`, `||`, `? :` and parentheses; anything else is an error.
"""

import operator
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

_TOKEN = re.compile(r"\s*(\d+(?:\.\d+)?|[a-z_]\w*|&&|\|\||[<>=!]=|[-+*/<>!?:()])")
_LEVELS: tuple[dict[str, Callable[[Any, Any], Any]], ...] = (
    {"||": lambda a, b: a or b},
    {"&&": lambda a, b: a and b},
    {"==": operator.eq, "!=": operator.ne},
    {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge},
    {"+": operator.add, "-": operator.sub},
    {"*": operator.mul, "/": operator.truediv},
)
"""Binary operators, the ones that bind least first."""


def evaluate(formula: str, values: Mapping[str, float]) -> float:
    """The number that a formula gives. Raises `ValueError` for one that is not understood, or has unknown names."""
    reader = _Reader(formula, values)
    found = reader.choice()
    if reader.tokens:
        raise ValueError(f"not understood: {' '.join(reader.tokens)}")
    return float(found)


def names(formula: str) -> set[str]:
    """The names in it."""
    return set(re.findall(r"[a-z_]\w*", formula))


@cache
def _tokens(text: str) -> tuple[str, ...]:
    found, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if not match:
            raise ValueError(f"not understood: {text[at:]}")
        found.append(match[1])
        at = match.end()
    return tuple(found)


class _Reader:
    def __init__(self, formula: str, values: Mapping[str, float]) -> None:
        self.tokens = list(_tokens(formula.strip()))
        self._values = values

    def _take(self, *expected: str) -> str:
        if self.tokens and self.tokens[0] in expected:
            return self.tokens.pop(0)
        return ""

    def choice(self) -> Any:
        condition = self._binary(0)
        if not self._take("?"):
            return condition
        first = self.choice()
        if not self._take(":"):
            raise ValueError("a ? without its :")
        second = self.choice()
        if not isinstance(condition, bool):
            raise ValueError("a condition must be true or false")
        return first if condition else second

    def _binary(self, level: int) -> Any:
        if level == len(_LEVELS):
            return self._single()
        found = self._binary(level + 1)
        while sign := self._take(*_LEVELS[level]):
            other = self._binary(level + 1)
            if level < 2 and not (isinstance(found, bool) and isinstance(other, bool)):
                raise ValueError(f"{sign} joins conditions, not numbers")
            if level >= 2 and (isinstance(found, bool) or isinstance(other, bool)):
                raise ValueError(f"{sign} joins numbers, not conditions")
            found = _LEVELS[level][sign](found, other)
        return found

    def _single(self) -> Any:
        if self._take("("):
            found = self.choice()
            if not self._take(")"):
                raise ValueError("a ( without its )")
            return found
        if self._take("!"):
            return not self._single()
        if not self.tokens:
            raise ValueError("it ends too early")
        token = self.tokens.pop(0)
        if token[0].isdigit():
            return float(token)
        if token not in self._values:
            raise ValueError(f"unknown name: {token}")
        return float(self._values[token])
