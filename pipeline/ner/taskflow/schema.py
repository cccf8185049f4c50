"""The schema of a UIE model: names of the types to find, used as prompts."""

from __future__ import annotations

import json
from pathlib import Path

from pipeline.errors import UsageError

FILE = "schema.json"
"""Name of the schema file in a model folder."""

LONGEST = 64
"""Maximum length of a type's name in characters: the name reduces the room for text."""


def load(setting: str, folder: Path | None) -> tuple[str, ...]:
    """Return the names from the setting (a JSON list, or a file that contains one), else from the folder.

    Raises `UsageError` if there is no schema, or if it is not a list of names.
    """
    if setting.lstrip().startswith(("[", "{", '"')):
        return parse(setting, "NIGHTSHIFT_NER_SCHEMA")
    file = Path(setting) if setting else folder / FILE if folder else None
    if file is None or not (setting or file.is_file()):
        raise UsageError(
            "UIE needs a schema, but there is none: set NIGHTSHIFT_NER_SCHEMA to a JSON list of "
            f'types such as ["姓名", "日期"], or save it next to the weights as {FILE}.'
        )
    try:
        return parse(file.read_text("utf-8"), str(file))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise UsageError(
            f"NIGHTSHIFT_NER_SCHEMA is neither a JSON list nor a readable file ({file}: {reason})."
        ) from None


def parse(text: str, where: str) -> tuple[str, ...]:
    """Parse a JSON list of names; raises `UsageError`, naming `where`, for anything else."""
    try:
        names = json.loads(text)
    except json.JSONDecodeError as error:
        raise UsageError(
            f'The schema in {where} is not valid JSON ({error}): use a list of types such as ["姓名", "日期"].'
        ) from None
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise UsageError(
            f"The schema in {where} is not a list of names: only entities are supported, not relations or events; "
            'use a list of types such as ["姓名", "日期"].'
        )
    for name in names:
        if not name.strip() or len(name) > LONGEST or "[" in name or names.count(name) > 1:
            raise UsageError(
                f"The schema in {where} has an invalid name ({name!r}): names must be unique, have 1 to "
                f"{LONGEST} characters and contain no '[' (classes are not supported)."
            )
    return tuple(names)
