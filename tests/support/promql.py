"""What a PromQL expression refers to: enough of its grammar to find names and labels that nobody exposes."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipeline.telemetry.metrics import METRICS, Metric

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_SELECTOR = re.compile(r"([a-zA-Z_][\w:]*)\s*\{([^}]*)\}")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_WORD = re.compile(r"(?<![\w:.$])[a-zA-Z_][\w:]*(?!\s*\()(?![\w:])")
_KEYWORDS = {"and", "or", "unless", "bool", "offset", "Inf"}
_TARGET = {"job", "instance"}
"""Labels that Prometheus itself adds."""

OTHERS = {"up": _TARGET, "ALERTS": {"alertname", "alertstate"}}
"""Series of Prometheus itself."""


def exposed(metrics: Iterable[Metric] = METRICS) -> dict[str, set[str]]:
    """Name of each series -> its labels."""
    found = {name: set(labels) for name, labels in OTHERS.items()}
    for metric in metrics:
        labels = {*metric.labels, *_TARGET}
        if metric.kind == "histogram":
            found |= {f"{metric.name}_{part}": set(labels) for part in ("sum", "count")}
            found[f"{metric.name}_bucket"] = {*labels, "le"}
        else:
            found[metric.name] = labels
    return found


def names(expression: str) -> set[str]:
    """The series to which an expression refers."""
    plain = re.sub(r"\[[^\]]*\]", "", _STRING.sub('""', expression))
    plain = _SELECTOR.sub(r"\1", _GROUPING.sub("", plain))
    return {word for word in _WORD.findall(plain) if word not in _KEYWORDS}


def selectors(expression: str) -> set[str]:
    """The selectors of an expression, each with what it matches."""
    matched = {f"{name}{{{matchers}}}" for name, matchers in _SELECTOR.findall(expression)}
    return matched | (names(expression) - {one.partition("{")[0] for one in matched})


def wrong(expression: str, known: dict[str, set[str]]) -> list[str]:
    """What an expression refers to that is not among the known series and their labels."""
    found = names(expression)
    problems = [f"no metric {name}" for name in sorted(found - known.keys())]
    for name, matchers in _SELECTOR.findall(expression):
        labels = re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", _STRING.sub('""', matchers))
        problems += [
            f"{name} has no label {label}" for label in labels if label not in known.get(name, {label})
        ]
    grouped = {label.strip() for labels in _GROUPING.findall(expression) for label in labels.split(",")} - {
        ""
    }
    of_any = set[str]().union(*(known.get(name, set()) for name in found))
    return [*problems, *(f"no label {label} to group by" for label in sorted(grouped - of_any))]
