"""The one table of features; every list of features derives from it. One line in one of its parts adds a feature."""

from __future__ import annotations

from typing import Final

from clv_core.features.circumstance import CIRCUMSTANCE
from clv_core.features.feature import Feature
from clv_core.features.interest import INTEREST
from clv_core.features.shopping import SHOPPING
from clv_core.features.spending import SPENDING

FEATURES: Final[dict[str, Feature]] = {
    feature.name: feature for feature in (*SPENDING, *SHOPPING, *INTEREST, *CIRCUMSTANCE)
}
"""All features by name, in the order of the feature table's columns."""

GROUPS: Final[tuple[str, ...]] = tuple(dict.fromkeys(feature.group for feature in FEATURES.values()))
"""The named groups that explanations speak of, in the order of their first feature."""
