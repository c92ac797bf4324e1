"""Who moved between tiers is said as of the day on which it was looked at, not of today."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from clv_core.i18n import LANGUAGES, say_day, say_money, translate
from clv_core.monitoring.truth.tiers import Tier
from pages.ui import saying
from pages.ui.monitor import truth


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_is_still_in_the_top_tier_is_dated_by_the_month_that_was_looked_at(
    monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setattr(truth, "t", lambda key, **params: translate(key, language, **params))
    monkeypatch.setattr(truth, "money", lambda value, currency: say_money(value, currency, language))
    monkeypatch.setattr(saying, "day", lambda day: say_day(day, language))
    top = Tier(1, 113, 4988.1, 5597.12, 3854.0, 6339.0, [59, 47, 6, 1], 1)
    about = {"cutoff": "2024-09-01", "as_of": "2024-12-22", "currency": "EUR"}
    report: Any = SimpleNamespace(tiers=[top], about=about)
    firsts = pd.date_range("2024-09-02", "2024-12-22", freq="MS")  # months that are over when the log ends
    said, day = truth.moved(report)
    assert day == say_day(firsts[-1].date(), language) and day in said
    assert "52%" in said and "today" not in said and "如今" not in said
