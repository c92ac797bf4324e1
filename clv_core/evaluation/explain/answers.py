"""The explained outputs: predicted value, purchase probability, and value if buying."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

VALUE: Final = "predicted_clv"
CHANCE: Final = "p_purchase"
IF_BOUGHT: Final = "value_if_bought"
ANSWERS: Final = (VALUE, CHANCE, IF_BOUGHT)
"""Columns of an array of answers; their texts are ``answer.<name>``."""


def answers_of(p_purchase: Floats, predicted_clv: Floats, most: float = np.inf) -> Floats:
    """Return the answers, [n, len(ANSWERS)]: predicted_clv is p_purchase times value_if_bought.

    Args:
        p_purchase: chance of any purchase in the horizon, [n].
        predicted_clv: expected value in the horizon, [n].
        most: bound of value_if_bought, in currency. Of a mixture of two customers a model may say that it hardly buys
            and is worth a lot all the same; the ratio of both then says nothing beyond the largest of a real customer.
    """
    ratio = np.divide(predicted_clv, p_purchase, out=np.zeros(len(p_purchase)), where=p_purchase > 0)
    return np.column_stack([predicted_clv, p_purchase, np.minimum(ratio, most)])
