"""The source of a rule may not change unnoticed: its version number is part of the key of each night's results.

`rules_versions.json` records, for each room, the version number and a hash of each source file. Comments,
docstrings, formatting and the texts of exceptions that are raised do not count. After a change of source:

1. If it changes results, raise the number that the failure names. Stored results then count as outdated.
2. In either case record the new hashes, and commit them with the change:

       .venv/bin/python -m tests.unit.test_rules_versions
"""

import ast
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from pipeline import fields
from pipeline.fields import describe
from pipeline.ner import identity as ner
from pipeline.ocr import identity as ocr
from pipeline.served.engine import SERVED_VERSION
from pipeline.settings import Settings
from pipeline.steps import engines

PIPELINE = Path(ner.__file__).parent.parent
RECORDED = Path(__file__).with_name("rules_versions.json")
COMMAND = ".venv/bin/python -m tests.unit.test_rules_versions"

ROOMS: dict[str, tuple[str, object, tuple[str, ...]]] = {
    "ner": ("RULES_VERSION in pipeline/ner/identity.py", ner.RULES_VERSION, ("ner/**/*.py",)),
    "fields": ("RULES_VERSION in pipeline/fields/__init__.py", fields.RULES_VERSION, ("fields/**/*.py",)),
    "ocr": (
        "READING_VERSION in pipeline/ocr/identity.py",
        ocr.READING_VERSION,
        tuple(
            f"ocr/{name}.py"
            for name in (
                "asking_engine",
                "cuts",
                "direction",
                "lines",
                "onnx_models",
                "openvino_models",
                "orientation",
                "paddle",
                "paddle_files",
                "paddle_models",
                "rapid",
                "reading",
                "regions",
                "seals",
                "sheets",
                "tensor_models",
                "tensors",
                "trust",
            )
        ),
    ),
    "served": (
        "SERVED_VERSION in pipeline/served/engine.py",
        SERVED_VERSION,
        tuple(f"served/{name}.py" for name in ("engine", "strips", "wire")),
    ),
    "reader": (
        "READER_VERSION in pipeline/steps/engines.py",
        engines.READER_VERSION,
        ("documents/*.py",),
    ),
}
"""By room: the name of its number, the number, and the files that it covers (below `pipeline/`)."""
EXCLUDED = "ner/training/"
"""How models are trained: the trained weights are part of the digest."""


class _Messages(ast.NodeTransformer):
    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return ast.Constant("") if isinstance(node.value, str) else node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.Constant:
        return ast.Constant("")


class _Wording(ast.NodeTransformer):
    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if text else self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        return _Messages().visit(node)  # type: ignore[no-any-return]


def normalised(source: str) -> str:
    """The source without comments, docstrings, formatting and the texts of exceptions."""
    return ast.unparse(_Wording().visit(ast.parse(source)))


def current() -> dict[str, Any]:
    """What `rules_versions.json` should hold now."""
    found = {}
    for room, (_, version, patterns) in ROOMS.items():
        files = {
            name: hashlib.sha256(normalised(path.read_text("utf-8")).encode()).hexdigest()[:16]
            for pattern in patterns
            for path in sorted(PIPELINE.glob(pattern))
            if not (name := path.relative_to(PIPELINE).as_posix()).startswith(EXCLUDED)
        }
        found[room] = {"version": str(version), "files": files}
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_a_change_of_source_is_recorded_with_its_version(room: str) -> None:
    now, before = current()[room], json.loads(RECORDED.read_text())[room]
    changed = sorted(name for name, _ in now["files"].items() ^ before["files"].items())
    number = ROOMS[room][0]
    if changed and now["version"] == before["version"]:
        pytest.fail(
            f"{', '.join(dict.fromkeys(changed))} changed, but not {number}. If this changes results, raise that "
            f"number. Then, in either case, record the new hashes: {COMMAND}",
            pytrace=False,
        )
    if now != before:
        pytest.fail(f"{number} is {now['version']}: record the new hashes: {COMMAND}", pytrace=False)


def test_every_pattern_finds_files() -> None:
    for _, _, patterns in ROOMS.values():
        for pattern in patterns:
            assert list(PIPELINE.glob(pattern)), f"{pattern} names no file: was it moved?"


PLAIN = (
    'LIMIT = 3\ndef f(x):\n    if x > LIMIT:\n        raise ValueError("too long")\n    return x.strip("-")'
)


@pytest.mark.parametrize(
    "worded",
    [
        "# why\n" + PLAIN,
        '"""What it is."""\n' + PLAIN,
        PLAIN.replace("LIMIT = 3", 'LIMIT = 3\n"""Lines."""'),
        PLAIN.replace("    if", '    """Cut it."""\n\n    if'),
        PLAIN.replace("x > LIMIT", "(x  >  LIMIT)"),
        PLAIN.replace('"too long"', 'f"{x} is longer than {LIMIT}"'),
    ],
)
def test_wording_does_not_count(worded: str) -> None:
    assert worded != PLAIN
    assert normalised(worded) == normalised(PLAIN)


@pytest.mark.parametrize(
    ("old", "new"), [("3", "4"), (">", ">="), ('"-"', '"+"'), ("ValueError", "KeyError")]
)
def test_anything_else_counts(old: str, new: str) -> None:
    assert normalised(PLAIN.replace(old, new)) != normalised(PLAIN)


@pytest.mark.parametrize("module", [ner, fields])
def test_another_version_gives_another_digest(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def digest() -> str:
        settings = Settings(ner_engine="patterns")
        return describe(settings).digest if module is fields else ner.of_patterns(settings).digest

    before = digest()
    monkeypatch.setattr(module, "RULES_VERSION", 99)
    assert digest() != before


if __name__ == "__main__":
    RECORDED.write_text(json.dumps(current(), indent=1) + "\n")
