"""Every feature and group has a name and a meaning in each language, and none is left over."""

from __future__ import annotations

import pytest

from clv_core.features.behaviour import FEATURES, GROUPS
from clv_core.features.labels import group_label, label, meaning
from clv_core.i18n import LANGUAGES, catalogue


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_are_all_different(language: str) -> None:
    assert len({label(name, language) for name in FEATURES}) == len(FEATURES)
    assert len({group_label(group, language) for group in GROUPS}) == len(GROUPS)


def test_a_windowed_feature_names_its_window() -> None:
    assert label("net_value_90d") == "Revenue, last 90 days"
    assert label("net_value_90d", "zh") == "近 90 天净收入"
    assert "180 days" in meaning("views_trend_180d")


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_left_of_a_feature_that_is_gone(language: str) -> None:
    families = {feature.family or name for name, feature in FEATURES.items()}
    expected = {f"feature.{family}{suffix}" for family in families for suffix in ("", ".meaning")}
    assert {key for key in catalogue(language) if key.startswith("feature.")} == expected
