"""Renders the chart with Helm, as a program of its own: Helm's library brings the runtime of another language along.

Reads a list of values from its input, as JSON. Writes for each the manifests by template, or why it is refused.
"""

# ruff: noqa: T201
import json
import sys

import helm_python  # type: ignore[import-not-found]

given = json.load(sys.stdin)
found = []
with helm_python.Chart.load(sys.argv[1]) as chart:
    for values in given:
        try:
            made = chart.render(values, name="nightshift", namespace="night")
        except helm_python.HelmError as error:
            made = str(error)
        found.append(made)
print(
    json.dumps(
        {"helm": helm_python.helm_sdk_version(), "lint": helm_python.lint(sys.argv[1]), "found": found}
    )
)
