"""Numbers found by their label and form, and checked by the rules of their country."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from pipeline.models import Mention
from pipeline.ner.characters import found, lowered

UNCHECKED = 0.45
"""Confidence of a labelled number of the right format whose check fails."""
_MARKS = " .:#/()-\n"


class Kind(NamedTuple):
    """A labelled number: patterns of its label (in lower case) and its form, and the checks of which one must pass.

    A number without checks needs a word such as "no" behind its label. Of a weak kind, whose label has other meanings,
    only valid numbers are reported.
    """

    label: str
    form: str
    checks: tuple[str, ...] = ()
    weak: bool = False


class Labelled:
    """Finds the numbers of some kinds after their labels.

    `more`: words that may follow a label. `ambiguous`: labels that mean something else as well, unless such a word
    follows. `check`: tells whether a number passes one of its kind's checks.
    """

    def __init__(
        self,
        type_: str,
        kinds: Sequence[Kind],
        more: str,
        ambiguous: frozenset[str],
        check: Callable[[str, str], bool],
    ) -> None:
        labels = "|".join(sorted((kind.label for kind in kinds), key=len, reverse=True))
        # The set of first characters lets the search skip what begins no label.
        self._label = re.compile(
            rf"(?=[a-z\u00aa-\U0010ffff])(?<![a-zà-ÿ])(?P<label>{labels})(?![a-zà-ÿ])"
            rf"(?P<rest>(?:[ .-]{{0,2}}(?:{more})\.?(?![a-z])){{0,4}}[ .:#/()-]{{0,6}}\n?[ ]?)"
        )
        self._kinds = [
            (kind, re.compile(kind.label), re.compile(rf"(?:{kind.form})(?![0-9A-Za-z*]|[-/.][0-9])"))
            for kind in kinds
        ]
        self._type, self._ambiguous, self._check = type_, ambiguous, check

    def find(self, page: str) -> Iterator[Mention]:
        """Yield the mentions; the value is compact, `None` if the check fails."""
        for label in self._label.finditer(lowered(page)):
            yield from self._behind(page, label)

    def _behind(self, page: str, label: re.Match[str]) -> Iterator[Mention]:
        shape: re.Match[str] | None = None
        word = bool(label["rest"].strip(_MARKS)) or label["label"].endswith(("nummer", "nr", "号", "号码"))
        for kind, of_kind, form in self._kinds:
            match = form.match(page, label.end()) if of_kind.fullmatch(label["label"]) else None
            if match is None:
                continue
            number = compact(match[0])
            if any(self._check(check, number) for check in kind.checks):
                yield found(self._type, match.span(), 0.97, number)
                return
            if not kind.checks and word and sum(c.isdecimal() for c in number) >= 5:
                yield found(self._type, match.span(), 0.85, number)
                return
            shape = shape or (match if kind.checks and not kind.weak else None)
        if shape and (word or label["label"] not in self._ambiguous):
            yield found(self._type, shape.span(), UNCHECKED, None)


def compact(number: str) -> str:
    """The number without spaces and marks."""
    return re.sub(r"[ ./()-]", "", number)
