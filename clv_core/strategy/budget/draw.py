"""Drawing the groups of an experiment: who gets an offer and who, by chance, does not, so that it can be measured.

A customer's group follows from a hash of the id and of the experiment's name: the same customer is in the same group
whoever else is in the list and in whatever order it comes, and groups of different experiments have nothing to do with
each other. Source: Kohavi, Tang, Xu (2020), Trustworthy online controlled experiments, chapters 4 and 17.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import scipy

from clv_core.collection.engine import connect_memory
from clv_core.columns import CUSTOMER_ID
from clv_core.errors import UsageError
from clv_core.strategy.budget.experiment import SURE
from clv_core.strategy.budget.experiment_file import DATE, GROUP

OFFERED: Final = "offer"
CONTROL: Final = "control"
DIGITS: Final = 13
"""Of the hash, hexadecimal: as many as a float64 holds."""
POWER: Final = 0.8
"""Chance that an experiment shows an effect of the size that it is said to show."""


def check_share(share: float) -> None:
    """Refuse a share of customers without the offer that leaves a group empty.

    Raises:
        UsageError: it is not above 0 and below 1.
    """
    if not 0 < share < 1:
        raise UsageError("experiment_share", share=f"{100 * share:g}")


def control_of(customers: Iterable[str], share: float, experiment: str) -> npt.NDArray[np.bool_]:
    """Return who is in the control group.

    Args:
        customers: ids, [n].
        share: of customers who do not get the offer, above 0 and below 1.
        experiment: its name; another name draws anew.

    Raises:
        UsageError: a share out of bounds.
    """
    check_share(share)
    ids = pa.table({"id": pa.array(list(customers), pa.string())})
    with connect_memory() as connection:
        connection.register("ids", ids)
        digits = f"('0x' || left(sha256(concat(?, chr(10), id)), {DIGITS}))::BIGINT"
        marks = connection.execute(f"SELECT {digits} AS mark FROM ids", [experiment]).fetchnumpy()["mark"]
    return np.asarray(marks < share * 16.0**DIGITS)


def drawn_as(dataset: str, start: str) -> str:
    """Return the name of an experiment: one draw a dataset and first day, whichever offers are tried from then on."""
    return f"{dataset} {start}"


def groups(customers: pd.Series[Any], share: float, experiment: str, start: str) -> pd.DataFrame:
    """Return the table that :func:`~clv_core.strategy.budget.experiment_file.read_experiment` reads afterwards.

    Args:
        customers: ids, [n].
        share: of customers who do not get the offer.
        experiment: its name.
        start: ISO day from which on outcomes count.

    Returns:
        customer_id, group (``offer`` or ``control``), date, [n].
    """
    group = np.where(control_of(customers, share, experiment), CONTROL, OFFERED)
    return pd.DataFrame({CUSTOMER_ID: customers.to_numpy(), GROUP: group, DATE: start})


def unexplained(
    outcome: npt.ArrayLike, known: npt.ArrayLike, tier: npt.ArrayLike, asked: npt.ArrayLike, tiers: int
) -> float:
    """Return the standard deviation of outcomes that is left once what was known before is taken off (CUPED).

    Tiers of high value scatter more, so each counts as often as the customers who are asked for are in it.

    Args:
        outcome: what past customers brought, money, [n].
        known: what was predicted of them, money, [n].
        tier: of each of them, 1 to ``tiers``, [n].
        asked: tier of each customer who is asked for, [m].
        tiers: number of tiers.

    Returns:
        Money; NaN where nobody of the past is in a tier that is asked for.
    """
    y, x = np.asarray(outcome, float), np.asarray(known, float)
    place, wanted = np.asarray(tier, np.int64), np.bincount(np.asarray(asked, np.int64), minlength=tiers + 1)
    size = np.bincount(place, minlength=tiers + 1)
    means = [np.bincount(place, values, minlength=tiers + 1) / np.maximum(size, 1) for values in (y, x)]
    inside_y, inside_x = y - means[0][place], x - means[1][place]
    squares = float((inside_x**2).sum())
    left = inside_y - (float((inside_x * inside_y).sum()) / squares if squares > 0 else 0.0) * inside_x
    variance = np.bincount(place, left**2, minlength=tiers + 1) / np.maximum(size, 1)
    if (size[wanted > 0] == 0).any() or not wanted.any():
        return float("nan")
    return float(np.sqrt(np.average(variance, weights=wanted)))


def smallest_effect(treated: int, control: int, spread: float) -> float:
    """Return the effect per customer that an experiment shows with the chance :data:`POWER`, money.

    Args:
        treated: customers with the offer, at least 1.
        control: customers without, at least 1.
        spread: standard deviation of outcomes, money.
    """
    return _reach() * spread * float(np.sqrt(1 / treated + 1 / control))


def customers_needed(effect: float, spread: float, share: float) -> int:
    """Return how many customers, both groups together, show an effect with the chance :data:`POWER`.

    Args:
        effect: per customer, above 0, money.
        spread: standard deviation of outcomes, money.
        share: of customers who do not get the offer.
    """
    return int(np.ceil((_reach() * spread / effect) ** 2 * (1 / share + 1 / (1 - share))))


def _reach() -> float:
    """Standard errors that an effect has to be large for its interval to lie beyond 0 with the chance wanted."""
    return float(scipy.stats.norm.ppf((1 + SURE) / 2) + scipy.stats.norm.ppf(POWER))
