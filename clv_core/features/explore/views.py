"""The views of the explore page: tables of a selection, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pandas as pd

from clv_core.features.explore.categories import categories
from clv_core.features.explore.cohorts import cohorts
from clv_core.features.explore.concentration import concentration
from clv_core.features.explore.figures import figures, trend
from clv_core.features.explore.funnel import funnel
from clv_core.features.explore.gaps import come_back, gaps
from clv_core.features.explore.ratings import rating_trend, ratings
from clv_core.features.explore.rfm import rfm
from clv_core.features.explore.selection import Selection


def _come_back(selection: Selection) -> pd.DataFrame:
    return come_back(gaps(selection))


VIEWS: Final[dict[str, Callable[[Selection], pd.DataFrame]]] = {
    "trend": trend,
    "cohorts": cohorts,
    "gaps": gaps,
    "come_back": _come_back,
    "rfm": rfm,
    "funnel": funnel,
    "ratings": ratings,
    "rating_trend": rating_trend,
    "categories": categories,
}


def keep_answers(selection: Selection) -> None:
    """Have all that the page asks of a whole log ready; of a part of it nothing is kept, and nothing done."""
    if selection.whole:
        for ask in (figures, concentration, *VIEWS.values()):
            ask(selection)
