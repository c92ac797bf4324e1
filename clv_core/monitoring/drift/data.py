"""All checks of the data: each chunk after the cutoff against the chunks before it.

An alert that is none costs trust, so limits are set for all checks together: where nothing changed, a whole horizon of
chunks raises any alert with at most :data:`FALSE_ALARMS`. Each check of each chunk gets an equal part of that
(Bonferroni), and what it needs to be sure of is the spread that the reference shows from chunk to chunk.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.monitoring.drift.check import Check
from clv_core.monitoring.drift.distances import (
    MEAN_SQUARE,
    by_chance,
    ks,
    ks_chance,
    ks_limit,
    psi,
    psi_chance,
    psi_limit,
)
from clv_core.monitoring.drift.profile import LABELS, PRICES, Profile
from clv_core.monitoring.drift.series import Series, all_series, known_part
from clv_core.monitoring.drift.spread import FEWEST_VALUES, dispersion, forecast

Floats = NDArray[np.float64]

FALSE_ALARMS: Final = 0.05
FEWEST_ROWS: Final = 30
"""A distribution of fewer rows than this is not compared."""
SMALLEST_PSI: Final = 0.02
SMALLEST_KS: Final = 0.05
"""A smaller distance of distributions does not matter, however sure it is."""
SMALLEST_SHARE: Final = 0.002
"""A value that fewer of the customers have is neither new nor lost."""


def check_data(known: Profile, new: Profile, horizon_chunks: int) -> list[Check]:
    """Return the checks of all new chunks.

    Args:
        known: the reference, at least 4 chunks.
        new: the chunks after it.
        horizon_chunks: so many chunks share :data:`FALSE_ALARMS`.
    """
    before = {(one.test, one.subject, one.value): one for one in all_series(known, known)}
    labels = [name for name in LABELS if (known.counts["subject"] == name).any()]
    prices = [name for name in PRICES if (known.prices["subject"] == name).any()]
    alpha = FALSE_ALARMS / (horizon_chunks * (len(before) + 3 * len(labels) + len(prices)))
    found: list[Check] = []
    for one in all_series(new, known):
        past = before.get((one.test, one.subject, one.value))
        if past is not None:
            found += _series_checks(past, one, new, alpha)
    for name in labels:
        found += _label_checks(name, known, new, alpha)
    for name in prices:
        found += _price_checks(name, known, new, alpha)
    span = {chunk.number: (chunk.begin.isoformat(), chunk.end.isoformat()) for chunk in new.chunks}
    dated = [replace(one, begin=span[one.chunk][0], end=span[one.chunk][1]) for one in found]
    return sorted(dated, key=lambda check: check.chunk)


def _series_checks(past: Series, one: Series, new: Profile, alpha: float) -> Iterator[Check]:
    y, variance = known_part(past)
    if len(y) < FEWEST_VALUES:
        return
    numbers = np.array([chunk.number for chunk in new.chunks])
    # a count is as variable as what is expected, not as what came: a feed that stopped has no variance;
    # what is expected is what the last third of the reference had
    own = np.full(len(numbers), variance[-len(y) // 3 :].mean()) if one.test == "volume" else one.variance
    coming = forecast(y, variance, numbers, own)
    chance, (low, high) = coming.p_value(one.y), coming.limits(alpha)
    usuals = one.back(np.full(len(numbers), coming.level))
    values, low, high = one.back(one.y), one.back(low), one.back(high)
    for place in np.flatnonzero(np.isfinite(one.y)):
        figure, usual = float(values[place]), float(usuals[place])
        below, above = one.bounds(usual)
        alert = bool(chance[place] < alpha) and not below < figure < above
        yield Check(
            int(numbers[place]), one.test, one.subject, one.value, figure, usual,
            min(float(low[place]), below), max(float(high[place]), above), float(chance[place]), alert,
        )  # fmt: skip


def _label_checks(name: str, known: Profile, new: Profile, alpha: float) -> Iterator[Check]:
    (rows, customers), (new_rows, new_customers) = known.table(name), new.table(name)
    values = [value for value in rows.columns if value]
    if not values or not any(new_rows.columns):  # too many to be counted one by one: none is lost
        return
    counts = rows[values].to_numpy(float)
    usual = counts.sum(axis=0)
    spread = _psi_spread(counts, usual)
    every = float(customers[""].sum())
    before = dict(zip(values, customers[values].to_numpy(float).sum(axis=0), strict=True))
    for chunk in new.chunks:
        total = float(new_customers[""].get(chunk.number, 0.0)) if "" in new_customers else 0.0
        if total == 0:
            continue
        place = new_rows.index.get_loc(chunk.number)
        here = new_rows.reindex(columns=values, fill_value=0.0).to_numpy(float)[place]
        seen = dict(zip(new_customers.columns, new_customers.to_numpy(float)[place], strict=True))
        if here.sum() >= FEWEST_ROWS and len(values) > 1:
            yield _mix(name, chunk.number, values, here, usual, spread, alpha)
        strange = {value: count for value, count in seen.items() if count > 0 and value not in ("", *values)}
        gone = {value: count for value, count in before.items() if seen.get(value, 0.0) == 0}
        yield from _new(name, chunk.number, strange, total, every, spread, alpha)
        yield from _lost(name, chunk.number, gone, len(before), total, every, spread, alpha)


def _psi_spread(counts: Floats, usual: Floats) -> float:
    large = counts[counts.sum(axis=1) >= FEWEST_ROWS]
    ratios = [psi(part, usual - part) / by_chance(part, usual - part) for part in large] if len(usual) > 1 else []
    return dispersion(np.array(ratios)) if len(ratios) > 1 else 1.0


def _mix(name: str, chunk: int, values: list[str], here: Floats, usual: Floats, spread: float, alpha: float) -> Check:
    index, limit = psi(here, usual), psi_limit(alpha, here, usual, spread)
    shares, before = here / here.sum(), usual / usual.sum()
    moved = int(np.argmax(np.abs(shares - before)))
    return Check(
        chunk, "psi", name, values[moved], index, by_chance(here, usual) * spread, None, max(limit, SMALLEST_PSI),
        psi_chance(index, here, usual, spread), index > max(limit, SMALLEST_PSI),
        {"share": float(shares[moved]), "before": float(before[moved])},
    )  # fmt: skip


def _new(
    name: str, chunk: int, strange: dict[str, float], total: float, every: float, spread: float, alpha: float
) -> Iterator[Check]:
    """A value that was never seen: the chance that all who have it fall into this chunk, had it always been there."""
    for value, customers in strange.items():
        chance = min(1.0, len(strange) * (total / (total + every)) ** (customers / spread))
        share = float(customers / total)
        alert = chance < alpha and share >= SMALLEST_SHARE
        params = {"customers": int(customers)}
        yield Check(chunk, "new", name, str(value), share, 0.0, None, None, float(chance), alert, params)


def _lost(
    name: str, chunk: int, gone: dict[str, float], values: int, total: float, every: float, spread: float, alpha: float
) -> Iterator[Check]:
    """A value that is gone: the chance that nobody who has it falls into this chunk."""
    for value, customers in gone.items():
        chance = min(1.0, values * (every / (total + every)) ** (customers / spread))
        share = float(customers / every)
        alert = chance < alpha and share >= SMALLEST_SHARE
        yield Check(chunk, "lost", name, str(value), 0.0, share, None, None, float(chance), alert)


def _price_checks(name: str, known: Profile, new: Profile, alpha: float) -> Iterator[Check]:
    past = known.prices[known.prices["subject"] == name]
    parts = _by_chunk(past)
    everything = past["number"].to_numpy(float)
    ratios = []
    for chunk, part in parts.items():
        rest = past.loc[past["chunk"] != chunk, "number"].to_numpy(float)
        if min(len(part), len(rest)) >= FEWEST_ROWS:
            ratios.append(ks(part, rest)[1] ** 2 / MEAN_SQUARE)
    spread = dispersion(np.array(ratios)) if len(ratios) > 1 else 1.0
    fresh = new.prices[new.prices["subject"] == name]
    for chunk, here in _by_chunk(fresh).items():
        if min(len(here), len(everything)) < FEWEST_ROWS:
            continue
        distance, scaled = ks(here, everything)
        limit = max(SMALLEST_KS, ks_limit(alpha, len(here), len(everything), spread))
        medians = {"median": float(np.median(here)), "before": float(np.median(everything))}
        usual = float(np.sqrt(spread * MEAN_SQUARE * (len(here) + len(everything)) / (len(here) * len(everything))))
        yield Check(
            chunk, "ks", name, "", distance, usual, None, limit, ks_chance(scaled, spread),
            distance > limit, medians,
        )  # fmt: skip


def _by_chunk(prices: pd.DataFrame) -> dict[int, Floats]:
    chunks = prices["chunk"].to_numpy(np.int64)
    numbers = prices["number"].to_numpy(float)
    return {int(chunk): numbers[chunks == chunk] for chunk in np.unique(chunks)}
