"""The committed dashboards, and every expression that Grafana and Prometheus evaluate."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import yaml

from scripts.dashboards import FOLDER
from tests.conftest import ROOT

RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((ROOT / "docker" / "prometheus" / "rules.yml").read_text())["groups"]
    for rule in group["rules"]
]
ALERTS = {rule["alert"]: rule for rule in RULES if "alert" in rule}
RECORDED = {rule["record"]: rule for rule in RULES if "record" in rule}

BOARDS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))
}


@cache
def queries() -> dict[str, str]:
    """Where each query of a dashboard is -> the query, with `$` variables as Grafana fills them in at first."""
    found = {}
    for name, board in BOARDS.items():
        for panel in board["panels"]:
            for target in panel["targets"]:
                found[f"{name}: {panel['title']} {target['refId']}"] = filled(target["expr"])
        for note in board["annotations"]["list"]:
            found[f"{name}: annotation {note['name']}"] = filled(note["expr"])
    return found


def filled(expression: str) -> str:
    """An expression with the values of Grafana's variables."""
    for variable, value in (("$tenant", ".*"), ("$instance", ".*"), ("$__rate_interval", "2m")):
        expression = expression.replace(variable, value)
    assert "$" not in expression, expression
    return expression


@cache
def expressions() -> dict[str, str]:
    """All of them: those of dashboards, recorded series and alerts."""
    rules = {f"rule {rule.get('alert') or rule['record']}": str(rule["expr"]) for rule in RULES}
    return queries() | rules
