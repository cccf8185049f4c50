"""The schema of a UIE model: which types to look for, in the words that the model is prompted with."""

from __future__ import annotations

import json
from pathlib import Path

from pipeline.errors import UsageError

FILE = "schema.json"
"""Name of the schema beside the weights, for a folder that brings its own."""

LONGEST = 64
"""Most characters of a type's name: the name takes its room from the text that is read with it."""


def load(setting: str, folder: Path | None) -> tuple[str, ...]:
    """Return the names from the setting (a JSON list, or a file that holds one), else from the folder.

    Raises `UsageError` when there is no schema, or when it is no list of names.
    """
    if setting.lstrip().startswith(("[", "{", '"')):
        return parse(setting, "NIGHTSHIFT_NER_SCHEMA")
    file = Path(setting) if setting else folder / FILE if folder else None
    if file is None or not (setting or file.is_file()):
        raise UsageError(
            "UIE reads what a schema asks for, and there is none: set NIGHTSHIFT_NER_SCHEMA to a JSON list of "
            f'types such as ["姓名", "日期"], or lay it beside the weights as {FILE}.'
        )
    try:
        return parse(file.read_text("utf-8"), str(file))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise UsageError(
            f"NIGHTSHIFT_NER_SCHEMA is neither a JSON list nor a file that can be read ({file}: {reason})."
        ) from None


def parse(text: str, where: str) -> tuple[str, ...]:
    """Read a JSON list of names; raises `UsageError`, with `where` in its sentence, for anything else."""
    try:
        names = json.loads(text)
    except json.JSONDecodeError as error:
        raise UsageError(
            f'The schema in {where} is no JSON ({error}): write a list of types such as ["姓名", "日期"].'
        ) from None
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise UsageError(
            f"The schema in {where} is no list of names: Nightshift reads entities, not relations or events; "
            'write a list of types such as ["姓名", "日期"].'
        )
    for name in names:
        if not name.strip() or len(name) > LONGEST or "[" in name or names.count(name) > 1:
            raise UsageError(
                f"The schema in {where} has a name that can't be used ({name!r}): each stands once, has 1 to "
                f"{LONGEST} characters and no '[' (classes are not read)."
            )
    return tuple(names)
