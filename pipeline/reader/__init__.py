"""Reads hostile bytes in a process of its own, which has no secrets, no network and no other files."""

from pipeline.reader.reader import check, described, open_document, start

__all__ = ["check", "described", "open_document", "start"]
