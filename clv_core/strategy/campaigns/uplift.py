"""Uplift: what a campaign's list brought beside its control group, valid whenever it is looked at.

On the due date the interval is that of an experiment (:mod:`~clv_core.strategy.experiments.treatment_effect`): it holds
the truth 9 times in 10. Who looks every day until then would see one of many such intervals fail far more often. So an
earlier look has an interval of a confidence sequence, which holds at all looks at once, with the normal mixture of
Robbins:

    n |effect - truth| < sqrt((v + r) log((v + r) / (r a^2)))        v = (n error)^2

n are the customers counted so far, v grows with the days, a is the share of campaigns that fail at any look, and r,
fixed before the start from what the customers spent in as many days before it, makes the interval narrowest at the due
date. It holds for sums whose steps are uncorrelated; where a customer's days resemble each other (someone buys often,
someone never) steps go together, the looks resemble each other more, and by Slepian's inequality it fails less often.
Early looks and the due date together fail in at most 4% + 10% of campaigns.

Campaigns of the same days are told apart by regression: each one's assignment, less its mean among its customers, is by
chance and so depends on no other. That fails where a customer's group decided whether the other campaign took her: then
both are confounded, which a table of counts shows.

Sources: Howard, Ramdas, McAuliffe, Sekhon (2021), Time-uniform, nonparametric, nonasymptotic confidence sequences,
section 3.2; Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas (2024), Time-uniform central limit theory and asymptotic
confidence sequences, section 2 (2021 as a preprint); Slepian (1962), The one-sided barrier problem for Gaussian noise;
Lin (2013), Agnostic notes on regression adjustments to experimental data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy

from clv_core.strategy.experiments.treatment_effect import BALANCE_P_VALUE, CONFIDENCE, difference

Floats = npt.NDArray[np.float64]

EARLY_ERROR: Final = 0.04
"""Campaigns that fail at any look before the due date. With the 10% of the due date that is 14% at most."""
SECONDARY_CONFIDENCE: Final = 1 - (1 - CONFIDENCE) / 2
"""Level of the intervals of the two secondary outcomes: by Bonferroni, both hold in 90% of campaigns."""
LISTED: Final = 1
CONTROLS: Final = 0
NOT_IN_IT: Final = -1
"""What a customer was in another campaign."""


@dataclass(frozen=True)
class Uplift:
    """A difference of means, list less control group, a customer.

    Args:
        effect: in the unit of the outcome.
        low: lower end of its interval.
        high: upper end.
        error: standard error of the effect.
    """

    effect: float
    low: float
    high: float
    error: float


def uplift(
    outcome: npt.ArrayLike, listed: npt.ArrayLike, covariates: npt.ArrayLike, confidence: float = CONFIDENCE
) -> Uplift:
    """Return the uplift on the due date, with CUPED for all covariates together.

    Args:
        outcome: of each customer in the window, [n].
        listed: who was in the list and not in the control group, bool, [n]; two customers at least in each group.
        covariates: known before the start, and assignments of other campaigns, [n, k]; k may be 0.
        confidence: of the interval.
    """
    y, is_listed, known = np.asarray(outcome, float), np.asarray(listed, bool), np.asarray(covariates, float)
    found = difference(y, is_listed, _index(y, is_listed, known), lowered=True)
    low, high = found.interval(confidence)
    return Uplift(float(found.effect), float(low), float(high), float(found.error))


def early_uplift(
    outcome: npt.ArrayLike,
    listed: npt.ArrayLike,
    covariates: npt.ArrayLike,
    planned_error: float,
    planned_customers: int | None = None,
) -> Uplift:
    """Return the uplift so far, with an interval that holds at all looks before the due date at once.

    Args:
        outcome: of each customer until now, [n].
        listed: as :func:`uplift` takes it.
        covariates: as :func:`uplift` takes them.
        planned_error: expected standard error on the due date, of :func:`planned_error`; the same at every look.
        planned_customers: of which that is the error; None are all n.
    """
    now = uplift(outcome, listed, covariates)
    customers = len(np.asarray(listed))
    half = mixture_half_width(
        (customers * now.error) ** 2, ((planned_customers or customers) * planned_error) ** 2, EARLY_ERROR
    )
    return Uplift(now.effect, now.effect - half / customers, now.effect + half / customers, now.error)


def mixture_half_width(variance: float, planned: float, error: float) -> float:
    """Return how far a sum can be from its mean at any time, but for a share ``error`` of all sums.

    Args:
        variance: of the sum now.
        planned: variance at which the width is to be smallest for the given error; 0 where nothing is known of it.
        error: share of sums that leave the band at some time.
    """
    # Howard et al., proposition 3: the r that is best at v solves v / r = -W(-a^2 / e) - 1, W the lower branch.
    steps = -float(scipy.special.lambertw(-(error**2) / np.e, -1).real) - 1
    r = (planned if planned > 0 else variance) / steps
    if r <= 0:
        return 0.0
    return float(np.sqrt((variance + r) * np.log((variance + r) / (r * error**2))))


def planned_error(past: npt.ArrayLike, listed: npt.ArrayLike) -> float:
    """Return the standard error on the due date that is expected from spending before the start.

    Args:
        past: spent in as many days before the start as the window has, money, [n].
        listed: bool, [n].
    """
    spent, is_listed = np.asarray(past, float), np.asarray(listed, bool)
    return float(spent.std() * np.sqrt(1 / is_listed.sum() + 1 / (~is_listed).sum()))


def is_confounded(listed: npt.ArrayLike, other: npt.ArrayLike) -> bool:
    """Return whether the group of a customer decided whether another campaign sent her something.

    Args:
        listed: her group in this campaign, bool, [n].
        other: what she was in the other: :data:`LISTED`, :data:`CONTROLS` or :data:`NOT_IN_IT`, [n].
    """
    is_listed, sent = np.asarray(listed, bool), np.asarray(other) == LISTED
    counts = np.array([[np.sum(group & sent), np.sum(group & ~sent)] for group in (is_listed, ~is_listed)])
    if (counts.sum(axis=0) == 0).any() or (counts.sum(axis=1) == 0).any():
        return False
    return float(scipy.stats.fisher_exact(counts).pvalue) < BALANCE_P_VALUE


def assignment_covariates(others: Sequence[npt.ArrayLike], customers: int) -> Floats:
    """Return the assignments of other campaigns as covariates, [n, k]: by chance alone, 0 for who is not in it.

    Args:
        others: of each other campaign what the customers were in it, [n].
        customers: n.
    """
    columns = []
    for other in others:
        status = np.asarray(other)
        inside = status != NOT_IN_IT
        centred = np.zeros(customers)
        if inside.any():
            centred[inside] = (status[inside] == LISTED) - np.mean(status[inside] == LISTED)
        columns.append(centred)
    return np.column_stack(columns) if columns else np.empty((customers, 0))


def _index(outcome: Floats, listed: npt.NDArray[np.bool_], covariates: Floats) -> Floats | None:
    """Return the one covariate that explains the outcome within the groups as all do together, [n]; None without."""
    if covariates.size == 0:
        return None
    y, x = outcome.copy(), covariates.copy()
    for group in (listed, ~listed):
        y[group] -= y[group].mean()
        x[group] -= x[group].mean(axis=0)
    theta, *_ = np.linalg.lstsq(x, y, rcond=None)
    return np.asarray(covariates @ theta)
