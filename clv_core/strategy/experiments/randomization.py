"""Randomization: which customers get an offer and which, by chance, do not, so that its effect can be measured.

A customer's group follows from a hash of the id and of the experiment's name: it does not depend on the other customers
of the list, nor on their order, and groups of different experiments are independent.
Source: Kohavi, Tang, Xu (2020), Trustworthy online controlled experiments, chapters 4 and 17.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import scipy

from clv_core.collection import connect_memory
from clv_core.columns import CUSTOMER_ID
from clv_core.errors import UsageError
from clv_core.strategy.experiments.treatment_effect import CONFIDENCE

GROUP: Final = "group"
DATE: Final = "date"
OFFERED: Final = "offer"
CONTROL: Final = "control"
HASH_DIGITS: Final = 13
"""Hexadecimal, as many as a float64 holds."""
POWER: Final = 0.8
"""Probability that an experiment detects its detectable effect."""


def check_share(share: float) -> None:
    """Refuse a share of customers without the offer that leaves a group empty.

    Raises:
        UsageError: it is not above 0 and below 1.
    """
    if not 0 < share < 1:
        raise UsageError("experiment_share", share=f"{100 * share:g}")


def in_control_group(customers: Iterable[str], share: float, experiment: str) -> npt.NDArray[np.bool_]:
    """Return who is in the control group, [n].

    Args:
        customers: ids, [n].
        share: of customers who do not get the offer, above 0 and below 1.
        experiment: its name; other names give other groups.

    Raises:
        UsageError: a share out of bounds.
    """
    check_share(share)
    values = pd.Series(customers if isinstance(customers, pd.Series) else list(customers), dtype="str")
    ids = pa.table({"id": pa.array(values, pa.string())})
    with connect_memory() as connection:
        connection.register("ids", ids)
        hashed = f"('0x' || left(sha256(concat(?, chr(10), id)), {HASH_DIGITS}))::BIGINT"
        hashes = connection.execute(f"SELECT {hashed} AS hash FROM ids", [experiment]).fetchnumpy()["hash"]
    return np.asarray(hashes < share * 16.0**HASH_DIGITS)


def randomization_name(dataset: str, start: str) -> str:
    """Return the name of an experiment: a dataset's offers of one first day share their groups."""
    return f"{dataset} {start}"


def assign_groups(customers: pd.Series[Any], share: float, experiment: str, start: str) -> pd.DataFrame:
    """Return the table that :func:`~clv_core.strategy.experiments.measurement.read_experiment` reads afterwards.

    Args:
        customers: ids, [n].
        share: of customers who do not get the offer.
        experiment: its name.
        start: ISO day from which on outcomes count.

    Returns:
        customer_id, group (``offer`` or ``control``), date, [n].
    """
    group = np.where(in_control_group(customers, share, experiment), CONTROL, OFFERED)
    return pd.DataFrame({CUSTOMER_ID: customers.to_numpy(), GROUP: group, DATE: start})


def residual_std(
    outcome: npt.ArrayLike, predicted: npt.ArrayLike, tier: npt.ArrayLike, offered: npt.ArrayLike
) -> float:
    """Return the standard deviation of outcomes after CUPED, with tiers weighted as they are among ``offered``.

    Args:
        outcome: of past customers, money, [n].
        predicted: of them, money, [n].
        tier: of each of them, [n].
        offered: tier of each customer who may get the offer, [m].

    Returns:
        Money; NaN where a tier of ``offered`` has no past customer.
    """
    past = pd.DataFrame({"y": np.asarray(outcome, float), "x": np.asarray(predicted, float), "tier": tier})
    inside = past[["y", "x"]] - past.groupby("tier")[["y", "x"]].transform("mean")
    squares = float((inside["x"] ** 2).sum())
    theta = float((inside["x"] * inside["y"]).sum()) / squares if squares > 0 else 0.0
    variance = ((inside["y"] - theta * inside["x"]) ** 2).groupby(past["tier"]).mean()
    counts = pd.Series(np.asarray(offered, np.int64)).value_counts()
    return float(np.sqrt((variance.reindex(counts.index) * counts).sum(skipna=False) / counts.sum()))


def detectable_effect(treated: int, control: int, std: float) -> float:
    """Return the effect per customer that an experiment detects with the probability :data:`POWER`, money.

    Args:
        treated: customers with the offer, at least 1.
        control: customers without, at least 1.
        std: standard deviation of outcomes, money.
    """
    return _standard_errors() * std * float(np.sqrt(1 / treated + 1 / control))


def required_sample_size(effect: float, std: float, share: float) -> int:
    """Return how many customers, in both groups, detect an effect with the probability :data:`POWER`.

    Args:
        effect: per customer, above 0, money.
        std: standard deviation of outcomes, money.
        share: of customers who do not get the offer.
    """
    return int(np.ceil((_standard_errors() * std / effect) ** 2 * (1 / share + 1 / (1 - share))))


def _standard_errors() -> float:
    """Return how many standard errors a detectable effect is: its interval lies beyond 0 with the wanted power."""
    return float(scipy.special.ndtri((1 + CONFIDENCE) / 2) + scipy.special.ndtri(POWER))
