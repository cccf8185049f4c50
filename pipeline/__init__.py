"""Nightshift: scanned documents in, text lines and entities out, overnight and without losing one.

This package is the domain: it never imports Celery, `tasks` or `celeryconfig`.
"""

__version__ = "0.1.0"
