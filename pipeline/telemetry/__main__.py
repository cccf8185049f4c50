"""Prints the table of docs/reference/metrics.md."""

from pipeline.telemetry.metrics import table

print(table())  # noqa: T201
