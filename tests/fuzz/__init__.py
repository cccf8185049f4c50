"""Fuzzing of everything that reads what others wrote: `make fuzz` (docs/how-to/test-the-night.md)."""
