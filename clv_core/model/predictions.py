"""What every model answers: for each customer a chance, a mean, and three quantiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.errors import Refused

Floats = NDArray[np.float64]

COLUMNS: Final = (
    *("customer_id", "as_of", "horizon_days"),
    *("p_purchase", "predicted_clv", "clv_p10", "clv_p50", "clv_p90", "model"),
)
"""Columns of a frame of predictions, in order: what ``score`` writes."""


@dataclass(frozen=True)
class Predictions:
    """Predictions of n customers; money in the log's currency.

    Args:
        p_purchase: probability of a net value above 0 in the horizon (of buying and keeping something), float64 [n]
            in [0, 1].
        predicted_clv: expected net value in the horizon (the mean), float64 [n].
        clv_p10: 10% quantile of that value, float64 [n].
        clv_p50: its median, float64 [n].
        clv_p90: its 90% quantile, float64 [n].

    Raises:
        ValueError: the arrays differ in length.
        Refused: they hold anything that is not finite, or a probability outside [0, 1]: weights that are not sound.
    """

    p_purchase: Floats
    predicted_clv: Floats
    clv_p10: Floats
    clv_p50: Floats
    clv_p90: Floats

    def __post_init__(self) -> None:
        """Refuse lengths that differ, NaN, infinity and impossible probabilities."""
        for item in fields(self):
            values = getattr(self, item.name)
            if values.shape != self.p_purchase.shape:
                raise ValueError(f"{item.name}: {values.shape}")
            if not np.isfinite(values).all():
                raise Refused("impossible_predictions", figure=item.name)
        if ((self.p_purchase < 0) | (self.p_purchase > 1)).any():
            raise Refused("impossible_predictions", figure="p_purchase")

    def __len__(self) -> int:
        """Return n."""
        return len(self.p_purchase)

    def frame(
        self, customer_ids: Sequence[Any] | pd.Index[Any], as_of: date, horizon_days: int, model: str
    ) -> pd.DataFrame:
        """Return one row a customer with the columns :data:`COLUMNS`.

        Args:
            customer_ids: ids, [n], in the order of the predictions.
            as_of: the cutoff; written as an ISO date.
            horizon_days: length of the predicted span.
            model: id of the model or bundle.
        """
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        keys = {"customer_id": np.asarray(customer_ids, dtype=object), "as_of": as_of.isoformat()}
        frame = pd.DataFrame({**keys, "horizon_days": horizon_days, **values, "model": model})
        return frame[list(COLUMNS)]
