"""A real browser for the pages that people look at: what it shows, asks for and complains about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tests.support.servers import unavailable

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = Path("/usr/bin/chromium")
SECONDS = 60.0
"""For a page to load; a machine that is busy takes its time."""

_GLYPHS = """
text => {
  const drawn = sign => {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = 48;
    const pen = canvas.getContext('2d');
    pen.font = '32px ' + getComputedStyle(document.body).fontFamily;
    pen.fillText(sign, 8, 36);
    return canvas.toDataURL();
  };
  const missing = drawn('\\u0378'), empty = drawn(' ');
  const all = [...new Set(text)].map(drawn);
  return all.every(one => one !== missing && one !== empty) && new Set(all).size === all.length;
}
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a window; skips the test on a laptop without it, fails it in CI."""
    if not CHROMIUM.exists():
        unavailable("Chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Look:
    """A page that is open: its requests, its own included, and what its console and scripts complained about."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def violations(self) -> list[str]:
        """Serious and critical findings of axe-core: its rule and what it is about."""
        from axe_playwright_python.sync_playwright import Axe

        found = Axe().run(self.page).response["violations"]
        return [
            f"{one['id']}: {node['target']} {node['html'][:120]}"
            for one in found
            if one["impact"] in ("serious", "critical")
            for node in one["nodes"]
        ]

    def too_wide(self) -> int:
        """Pixels by which the page is wider than the window: it would scroll to the side."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))

    def has_glyphs(self, text: str) -> bool:
        """Whether each sign of a text has a glyph of its own in the page's font: neither nothing nor a box."""
        return bool(self.page.evaluate(_GLYPHS, text))


@contextmanager
def look(
    browser: Browser,
    url: str,
    *,
    width: int = 1100,
    height: int = 900,
    scheme: Literal["light", "dark"] = "light",
    offline: bool = True,
) -> Iterator[Look]:
    """Open a page in a window of this size; `offline`: a `file:` page, which may ask for nothing."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, offline=offline
    )
    try:
        page = context.new_page()
        page.set_default_timeout(SECONDS * 1000)
        seen = Look(page)
        page.on("request", lambda request: seen.requests.append(request.url))
        page.on(
            "console",
            lambda said: seen.complaints.append(said.text) if said.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        page.goto(url)
        yield seen
    finally:
        context.close()
