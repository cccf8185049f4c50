"""The room of the device: one process that holds the models and computes for all documents in progress."""

EXIT_LOST = 85
"""Exit code of a process whose device is gone."""
