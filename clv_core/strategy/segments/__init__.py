"""Segments: schemes that cut scored customers, conditions on them, and figures of what is in each segment.

    parse_scheme(text) -> Segmentation -> fit(customers) -> FittedScheme -> place(customers) -> Assignment

Value tiers are the default scheme. :mod:`.scored_customers` leads from a scheme's text to the columns of a list.
"""

from clv_core.strategy.segments.segment_figures import Total as Total
from clv_core.strategy.segments.segment_figures import table as table
from clv_core.strategy.segments.segment_figures import too_few as too_few
from clv_core.strategy.segments.segment_figures import total as total
from clv_core.strategy.segments.segmentation import P_PURCHASE as P_PURCHASE
from clv_core.strategy.segments.segmentation import TIER as TIER
from clv_core.strategy.segments.segmentation import VALUE as VALUE
from clv_core.strategy.segments.value_tiers import assign_tiers as assign_tiers
