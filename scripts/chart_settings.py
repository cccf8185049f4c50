"""Write the names of the settings that the Helm chart takes into its schema: `python -m scripts.chart_settings`.

Left out are secrets, which stay in Secrets, and what the chart itself decides.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline.settings import PREFIX, Settings
from pipeline.settings_check import SECRET

SCHEMA = Path(__file__).parents[1] / "docker/k8s/values.schema.json"

OF_THE_CHART = frozenset(
    {"actor", "devices", "metrics_address", "metrics_hosts", "ocr_device", "processes", "temp_dir"}
)
"""Settings that differ between pods, or name a place that the chart mounts; a pod's name is who acts."""


def names() -> list[str]:
    """Those that values may contain, as environment variables."""
    left_out = SECRET | OF_THE_CHART | {"flower_user"}
    return [PREFIX + name.upper() for name in Settings.__struct_fields__ if name not in left_out]


def schema() -> dict[str, Any]:
    """The schema with these names."""
    found: dict[str, Any] = json.loads(SCHEMA.read_text())
    found["properties"]["settings"]["properties"] = {
        name: {"$ref": "#/definitions/setting"} for name in names()
    }
    return found


def text() -> str:
    """The file as it should be."""
    return json.dumps(schema(), indent=2) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(text())
