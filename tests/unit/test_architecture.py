"""The import arrows: tasks -> pipeline, never back; heavy libraries only inside their engine files."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

COMPOSITION = ("pipeline/cli/",)
HEAVY = {
    "paddle": {"pipeline/ner/", "pipeline/ocr/paddle.py"},
    "paddleocr": {"pipeline/ocr/"},
    "rapidocr": {"pipeline/ocr/"},
    "openvino": {"pipeline/ocr/"},
    "pypdfium2": {"pipeline/documents/pdf.py", "pipeline/documents/text_layer.py"},
    "boto3": {"pipeline/storage/s3.py"},
    "pandas": {"pipeline/results.py"},
}
FILES = sorted((ROOT / "pipeline").rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_the_domain_knows_no_celery(path: Path) -> None:
    name = str(path.relative_to(ROOT))
    for module in imports(path):
        top = module.split(".")[0]
        assert name.startswith(COMPOSITION) or top not in ("celery", "kombu", "tasks", "celeryconfig"), (
            name,
            module,
        )
        assert top not in HEAVY or any(name.startswith(place) for place in HEAVY[top]), (name, module)


def test_the_rule_would_notice() -> None:
    assert len(FILES) > 30
    assert "celery" in {m.split(".")[0] for m in imports(ROOT / "tasks" / "app.py")}
