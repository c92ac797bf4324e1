"""Every page and every view of it, on the sample, in both languages and themes: no raw key, nothing cut or overlapping.

Without ``$CLV_SCREENSHOTS``, where pictures are kept, only pages as they open, and each language in one theme.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import pytest

from clv_core.i18n import catalogue
from tests.e2e.conftest import ROOT, serving, window
from tests.e2e.studio import KEPT, PAGES, Studio

pytestmark = [pytest.mark.timeout(3600), pytest.mark.slow]

WALKS: Final = [("en", "light"), ("zh", "dark"), *([("en", "dark"), ("zh", "light")] if KEPT else [])]
VIEWS: Final = '[data-testid="stMain"] [data-testid="stButtonGroup"] button, [data-testid="stMain"] [role="tab"]'

CUT: Final = """() => {
  const found = [];
  if (document.scrollingElement.scrollWidth > window.innerWidth + 1) found.push("the page scrolls sideways");
  const words = "button, label, h1, h2, h3, h4, [role=tab], [data-testid=stMetricLabel], [data-testid=stMetricValue]";
  for (const box of document.querySelectorAll(words)) {
    if (!box.offsetParent || box.closest("[data-testid=stDataFrame]")) continue;
    for (const one of [box, ...box.querySelectorAll("p, div, span")]) {
      const hides = ["hidden", "clip"].includes(getComputedStyle(one).overflowX);
      const text = one.innerText || "";
      if (hides && one.clientWidth > 8 && one.scrollWidth > one.clientWidth + 2 && text.trim()) {
        found.push("cut off: " + text.trim().slice(0, 80)); break;
      }
    }
  }
  const meet = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2 &&
    Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3;
  for (const axis of document.querySelectorAll(".xaxislayer-above, .yaxislayer-above")) {
    const turned = one => /rotate\\((?!0[,)])/.test(one.getAttribute("transform") || "");  // their boxes always meet
    const texts = [...axis.querySelectorAll("text")].filter(one => one.textContent && !turned(one));
    const boxes = texts.map(one => one.getBoundingClientRect());
    if (boxes.some((a, i) => boxes.slice(i + 1).some(b => a.width && b.width && meet(a, b))))
      found.push("axis labels overlap: " + texts.map(one => one.textContent).slice(0, 6).join(" | "));
  }
  return [...new Set(found)];
}"""


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an app over the sample with its model."""
    root = tmp_path_factory.mktemp("sample")
    made = [sys.executable, "-m", "clv_core", "demo", "--workspace", str(root)]
    subprocess.run(made, cwd=ROOT, check=True, capture_output=True)
    with serving(root) as base:
        yield base


@pytest.mark.parametrize(("lang", "theme"), WALKS)
def test_every_view_is_whole(chromium: str, shown: str, lang: str, theme: str) -> None:
    with window(chromium, shown, color_scheme=theme) as studio:
        faults = {}
        for name in PAGES:
            studio.open(name, lang=lang, dataset="sample")
            studio.finish()
            for view in views(studio):
                where = f"{name} {view} {lang} {theme}"
                faults[where] = look(studio, lang)
                studio.picture(where.replace(" ", "_"))
        assert {where: found for where, found in faults.items() if found} == {}
        assert studio.outside == []


def views(studio: Studio) -> Iterator[str]:
    """Yield numbers of the page's views, each chosen and drawn: as it opens, then each button of its switches."""
    yield "0"
    for number in range(1, 40 if KEPT else 1):
        buttons = studio.page.locator(VIEWS)
        if number > buttons.count():
            return
        button = buttons.nth(number - 1)
        if button.is_visible() and button.is_enabled() and button.get_attribute("data-selected") != "true":
            button.click()
            studio.wait()
            studio.finish()
            yield str(number)


def look(studio: Studio, lang: str) -> list[str]:
    """Return what is wrong with what is seen."""
    text = studio.text()
    raw = sorted(set(re.findall(r"[a-z_0-9]+(?:\.[a-z_0-9]+)+", text)) & keys(lang))
    said = [f"raw key {key}" for key in raw]
    return said + list(studio.page.evaluate(CUT))


@cache
def keys(lang: str) -> Any:
    """Return all keys of the catalogue."""
    return catalogue(lang).keys()
