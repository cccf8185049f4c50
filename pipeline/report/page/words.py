"""The words of the report: one TOML file a language, with the same keys in each."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

LANGUAGES = ("en", "zh")


class Words:
    """All words of one language; a missing one is a `KeyError`, never an empty place on the page."""

    def __init__(self, language: str, texts: dict[str, Any]) -> None:
        self.language = language
        self._texts = texts

    def __call__(self, key: str, **values: object) -> str:
        """The text of a dotted key, its `{names}` filled in."""
        group, _, name = key.rpartition(".")
        text = str(self.group(group)[name])
        return text.format(**values) if values else text

    def name(self, group: str, code: str) -> str:
        """What people call a code of a group (`types`, `steps`, …); empty where there is no word for it."""
        return str(self.group(group).get(code, ""))

    def group(self, path: str) -> dict[str, Any]:
        """All texts of a group."""
        found = self._texts
        for part in path.split(".") if path else ():
            found = found[part]
        return found

    def counted(self, key: str, count: int, shown: str) -> str:
        """A text with a number: of its two forms, the one for that number."""
        return self(f"{key}.{'one' if count == 1 else 'other'}", n=shown)

    def of(self, sentences: dict[str, str]) -> str:
        """The sentence in this language, or in the first one there is."""
        return sentences.get(self.language) or next(filter(None, sentences.values()), "")


@cache
def words(language: str) -> Words:
    """The words of a language. Raises `ValueError` for one that the report does not speak."""
    if language not in LANGUAGES:
        raise ValueError(f'Invalid language "{language}" of a report: use one of {", ".join(LANGUAGES)}.')
    text = (files("pipeline.report.page") / "words" / f"{language}.toml").read_text(encoding="utf-8")
    return Words(language, tomllib.loads(text))


def step_name(step: str) -> str:
    """What a step is called in Chinese sentences, which name it by its code in English."""
    return words("zh").name("steps", step) or step
