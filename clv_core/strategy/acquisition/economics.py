"""What new customers cost and are worth, by group and cohort: the figures behind the page Acquisition.

A group's worth is an estimate of what such customers bring (:mod:`.estimates`), not of what more spend would bring.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd

from clv_core.collection.vocabulary import fold
from clv_core.columns import CHANNEL
from clv_core.errors import Message, NotEnoughData, UsageError
from clv_core.evaluation import FIFTHS, customer_variance, sum_intervals
from clv_core.strategy.acquisition.customer_origins import COHORT, NewCustomers
from clv_core.strategy.acquisition.estimates import (
    USUAL_ERROR,
    Errors,
    Estimates,
    Floats,
    Ints,
    Parts,
    ends,
    estimate,
    spread_draws,
)
from clv_core.strategy.acquisition.grouping import Bools, Cost, Groups, can_split, group_customers
from clv_core.strategy.acquisition.payback import Curves, payback_curves
from clv_core.strategy.acquisition.question import ALL, NAMED, Acquisition, Question, Totals
from clv_core.strategy.acquisition.spend import Spend, SpendDays

DRAWS, COHORT_DRAWS = 2_000, 400
"""Draws of the estimates of groups, and of their months: months are many and get fewer,
so that a changed setting is answered at once."""
PAST_COLUMNS: Final = ("customers", "predicted", "low", "high", "actual", "ratio")
MAX_LISTED: Final = 10
"""Names that a warning lists."""
MAX_FIRST_MONTH_RATIO: Final = 2.0
"""Times as many customers as in a usual month, from which on the first month may hold earlier ones: a guess.

Exports cut off at a date count every customer who was there before as new in their first month."""


def acquisition_report(customers: NewCustomers, spend: Spend | None, question: Question) -> Acquisition:
    """Return what new customers cost and are worth.

    Args:
        customers: of :func:`.origins.load_new_customers`.
        spend: of :func:`.read_spend.read_spend`; None is no spend table: groups are ranked by value then.
        question: grouping, margin, targets.

    Raises:
        UsageError: a dimension that the log has no values of, or a margin of a group that does not exist.
        Refused: the spend is in another currency than the log, or about other days.
        NotEnoughData: nobody was won in the days of the spend table.
    """
    unknown = [name for name in question.by if name not in customers.origin]
    if unknown or not question.by:
        raise UsageError("acquisition_by", by=", ".join(unknown) or "-", known=list(customers.dimensions))
    cost = None if spend is None else Cost.of(spend, customers)
    inside = np.ones(len(customers), bool) if cost is None else cost.covers(customers)
    if cost is not None and not inside.any():
        days = cost.days.texts()
        raise NotEnoughData("acquisition_nobody", first=days[0][0], last=days[-1][1])
    groups, cell_code = group_customers(customers, question.by, inside), None
    if cost is not None and can_split(cost, question.by):
        groups, cell_code = cost.by_group(groups, question.by)
    names = {name[0] for name in groups.names}
    if strange := [name for name in question.margins if name not in names]:
        raise UsageError("acquisition_margin_group", groups=strange, known=sorted(names - {""})[:MAX_LISTED])
    return _Report(customers, question, groups, cost, cell_code, inside).answer(spend)


class _Report:
    """The figures of one question.

    Means and variances are of net value; the margin of each group comes last.
    """

    def __init__(
        self,
        customers: NewCustomers,
        question: Question,
        groups: Groups,
        cost: Cost | None,
        cell_code: Ints | None,
        inside: Bools,
    ) -> None:
        self.customers, self.question, self.groups = customers, question, groups
        self.cost, self.cell_code, self.inside = cost, cell_code, inside
        cohorts = customers.origin[COHORT]
        months = [] if cost is None else cost.cells[COHORT].tolist()
        self.cohort_names = sorted({*map(str, cohorts.categories), *months})
        place = {name: at for at, name in enumerate(self.cohort_names)}
        self.cohort = np.array([place[str(name)] for name in cohorts.categories])[cohorts.codes]
        self.rows = np.flatnonzero(inside)
        self.shape = (len(groups), len(self.cohort_names))
        where = groups.code[self.rows] * self.shape[1] + self.cohort[self.rows]
        size = self.shape[0] * self.shape[1]
        values = customers.value_so_far[self.rows], customers.predicted[self.rows]
        self.count = np.bincount(where, minlength=size).reshape(self.shape)
        self.so_far = np.bincount(where, values[0], minlength=size).reshape(self.shape)
        fifths = np.bincount(where * FIFTHS + customers.fifth[self.rows], values[1], minlength=size * FIFTHS)
        self.predicted = fifths.reshape(*self.shape, FIFTHS)
        self.squares = np.bincount(groups.code[self.rows], (values[0] + values[1]) ** 2, minlength=len(groups))
        self.buyers = np.bincount(where, customers.bought[self.rows], minlength=size).reshape(self.shape)
        self.spend = self._spend()
        margins = question.margins
        self.margin = np.array([margins.get(name[0], question.margin_rate) for name in groups.names])

    def answer(self, spend: Spend | None) -> Acquisition:
        """Return the report."""
        errors = Errors.of(self.customers.shared, self._group_errors(), DRAWS)
        of_all, means, estimates = self._estimates(errors)
        curves = payback_curves(self.customers, self.groups.code, estimates, of_all, self.question.min_customers)
        groups = self._group_rows(errors, estimates, of_all, means, curves)
        cohorts = self._cohort_rows(errors, estimates)
        return Acquisition(
            question=self.question,
            currency=self.customers.currency or (spend.currency if spend else ""),
            groups=groups,
            cohorts=cohorts,
            curves=self._curve_rows(curves),
            held=self._past_rows(),
            periods=self._period_rows(),
            spend_days=self._spend_day_rows(),
            totals=self._totals(spend),
            warnings=self._warnings(spend),
            ranked=self.spend is not None,
        )

    def _spend(self) -> Floats | None:
        """Return the spend of each group in each month, [g, c]; None where it cannot be split."""
        if self.cost is None or self.cell_code is None:
            return None
        month = self.cost.cells[COHORT].map({name: at for at, name in enumerate(self.cohort_names)})
        where = self.cell_code * self.shape[1] + month.to_numpy(np.int64)
        amount = self.cost.cells["amount"].to_numpy(np.float64)
        spent = np.bincount(where, amount, minlength=self.shape[0] * self.shape[1])
        return np.asarray(spent.reshape(self.shape), np.float64)

    def _parts(self) -> tuple[Parts, Parts, Parts]:
        """Return the means of each group, those expected of its months, and those of each month."""
        size, month_size = self.count.sum(axis=1), np.maximum(self.count.sum(axis=0), 1)
        with np.errstate(invalid="ignore", divide="ignore"):
            means = Parts(self.so_far.sum(axis=1) / size, self.predicted.sum(axis=1) / size[:, None])
        month = Parts(self.so_far.sum(axis=0) / month_size, self.predicted.sum(axis=0) / month_size[:, None])
        mix = self.count / np.maximum(size, 1)[:, None]
        return means, Parts(mix @ month.so_far, mix @ month.predicted), month

    def _estimates(self, errors: Errors) -> tuple[Estimates, Parts, Estimates]:
        """Return the estimates of all customers together, the groups' own means, and their estimates."""
        means, expected, _ = self._parts()
        size = self.count.sum(axis=1)
        total = np.where(size > 0, expected.total, 1.0)
        spread = np.where(size > 0, self.squares / np.maximum(size, 1) - np.nan_to_num(means.total) ** 2, 0.0)
        relative: Floats = np.divide(spread, total**2, out=np.zeros(len(size)), where=total > 0)
        pooled = float((relative * size).sum() / max(size.sum(), 1))
        prior = self.question.min_customers  # the pooled variance weighs as much as so many customers
        self.variance = (prior * pooled + size * relative) / (prior + size)
        self.of_all = pooled / max(int(size.sum()), 1)
        number = max(int(size.sum()), 1)
        everyone = Parts(self.so_far.sum(keepdims=True)[0] / number, self.predicted.sum(axis=(0, 1))[None] / number)
        alone = replace(errors, group_spread=np.zeros(DRAWS))
        of_all = estimate(everyone, everyone, np.array([self.of_all]), self.of_all, alone, seed=3)
        variance = self.variance / np.maximum(size, 1)
        shrink = COHORT not in self.question.by  # what is expected of a month's customers is their own mean
        return of_all, means, estimate(means, expected, variance, self.of_all, errors, seed=2, shrink=shrink)

    def _group_errors(self) -> Floats:
        """Return draws of how far predictions of one group are off, from the latest earlier predictions."""
        deviation, luck, shared = np.zeros(0), np.zeros(0), self.customers.shared
        if self.customers.past and shared is not None:
            past = self.customers.past[0]
            code, count = self.groups.code[past.row], len(self.groups)
            in_group = code >= 0
            variance = customer_variance(past.scores, shared.dispersion)
            predicted, actual, squared = (
                np.bincount(code[in_group], values[in_group], minlength=count)
                for values in (past.scores["predicted_clv"].to_numpy(), past.actual, variance)
            )
            some = predicted > 0
            if some.sum() > 1 and actual.sum() > 0:
                level = actual.sum() / predicted.sum()
                deviation = actual[some] / (predicted[some] * level) - 1
                luck = squared[some] / predicted[some] ** 2
        return spread_draws(deviation, luck, DRAWS, USUAL_ERROR)

    def _group_rows(
        self, errors: Errors, estimates: Estimates, of_all: Estimates, means: Parts, curves: Curves
    ) -> pd.DataFrame:
        size, question = self.count.sum(axis=1), self.question
        rows = self._worth(size, self.buyers.sum(axis=1), None if self.spend is None else self.spend.sum(axis=1))
        rows |= {"value_so_far": self.so_far.sum(axis=1), "predicted": self.predicted.sum(axis=(1, 2))}
        margin = rows["margin_rate"] = self.margin
        rows |= {"contribution_so_far": means.so_far * margin, "ltv_own": means.total * margin}
        rows |= self._ratios(estimates, margin, rows["cac"], errors)
        month, low, high, lived = (
            by_group[:-1] for by_group in curves.payback(np.append(rows["cac"] / margin, np.nan))
        )
        spend, spend_low = (by_group[:-1] * margin for by_group in curves.at(question.payback_months))
        if not errors.has_past:
            low, high, spend_low = (np.full(len(self.groups), np.nan) for _ in range(3))
        rows |= {"payback_month": month, "payback_low": low, "payback_high": high, "payback_observed": lived}
        rows |= {
            "max_cac": rows["ltv"] / question.target_ratio,
            "max_cac_low": rows["ltv_low"] / question.target_ratio,
            "max_cac_payback": spend,
            "max_spend": spend,
            "max_spend_low": spend_low,
            "never_again": self._never_again(),
            "multiplier": estimates.mean / of_all.mean[0],
            "enough": size >= question.min_customers,
        }
        frame = pd.DataFrame(self._names() | rows)
        by = "ratio" if self.spend is not None else "ltv"
        order = frame.assign(best=-frame[by].where(frame["enough"] & (frame["kind"] == NAMED)))
        order = order.sort_values(["best", "customers"], ascending=[True, False], kind="stable", na_position="last")
        ranks = order["best"].notna().cumsum().where(order["best"].notna())
        frame = frame.loc[order.index].assign(rank=ranks.astype("Int64"))
        return frame.reset_index(drop=True)

    def _cohort_rows(self, errors: Errors, estimates: Estimates) -> pd.DataFrame:
        """Return one row a group and month with customers or spend."""
        some = self.count > 0
        if self.spend is not None:
            some |= self.spend != 0
        group, month = np.nonzero(some)
        size = self.count[group, month]
        with np.errstate(invalid="ignore", divide="ignore"):
            means = Parts(self.so_far[group, month] / size, self.predicted[group, month] / size[:, None])
        _, expected, by_month = self._parts()
        factor = np.divide(estimates.mean, expected.total, out=np.ones(len(self.groups)), where=expected.total > 0)
        likely = Parts(by_month.so_far[month], by_month.predicted[month]).times(np.nan_to_num(factor, nan=1.0)[group])
        few = replace(errors, fifth=errors.fifth[:COHORT_DRAWS], group_spread=errors.group_spread[:COHORT_DRAWS])
        variance = self.variance[group] / np.maximum(size, 1)
        drawn = estimate(means, likely, variance, self.of_all, few, seed=4)
        spend = None if self.spend is None else self.spend[group, month]
        rows = self._worth(size, self.buyers[group, month], spend)
        margin = rows["margin_rate"] = self.margin[group]
        rows |= {"value_so_far": self.so_far[group, month], "predicted": self.predicted[group, month].sum(axis=1)}
        rows |= {"contribution_so_far": means.so_far * margin, "ltv_own": means.total * margin}
        rows |= self._ratios(drawn, margin, rows["cac"], errors)
        names = {name: np.asarray(values)[group] for name, values in self._names().items() if name != COHORT}
        cohort = {COHORT: np.array(self.cohort_names)[month]}
        return pd.DataFrame({**names, **cohort, **rows, "enough": size >= self.question.min_customers})

    def _names(self) -> dict[str, list[str]]:
        """Return the columns that name the groups."""
        dimensions = zip(self.question.by, zip(*self.groups.names, strict=True), strict=True)
        return {
            "group": self.groups.labels,
            "kind": self.groups.kinds,
            **{name: list(column) for name, column in dimensions},
        }

    def _worth(self, size: Ints, buyers: Ints, spend: Floats | None) -> dict[str, Any]:
        """Return counts and costs."""
        spent = np.full(len(size), np.nan) if spend is None else spend
        cac = np.divide(spent, size, out=np.where(spent > 0, np.inf, np.nan), where=size > 0)
        return {"customers": size, "buyers": buyers.astype(np.int64), "spend": spent, "cac": cac}

    def _ratios(self, estimates: Estimates, margin: Floats, cac: Floats, errors: Errors) -> dict[str, Floats]:
        """Return the worth of a customer after the margin, and its ratio to the cost."""
        draws = estimates.draws * margin[:, None]
        low, high = ends(draws)
        ltv = estimates.mean * margin
        paid = np.where(cac > 0, cac, np.nan)
        ratio = draws / paid[:, None]
        unknown = np.isnan(ratio[:, 0]) | (not errors.has_past)
        above = {
            name: np.where(unknown, np.nan, (ratio > target).mean(axis=1))
            for name, target in (("p_above_one", 1.0), ("p_above_target", self.question.target_ratio))
        }
        if not errors.has_past:
            low, high = np.full(len(ltv), np.nan), np.full(len(ltv), np.nan)
        ratios = {"ratio": ltv / paid, "ratio_low": low / paid, "ratio_high": high / paid}
        return {"ltv": ltv, "ltv_low": low, "ltv_high": high, "own_weight": estimates.own_weight, **ratios, **above}

    def _never_again(self) -> Floats:
        """Return the share of each group's buyers whose first order is expected to stay the only one."""
        customers, code = self.customers, self.groups.code[self.rows]
        alone = (customers.orders[self.rows] == 1) * (1 - customers.p_purchase[self.rows])
        lost = np.bincount(code, alone, minlength=len(self.groups))
        buyers = self.buyers.sum(axis=1)
        share: Floats = np.divide(lost, buyers, out=np.full(len(lost), np.nan), where=buyers > 0)
        return share

    def _curve_rows(self, curves: Curves) -> pd.DataFrame:
        """Return the curves after the margin, one row a group and month."""
        margin = np.append(self.margin, self._margin_of_all())[:, None]
        low, high = ends(np.moveaxis(curves.draws, 1, 2))
        group, month = np.nonzero(~np.isnan(curves.value))
        ends_of = {"low": low, "high": high} if self.customers.shared is not None else {}
        values = {
            "value": curves.value,
            "low": np.full(low.shape, np.nan),
            "high": np.full(low.shape, np.nan),
            **ends_of,
        }
        columns: dict[str, Any] = {
            "group": np.array([*self.groups.labels, ""])[group],
            "kind": np.array([*self.groups.kinds, ALL])[group],
            "month": month + 1,
            **{name: (cells * margin)[group, month] for name, cells in values.items()},
            "observed": curves.observed[group, month],
            "customers": curves.customers[group, month],
        }
        return pd.DataFrame(columns)

    def _margin_of_all(self) -> float:
        """Return the margin of all groups together, by their value."""
        value = np.maximum(self.so_far.sum(axis=1) + self.predicted.sum(axis=(1, 2)), 0)
        return float((self.margin * value).sum() / value.sum()) if value.sum() > 0 else self.question.margin_rate

    def _past_rows(self) -> pd.DataFrame:
        """Return predicted and actual value of each group at earlier cutoffs."""
        frames = []
        for past in self.customers.past:
            code, count = self.groups.code[past.row], len(self.groups)
            in_group = code >= 0
            scores = past.scores
            size, predicted, actual = (
                np.bincount(code[in_group], None if values is None else values[in_group], minlength=count)
                for values in (None, scores["predicted_clv"].to_numpy(), past.actual)
            )
            low = high = np.full(count, np.nan)
            if past.shared is not None:
                sums = sum_intervals(scores, code, count, past.shared)
                low, high = sums.low, sums.high
            ratio = np.divide(actual, predicted, out=np.full(count, np.nan), where=predicted > 0)
            figures = {"customers": size, "predicted": predicted, "low": low, "high": high, "actual": actual}
            frame = pd.DataFrame({**self._names(), "cutoff": past.cutoff.isoformat(), **figures, "ratio": ratio})
            frames.append(frame[frame["customers"] > 0])
        nothing = pd.DataFrame(columns=["group", "kind", "cutoff", *PAST_COLUMNS])
        return pd.concat(frames, ignore_index=True) if frames else nothing

    def _period_rows(self) -> pd.DataFrame:
        """Return spend and new customers of each month that the table, or without one the log, is about."""
        spent = np.full(self.shape[1], np.nan)
        if self.cost is not None:
            amounts = self.cost.cells.groupby(COHORT)["amount"].sum()
            spent = amounts.reindex(self.cohort_names).fillna(0.0).to_numpy(np.float64)
        count, buyers = self.count.sum(axis=0), self.buyers.sum(axis=0).astype(np.int64)
        rows = pd.DataFrame({COHORT: self.cohort_names, "spend": spent, "customers": count, "buyers": buyers})
        shown: pd.DataFrame = rows[(count > 0) | (np.nan_to_num(spent) != 0)].reset_index(drop=True)
        return shown

    def _own_days(self) -> dict[str, SpendDays]:
        """Return the days of each channel's own spend by the channel's name in the spend table."""
        if self.cost is None:
            return {}
        names = {fold(str(name)): str(name) for name in reversed(self.cost.cells[CHANNEL].unique())}
        return {name: self.cost.channel_days[key] for key, name in sorted(names.items()) if key}

    def _spend_day_rows(self) -> pd.DataFrame:
        """Return the days of each channel's own spend, one row a channel and span."""
        spans = [(name, *span) for name, days in self._own_days().items() for span in days.texts()]
        return pd.DataFrame(spans, columns=[CHANNEL, "first", "last"])

    def _totals(self, spend: Spend | None) -> Totals:
        customers, outside = self.customers, ~self.inside
        return Totals(
            customers=len(self.rows),
            buyers=int(customers.bought[self.rows].sum()),
            spend=float(self.cost.cells["amount"].sum()) if self.cost is not None else 0.0,
            value_so_far=float(customers.value_so_far[self.rows].sum()),
            predicted=float(customers.predicted[self.rows].sum()),
            customers_outside=int(outside.sum()),
            value_so_far_outside=float(customers.value_so_far[outside].sum()),
            predicted_outside=float(customers.predicted[outside].sum()),
            spend_outside=0.0 if self.cost is None else self.cost.outside,
        )

    def _warnings(self, spend: Spend | None) -> tuple[Message, ...]:
        """Return the warnings of the report, the most important first."""
        messages = [Message("warning.acquisition_not_causal")]
        if self.customers.shared is None:
            messages.append(Message("warning.acquisition_no_past"))
        if self.cost is not None:
            messages += self._cost_warnings(spend)
        return (*messages, *self._count_warnings(), *self.customers.warnings, *(spend.warnings if spend else ()))

    def _count_warnings(self) -> list[Message]:
        """Return warnings of small groups and of a first month with too many customers."""
        messages, fewest = [], self.question.min_customers
        size = self.count.sum(axis=0)
        months = np.flatnonzero(size)
        first = self.cohort_names[int(months[0])] if len(months) else ""
        if len(months) > 2 and first == f"{self.customers.log_start:%Y-%m}":
            customers = int(size[months[0]])
            if customers > MAX_FIRST_MONTH_RATIO * np.median(size[months[1:]]):
                messages.append(Message("warning.acquisition_first_month", {"month": first, "customers": customers}))
        sizes = zip(self.groups.labels, self.groups.kinds, self.count.sum(axis=1), strict=True)
        small = [name for name, kind, count in sizes if kind == NAMED and count < fewest]
        if small:
            params = {"groups": small[:MAX_LISTED], "count": len(small), "fewest": fewest}
            messages.append(Message("warning.acquisition_small", params))
        return messages

    def _cost_warnings(self, spend: Spend | None) -> list[Message]:
        assert self.cost is not None
        messages, customers = [], self.customers
        if self.spend is None:
            messages.append(Message("warning.acquisition_cannot_split", {"by": list(self.question.by)}))
        else:
            cost, size = self.spend.sum(axis=1), self.count.sum(axis=1)
            labels = self.groups.labels
            only_spend = [labels[at] for at in np.flatnonzero((size == 0) & (cost > 0))]
            without = [labels[at] for at in np.flatnonzero((size > 0) & (cost == 0)) if self.groups.kinds[at] == NAMED]
            if only_spend:
                amount = round(float(cost[(size == 0)].sum()), 2)
                messages.append(
                    Message("warning.acquisition_no_customers", {"groups": only_spend[:MAX_LISTED], "amount": amount})
                )
            if without:
                messages.append(Message("warning.acquisition_no_spend", {"groups": without[:MAX_LISTED]}))
        outside = int((~self.inside).sum())
        if outside:
            days = self.cost.days.texts()
            params = {"customers": outside, "first": days[0][0], "last": days[-1][1]}
            messages.append(Message("warning.acquisition_outside", params))
        if other := [f"{name} ({_dates(days)})" for name, days in self._own_days().items() if days != self.cost.days]:
            params = {"count": len(other), "channels": other[:MAX_LISTED]}
            messages.append(Message("warning.acquisition_channel_days", params))
        if abs(self.cost.outside) >= 0.005:
            log = {"start": customers.log_start.isoformat(), "end": customers.as_of.isoformat()}
            messages.append(
                Message("warning.acquisition_spend_outside", {"amount": round(self.cost.outside, 2), **log})
            )
        if spend is not None and not (spend.currency and customers.currency):
            messages.append(
                Message("warning.acquisition_currency", {"currency": customers.currency or spend.currency or "–"})
            )
        return messages


def _dates(days: SpendDays) -> str:
    """Return days in figures alone, for a sentence in any language."""
    return ", ".join(f"{first} – {last}" for first, last in days.texts())
