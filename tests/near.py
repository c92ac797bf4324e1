"""How near the same scores are on another processor, as CONTRIBUTING.md promises it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd


def assert_near(now: Any, then: Any, name: str) -> None:
    """Hold one figure of customers, ``predicted_clv``, ``p_purchase`` or a quantile ``clv_p..``, against what it was.

    float32 keeps 6e-8 of a value, and sums of some hundred in another order 1e-6 of it. A quantile of one who buys
    hardly often enough for it rests on the last digits of her chance: 1.3e-5 of .93 was seen, so it may be off by a
    hundredth of a cent.
    """
    share, least = (1e-5, 1e-4) if name.startswith("clv_p") else (1e-6, 1e-6)
    np.testing.assert_allclose(now, then, rtol=share, atol=least, err_msg=name)


def assert_scores_near(now: pd.DataFrame, then: pd.DataFrame) -> None:
    """Hold a table of scores against what it was: figures as near as promised, all else as it was."""
    figures = [name for name in then if name == "p_purchase" or "clv" in name]
    pd.testing.assert_frame_equal(now.drop(columns=figures), then.drop(columns=figures))
    for name in figures:
        assert_near(now[name], then[name], name)
