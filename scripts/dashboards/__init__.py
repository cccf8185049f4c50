"""Grafana's dashboards as code. `make dashboards` writes docker/grafana/dashboards/*.json, which Grafana loads."""

from __future__ import annotations

import json
from pathlib import Path

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from scripts.dashboards import backlog, device, failures, night

FOLDER = Path(__file__).resolve().parent.parent.parent / "docker" / "grafana" / "dashboards"

DASHBOARDS = {
    "night": night.dashboard,
    "backlog": backlog.dashboard,
    "failures": failures.dashboard,
    "device": device.dashboard,
}
"""By file name. Each gives a new builder: building one twice would add its panels twice."""


def as_json(builder: dashboard.Dashboard) -> str:
    """A dashboard as Grafana loads it, its panels numbered from 1."""
    built = builder.build()
    for number, panel in enumerate(built.panels or [], start=1):
        panel.id_val = number
    return json.dumps(built, cls=JSONEncoder, indent=2, sort_keys=True) + "\n"
