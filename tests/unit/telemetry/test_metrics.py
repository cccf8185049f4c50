"""Every metric is declared, documented, made somewhere, and counted with the labels that it has."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.telemetry.metrics import METRICS, table
from tests.conftest import ROOT

DECLARED = {metric.name: metric for metric in METRICS}
FUNCTIONS = {"count": "counter", "observe": "histogram", "gauge": "gauge"}
CODE = sorted([*(ROOT / "pipeline").rglob("*.py"), *(ROOT / "tasks").rglob("*.py")])


def calls() -> Iterator[tuple[Path, str, str, int]]:
    """File, function, name and number of labels, of each call of `telemetry.count` and the like."""
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if not (isinstance(node.func.value, ast.Name) and node.func.value.id == "telemetry"):
                continue
            if node.func.attr not in FUNCTIONS:
                continue
            name = node.args[0]
            assert isinstance(name, ast.Constant), f"{path}: a metric is named in the call"
            values = node.args[1:] if node.func.attr == "count" else node.args[2:]
            yield path, node.func.attr, str(name.value), len(values)


def test_what_is_counted_is_declared_with_these_labels() -> None:
    found = list(calls())
    assert len(found) > 10
    for path, function, name, labels in found:
        assert name in DECLARED, f"{path}: {name} is not declared in pipeline/telemetry/metrics.py"
        metric = DECLARED[name]
        assert (metric.by, metric.kind) == ("worker", FUNCTIONS[function]), f"{path}: {name}"
        assert len(metric.labels) == labels, f"{path}: {name}"


def test_what_is_named_in_code_is_declared_and_what_is_declared_is_made() -> None:
    named = {
        name
        for path in CODE
        if path.name != "metrics.py" or path.parent.name != "telemetry"
        for name in re.findall(r"\"(nightshift_[a-z_]+)\"", path.read_text())
    }
    assert named - {"nightshift_schema_version"} == set(DECLARED)


def test_the_documentation_lists_every_metric() -> None:
    assert table() in (ROOT / "docs" / "reference" / "metrics.md").read_text()


def test_names_and_units_are_those_of_prometheus() -> None:
    assert len(DECLARED) == len(METRICS)
    for metric in METRICS:
        assert re.fullmatch(r"nightshift_[a-z_]+", metric.name)
        assert metric.name.endswith("_total") == (metric.kind == "counter"), metric.name
        assert bool(metric.buckets) == (metric.kind == "histogram"), metric.name
        assert metric.help.endswith("."), metric.name
        assert not metric.name.removesuffix("_total").endswith(("_ms", "_minutes", "_percent", "_mib"))
