"""The app as a person in a browser sees it: open, wait until it is still, look, keep a picture."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

KEPT: Final = os.environ.get("CLV_SCREENSHOTS")
"""Folder of pictures for who wants to look at them."""
PATIENCE: Final = 300
"""Seconds in which a page is drawn or a run of seconds ends on the slowest machine: what waits longer waits in vain."""
APP = '[data-testid="stApp"]'
STILL = f'{APP}[data-test-script-state="notRunning"]'
PROGRESS = '[data-testid="stMain"] [data-testid="stProgress"]'
PAGES = (
    *("home", "notes", "upload", "sources", "look", "datasets", "explore", "train", "evaluate", "explain"),
    *("segments", "customer", "acquisition", "forecast", "demand", "strategy", "exports", "results", "report"),
    "models",
    "monitor",
    "schedules",
    "privacy",
)


class Studio:
    """One browser window.

    Args:
        page: of Playwright.
        base: address of the app.
    """

    def __init__(self, page: Any, base: str) -> None:
        self.page, self.base = page, base
        page.set_default_timeout(PATIENCE * 1000)
        self.outside: list[str] = []
        page.on("request", self._note)

    def _note(self, request: Any) -> None:
        host = urlsplit(request.url).hostname
        if host not in ("localhost", "127.0.0.1", None, ""):
            self.outside.append(request.url)

    def open(self, name: str = "home", **query: str) -> None:
        """Open a page by its address."""
        self.page.goto(f"{self.base}/{'' if name == 'home' else name}?{urlencode(query)}")
        self.wait()

    def wait(self, seconds: float = PATIENCE) -> None:
        """Wait until the app has drawn the page and rests."""
        time.sleep(0.5)
        self.page.wait_for_selector(STILL, timeout=seconds * 1000)
        time.sleep(0.5)
        self.page.wait_for_selector(STILL, timeout=seconds * 1000)

    def click(self, label: str) -> None:
        """Press the button with this label."""
        self.page.get_by_role("button", name=label, exact=True).first.click()
        self.wait()

    def wait_for(self, text: str, seconds: float = PATIENCE) -> None:
        """Wait until a text stands in the main part of the page.

        Raises:
            AssertionError: it never came; says what stands there instead, and where the window and its focus are.
        """
        found = self.page.get_by_test_id("stMain").get_by_text(text).first
        try:
            found.wait_for(timeout=seconds * 1000)
        except Exception as error:
            here = self.page.evaluate("document.activeElement.outerHTML.slice(0, 300)")
            raise AssertionError(f"no “{text}” on {self.page.url}: {self.text()}\n\nFocus: {here}") from error
        self.wait(seconds)

    def until(self, met: Callable[[], bool], seconds: float = PATIENCE) -> None:
        """Wait until something holds, asked again and again.

        Raises:
            AssertionError: it never did; says what stands on the page instead.
        """
        end = time.monotonic() + seconds
        while not met():
            assert time.monotonic() < end, f"{self.page.url}: {self.text()}"
            time.sleep(0.2)

    def begins(self, text: str) -> None:
        """Wait until the main part of the page begins with a text."""
        self.until(lambda: self.text().startswith(text))

    def shows(self, text: str) -> None:
        """Wait until a text is among all that stands in the main part of the page."""
        self.until(lambda: text in self.text())

    def finish(self, seconds: float = PATIENCE) -> None:
        """Wait until no run shows its progress any more."""
        if self.page.locator(PROGRESS).count():
            self.page.wait_for_function(f"!document.querySelector('{PROGRESS}')", timeout=seconds * 1000)
            self.wait()

    def text(self) -> str:
        """Return all text of the main part."""
        return str(self.page.get_by_test_id("stMain").inner_text())

    def picture(self, name: str, width: int = 1280) -> None:
        """Keep a picture of the whole page in :data:`KEPT`, with few colours so that it stays small; else take none."""
        if not KEPT:
            return
        from PIL import Image

        height = self.page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
        self.page.set_viewport_size({"width": width, "height": min(max(900, height), 5000)})
        time.sleep(1)
        image = Image.open(io.BytesIO(self.page.screenshot()))
        Path(KEPT).mkdir(parents=True, exist_ok=True)
        image.convert("RGB").quantize(256).save(Path(KEPT) / f"{name}.png", optimize=True)
        self.page.set_viewport_size({"width": 1280, "height": 900})
