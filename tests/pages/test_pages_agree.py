"""Whatever two pages, or a page and the report, say of one thing, they say alike."""

from __future__ import annotations

import html
import re
from numbers import Real
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from clv_core.cli import main as run
from clv_core.deployment import list_bundles
from clv_core.workspace import Workspace
from tests.pages.conftest import OPEN, details, do, really, texts

pytestmark = pytest.mark.first(4)

AMOUNT = r"([\d,]+ EUR)"
SAID: dict[str, dict[str, str]] = {
    "customers": {
        "home": r"^Customers=([\d,]+)",
        "datasets": r"shop: ([\d,]+) customers",
        "explore": r"Customers: ([\d,]+),",
        "evaluate": r"of ([\d,]+) customers, \d+ buyers",
        "segments": r"\*\*([\d,]+)\*\* customers, predicted value",
        "report": r"([\d,]+) customers, [\d,]+ orders",
    },
    "orders": {
        "home": r"Orders=([\d,]+)",
        "datasets": r"customers, ([\d,]+) orders",
        "explore": r"Orders: ([\d,]+),",
        "report": r"customers, ([\d,]+) orders",
    },
    "revenue": {
        "home": r"\bRevenue=([\d,]+)",
        "datasets": r"([\d,]+) EUR in \d+ days",
        "explore": r"Net revenue: ([\d,]+) EUR",
        "report": r"Revenue ([\d,]+) EUR",
    },
    "predicted total": {
        "home": rf"customers known today will bring {AMOUNT}",
        "segments": rf"customers known today will bring {AMOUNT}",
        "segments, below": rf"predicted value \*\*{AMOUNT}\*\*",
        "report": rf"customers known today will bring {AMOUNT}",
        "report page": rf"customers known today will bring {AMOUNT}",
    },
    "whose money, and its range": {
        place: r"^(?:### )?(In \d+ days, customers known today .*; with new ones .*\)); the top"
        for place in ("home", "segments", "report page")
    } | {"report": r"(In \d+ days, customers known today [^;]*; with new ones [^;]*\)); the top"},
    "forecast period": {
        "home": r"In (\d+) days, customers",
        "segments": r"In (\d+) days, customers",
        "report page": r"In (\d+) days, customers",
        "monitor": r"next (\d+) days",
        "models": r"(\d+) days ahead",
        "evaluate": r"Over (\d+) unseen days",
    },
    "recommended forecast period": {
        "train": r"forecast (\d+) days ahead$",
        "look": r"In (\d+) days, customers",
    },
    "ranking": {
        "home": r"Ranking \(normalized Gini\)=(0\.\d{3})",
        "evaluate": r"Ranking \(normalized Gini\): (0\.\d{3})",
        "models": r"Ranking \(normalized Gini\): (0\.\d{3})",
        "report": r"Ranking \(normalized Gini\) (0\.\d{3})",
        "train": r"normalized Gini (0\.\d{3})",
    },
    "error of the total": {
        "evaluate": r"Error of the total \(bias\): −(\d)",
        "evaluate, headline": r"understated the total by (\d)%",
        "models": r"Error of the total \(bias\): −(\d)",
        "segments": r"the total was (\d)% off",
        "report": r"Error of the total \(bias\) −(\d)",
        "home": r"off by (\d)%",
    },
    "MAE": {
        page: r"Error per customer \(MAE\):? ([\d.]+) EUR" for page in ("evaluate", "models", "report")
    },
    "baseline": {
        "evaluate": r"Ranking \(normalized Gini\): 0\.\d{3}, [\w ]+ (Past spend rate|BG/NBD)",
        "evaluate, chart": r"hold \d+% of value; (Past spend rate|BG/NBD)",
        "report": r"Ranking \(normalized Gini\) 0\.\d{3} (Past spend rate|BG/NBD)",
        "report, sentence": r"ranking (?:like|ahead of|behind) (Past spend rate|BG/NBD)",
    },
    "figure of the baseline": {
        "evaluate": r"\(normalized Gini\): 0\.\d{3}, [\w ]+Past spend rate: (0\.\d{3})",
        "report": r"\(normalized Gini\) 0\.\d{3} Past spend rate: (0\.\d{3})",
    },
    "day from which it was tested": {
        "evaluate": r"cutoff date (\d+ \w+ \d{4})",
        "models": r"Tested from=(\d+ \w+ \d{4})",
        "report": r"customers from (\d+ \w+ \d{4})",
    },
    "customers of the test": {
        "evaluate": r"Tested on ([\d,]+) of",
        "report": r"Tested on ([\d,]+) customers",
    },
    "share of the top value": {
        "home": r"hold (\d+)%$",
        "segments": r"\*\*Top value\\?: 10% of customers hold (\d+)%",
        "report": r"Top value: 10% of customers hold (\d+)%",
    },
}  # fmt: skip
"""What is said of one thing, by page: the words around it. Where a page says it twice, the second place begins with the
page's name and a comma."""


@pytest.fixture
def pages(open_page: OPEN, root: Path) -> dict[str, str]:
    """All that the pages say, by page; ``report`` is the file, ``report page`` the page on which it is made.

    Customers were scored, and revenue forecast, as pages have it done.
    """
    work, said = Workspace(root), {}
    [model] = list_bundles(work)
    assert run(["score", "shop", "--model", model.id, "--out", str(root / "scores.csv"), "--workspace", str(root)]) == 0
    for page in ("home", "datasets", "train", "evaluate", "segments", "models"):
        said[page] = words(open_page(root, page, lang="en"))
    for page in ("explore", "monitor", "look"):
        shown = details if page == "monitor" else AppTest.run
        shown(open_page(root, page, lang="en"))
        really(root, page)
        said[page] = words(shown(open_page(root, page, lang="en")))
    app = open_page(root, "report", lang="en")
    said["report page"] = words(app)
    do(app, "make_report")
    really(root, "report")
    page = next((root / "exports").glob("*.html")).read_text(encoding="utf-8")
    said["report"] = " ".join(html.unescape(re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", page, flags=re.S)).split())
    return said


def words(app: AppTest) -> str:
    """Return all that a page says: sentences, tiles as ``label: value, note``, cells of tables as ``column=value``."""
    tiles = [f"{tile.label}: {tile.value}, {tile.delta}" for tile in app.metric]
    cells = [
        f"{column}={shown(value)}"
        for table in app.dataframe
        for column, values in pd.DataFrame(table.value).items()
        for value in values
    ]
    return "\n".join([texts(app), *tiles, *cells])


def shown(value: object) -> str:
    """Return a cell as the page shows it."""
    if not isinstance(value, Real):
        return str(value)
    number = float(value)
    return f"{number:,.0f}" if number >= 1 else f"{number:.3f}"


def test_what_two_pages_say_of_one_thing_is_alike(pages: dict[str, str]) -> None:
    different = {}
    for thing, places in SAID.items():
        found = {
            place: set(re.findall(pattern, pages.get(place, pages[place.partition(",")[0]]), re.M))
            for place, pattern in places.items()
        }
        if any(len(values) != 1 for values in found.values()) or len({max(values) for values in found.values()}) > 1:
            different[thing] = found
    assert not different
