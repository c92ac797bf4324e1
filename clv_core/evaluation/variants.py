"""Variants of models with one setting changed, on the same customers, as rows of the scoreboard.

What a variant does not know of counts too. A log of purchases alone has not those who only looked around: they get what
never-buyers were worth in earlier windows, as from the models of purchases (design section 4), and stay in all figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from clv_core.columns import CUSTOMER_ID
from clv_core.config import TrainConfig
from clv_core.errors import UsageError
from clv_core.features.snapshot import Snapshot

FIXED: Final = ("horizon_days", "model")
"""Settings that a variant cannot change: another horizon is another question, and models have rows anyway."""
FIGURES: Final = ("p_purchase", "predicted_clv", "clv_p10", "clv_p50", "clv_p90")


def variants_of(config: TrainConfig, pairs: Sequence[str]) -> dict[str, TrainConfig]:
    """Return the settings of each variant by what is put after the models' ids, the plain ones first, under "".

    Args:
        config: the plain settings.
        pairs: one ``key=value`` a variant, such as ``review_text=false``.

    Raises:
        UsageError: no pair, an unknown key, a value that it cannot have, or a setting that cannot vary.
    """
    found = {"": config}
    for text in pairs:
        key, equals, value = (part.strip() for part in text.partition("="))
        if not equals:
            raise UsageError("setting_pair", text=text)
        if key in FIXED:
            raise UsageError("variant_fixed", setting=key)
        known = {name: old for name, old in config.to_json().items() if name != key}
        found[f"[{key}={value}]"] = TrainConfig.from_pairs({key: value}, **known)
    return found


def worth_of_never_buyers(train: Snapshot) -> dict[str, float]:
    """Return what is predicted for a customer of whom nothing is known: what never-buyers were worth in training.

    Returns:
        :data:`FIGURES` by name; 0 where all had bought.
    """
    train = train.complete()
    assert train.target is not None
    value = np.maximum(train.target, 0.0)[train.features["T"].isna().to_numpy()]
    if not len(value):
        return dict.fromkeys(FIGURES, 0.0)
    quantiles = (float(quantile) for quantile in np.quantile(value, (0.1, 0.5, 0.9)))
    return dict(zip(FIGURES, (float((value > 0).mean()), float(value.mean()), *quantiles), strict=True))


def on_the_same_customers(predictions: pd.DataFrame, plain: pd.DataFrame, unknown: dict[str, float]) -> pd.DataFrame:
    """Return a variant's predictions for the customers of the plain run, in their order and with their values.

    Args:
        predictions: of the variant at one origin, rows of all its models, told apart by ``model``.
        plain: of one model of the plain run at the same origin, one row a customer.
        unknown: of :func:`worth_of_never_buyers`, for customers whom the variant does not know.
    """
    frames = []
    for model, frame in predictions.groupby("model", sort=False):
        found = frame.set_index(CUSTOMER_ID)[list(FIGURES)].reindex(plain[CUSTOMER_ID]).fillna(unknown)
        figures = {name: found[name].to_numpy() for name in FIGURES}
        frames.append(plain.assign(model=model, **figures))
    return pd.concat(frames, ignore_index=True)
