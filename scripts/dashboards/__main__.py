"""Write the dashboards."""

from __future__ import annotations

from scripts.dashboards import DASHBOARDS, FOLDER, as_json

for name, make in DASHBOARDS.items():
    (FOLDER / f"{name}.json").write_text(as_json(make()))
