"""Offers: what can be given to a customer, what it costs, and what it is expected to bring.

An effect is the additional value of a customer, in the predicted horizon, when given the offer: a share of the
predicted value, or money per customer. It is assumed by a person, or measured by an experiment and then has a 90%
interval. Expected gain = effect - cost.

    name=Voucher,cost=2,effect=5%                       5% of predicted value, for all tiers
    name=Call,cost=8,effect=12.5,capacity=300,tiers=1+2  12.5 a customer, for two tiers, 300 customers at most
    name=Mail,cost=0.1,effect=1:2%+2:1.5%                one effect a tier; other tiers do not get it
    name=Gift,cost=3,effect=4.1(2.5;5.7),days=90         measured: its 90% interval, and how long outcomes counted
    name=Gift,cost=3,effect=@FILE                        to be measured from an experiment (:func:`parse_offers`)

What experiments measured takes the place of what was assumed (:func:`measure_offers`, :func:`with_experiments`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from clv_core.deployment import Scored
from clv_core.errors import UsageError
from clv_core.jobs import Progress
from clv_core.records import JsonObject
from clv_core.strategy.experiments.randomized_experiment import measure_experiment
from clv_core.strategy.experiments.treatment_effect import Experiment
from clv_core.strategy.segments.segmentation import Segmentation
from clv_core.strategy.segments.value_tiers import DEFAULT_SCHEME, ValueTiers

SHARE: Final = "share"
MONEY: Final = "money"
UNITS: Final = (SHARE, MONEY)
ALL_TIERS: Final = 0
"""Number under which an effect on all tiers is stored."""
MAX_OFFERS: Final = 12
"""Offers of a plan; :func:`~clv_core.strategy.plans.allocation.allocate` compares them in pairs."""
MAX_NAME_LENGTH: Final = 60
"""Characters; a name is a header of tables and charts."""
REQUIRED: Final = {"name", "cost", "effect"}
OPTIONAL: Final = {"capacity", "tiers", "days"}


@dataclass(frozen=True)
class Effect:
    """The additional value of one customer when given an offer.

    Args:
        value: share of the predicted value (0.05 is 5%), or money per customer in the log's currency.
        unit: ``share`` or ``money``.
        low: lower end of its 90% interval where it was measured; None where it is assumed.
        high: upper end.

    Raises:
        UsageError: not finite, a loss of more than everything, or half an interval.
    """

    value: float
    unit: str
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        """Check the number and its interval."""
        numbers = [number for number in (self.value, self.low, self.high) if number is not None]
        valid = all(map(math.isfinite, numbers)) and (self.low is None) == (self.high is None)
        if self.low is not None and self.high is not None:
            valid = valid and self.low <= self.value <= self.high
        if self.unit not in UNITS or not valid or (self.unit == SHARE and not -1 <= self.value <= 10):
            raise UsageError("offer_effect", effect=f"{self.value:g} {self.unit}")

    @property
    def measured(self) -> bool:
        """Whether an experiment measured it."""
        return self.low is not None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the effect of ``5%`` (of the predicted value), ``12.5`` (money per customer) or ``12.5(10;15)``.

        Raises:
            UsageError: the text is none of them.
        """
        value, bracket, interval = text.strip().partition("(")
        ends = interval.removesuffix(")").split(";") if bracket else []
        unit, factor = (SHARE, 100) if value.strip().endswith("%") else (MONEY, 1)
        try:
            numbers = [float(number.strip().removesuffix("%")) / factor for number in (value, *ends)]
        except ValueError as error:
            raise UsageError("offer_effect", effect=text[:40]) from error
        if len(numbers) != (3 if bracket else 1):
            raise UsageError("offer_effect", effect=text[:40])
        return cls(numbers[0], unit, *numbers[1:])

    def __str__(self) -> str:
        """Return it as :meth:`parse` reads it."""
        numbers = [number for number in (self.value, self.low, self.high) if number is not None]
        value, *ends = [f"{100 * end:.10g}%" if self.unit == SHARE else f"{end:.10g}" for end in numbers]
        return f"{value}({';'.join(ends)})" if ends else value


@dataclass(frozen=True)
class Offer:
    """One thing that can be given, at most one to a customer.

    Args:
        name: what people call it.
        cost: money per customer who gets it.
        effects: by tier (1 = highest); the key :data:`ALL_TIERS` is for all tiers that are not named. Customers of a
            tier without effect do not get it.
        capacity: most customers who can get it; None is no limit.
        window_days: for how long outcomes counted where its effect was measured; None where it is assumed.

    Raises:
        UsageError: no name or a long one, a cost or capacity below 0, no effect, or a window without a measured effect.
    """

    name: str
    cost: float
    effects: Mapping[int, Effect]
    capacity: int | None = None
    window_days: int | None = None

    def __post_init__(self) -> None:
        """Check name, cost and capacity."""
        if not self.name.strip() or len(self.name) > MAX_NAME_LENGTH:
            raise UsageError("offer_name", name=self.name[:MAX_NAME_LENGTH], most=MAX_NAME_LENGTH)
        if not (math.isfinite(self.cost) and self.cost >= 0):
            raise UsageError("offer_cost", name=self.name, cost=f"{self.cost:g}")
        if self.capacity is not None and self.capacity < 0:
            raise UsageError("offer_capacity", name=self.name, capacity=self.capacity)
        if not self.effects or min(self.effects) < ALL_TIERS:
            raise UsageError("offer_no_effect", name=self.name)
        if self.window_days is not None and (self.window_days < 1 or not self.measured):
            raise UsageError("offer_days", name=self.name, days=self.window_days)

    @property
    def measured(self) -> bool:
        """Whether all its effects were measured; :func:`check_offers` refuses a mix."""
        return all(effect.measured for effect in self.effects.values())

    def effect_on(self, tier: int) -> Effect | None:
        """Return its effect on a customer of ``tier``; None where the tier does not get it."""
        return self.effects.get(tier, self.effects.get(ALL_TIERS))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the offer of a text.

        Raises:
            UsageError: the text is not of the form that the module shows.
        """
        pairs = [part.partition("=") for part in text.split(",")]
        fields = {key.strip(): value.strip() for key, _, value in pairs}
        if len(fields) != len(pairs) or not REQUIRED <= set(fields) <= REQUIRED | OPTIONAL:
            raise UsageError("offer_text", text=text[:120])
        try:
            cost = float(fields["cost"])
            capacity = int(fields["capacity"]) if "capacity" in fields else None
            window_days = int(fields["days"]) if "days" in fields else None
            effects = _parse_effects(fields["effect"], fields.get("tiers", ""))
        except ValueError as error:
            raise UsageError("offer_text", text=text[:120]) from error
        return cls(fields["name"], cost, effects, capacity, window_days)

    def __str__(self) -> str:
        """Return it as :meth:`parse` reads it; a comma in the name becomes a space."""
        by_tier = "+".join(f"{tier}:{effect}" for tier, effect in self.effects.items())
        effect = str(self.effects[ALL_TIERS]) if ALL_TIERS in self.effects else by_tier
        text = f"name={self.name.replace(',', ' ')},cost={self.cost:.10g},effect={effect}"
        text += "" if self.capacity is None else f",capacity={self.capacity}"
        return text if self.window_days is None else f"{text},days={self.window_days}"

    def to_json(self) -> JsonObject:
        """Return it as JSON types."""
        effects = {
            str(tier): {"value": effect.value, "unit": effect.unit}
            | ({"low": effect.low, "high": effect.high} if effect.measured else {})
            for tier, effect in self.effects.items()
        }
        return {
            "name": self.name,
            "cost": self.cost,
            "capacity": self.capacity,
            "measured": self.measured,
            "window_days": self.window_days,
            "effects": effects,
        }


def parse_offers(texts: Sequence[str]) -> tuple[tuple[Offer, ...], dict[str, Path]]:
    """Return the offers of ``texts``, and by the offer's name the files of the experiments that measured its effect.

    An offer whose effect is ``@FILE`` has an effect of 0 until the experiment has been measured.

    Raises:
        UsageError: a text is not of the form that the module shows, or :func:`check_offers` refuses the offers.
    """
    offers, files = [], {}
    for text in texts:
        file = re.search(r"(^|,)\s*effect\s*=\s*@([^,]+)", text)
        offers.append(Offer.parse(text if file is None else text.replace(f"@{file[2]}", "0")))
        if file is not None:
            files[offers[-1].name] = Path(file[2].strip())
    return check_offers(offers), files


def check_offers(offers: Sequence[Offer]) -> tuple[Offer, ...]:
    """Return the offers.

    Raises:
        UsageError: there are none or too many, two have one name, or one mixes measured and assumed effects.
    """
    if not 1 <= len(offers) <= MAX_OFFERS:
        raise UsageError("offer_count", found=len(offers), most=MAX_OFFERS)
    names = [offer.name for offer in offers]
    for name in names:
        if names.count(name) > 1:
            raise UsageError("offer_twice", name=name)
    for offer in offers:
        if len({effect.measured for effect in offer.effects.values()}) > 1:
            raise UsageError("offer_mixed", name=offer.name)
    return tuple(offers)


def expected_gains(
    offers: Sequence[Offer], value: npt.ArrayLike, tier: npt.ArrayLike, tiers: int
) -> npt.NDArray[np.float64]:
    """Return the expected gain of each offer for each customer, after its cost.

    Args:
        offers: k of them.
        value: predicted value in the log's currency, [n].
        tier: of each customer, 1 to ``tiers``, [n].
        tiers: number of tiers.

    Returns:
        Money, [n, k]; -inf where a tier does not get an offer.
    """
    values, numbers = np.maximum(np.asarray(value, float), 0), np.asarray(tier, np.int64)
    gains = np.empty((len(offers), len(values)))
    for row, offer in enumerate(offers):
        share, money = np.zeros(tiers + 1), np.full(tiers + 1, -np.inf)
        for level in range(1, tiers + 1):
            effect = offer.effect_on(level)
            if effect is not None:
                share[level], money[level] = (effect.value, 0.0) if effect.unit == SHARE else (0.0, effect.value)
        gains[row] = share[numbers] * values + money[numbers] - offer.cost
    return gains.T


def measure_offers(
    scored: Scored,
    offers: Sequence[Offer],
    files: Mapping[str, Path],
    *,
    scheme: Segmentation = DEFAULT_SCHEME,
    progress: Progress,
) -> tuple[tuple[Offer, ...], dict[str, Experiment]]:
    """Return the offers with measured effects where there are files, and the experiments by the offer's name.

    Args:
        scored: dataset, and model whose predictions are subtracted from the outcomes, at the terms of the plan:
            outcomes count for its horizon at most, and its margin is applied to them.
        offers: what can be given.
        files: of experiments, by the offer's name.
        scheme: of the plan; where its segments are no value tiers, the effect on all customers counts.
        progress: listener.

    Raises:
        ClvError: a file cannot be used, or shows too little.
    """
    terms = scored.terms
    by_tier = isinstance(scheme, ValueTiers)
    tiers = scheme if isinstance(scheme, ValueTiers) else DEFAULT_SCHEME
    experiments = {
        offer: measure_experiment(scored, path, most_days=terms.horizon_days, scheme=tiers, progress=progress)
        for offer, path in files.items()
    }
    return with_experiments(offers, experiments, terms.horizon_days, terms.margin_rate, by_tier=by_tier), experiments


def with_experiments(
    offers: Sequence[Offer],
    experiments: Mapping[str, Experiment],
    horizon_days: int,
    margin_rate: float = 1.0,
    *,
    by_tier: bool = True,
) -> tuple[Offer, ...]:
    """Return the offers with the effects of their experiments.

    An experiment whose outcomes counted for longer than the plan's horizon is not used.

    Args:
        offers: what can be given.
        experiments: by the name of the offer that was tried.
        horizon_days: of the plan.
        margin_rate: share of the measured net value that is margin.
        by_tier: as in :func:`with_measured_effects`.
    """
    short = {name: experiment for name, experiment in experiments.items() if experiment.window_days <= horizon_days}
    return tuple(
        with_measured_effects(offer, short[offer.name], margin_rate, by_tier=by_tier) if offer.name in short else offer
        for offer in offers
    )


def with_measured_effects(
    offer: Offer, experiment: Experiment, margin_rate: float = 1.0, *, by_tier: bool = True
) -> Offer:
    """Return the offer with the effects that an experiment measured.

    They hold for the tiers in which the experiment had enough customers; no other tier gets the offer. The effect on
    all customers counts for each of them, unless they differ by more than chance allows: then each has its own. Where
    the plan's customers are not cut into the tiers of the experiment, the effect on all counts for everyone. If there
    are tiers that it was not tried in, or no tier had enough customers, it is then an assumption without an interval.

    Args:
        offer: whose cost and capacity stay.
        experiment: what it showed.
        margin_rate: share of the measured net value that is margin.
        by_tier: whether the plan's customers are cut into the tiers of the experiment.
    """
    effects = {
        measured.tier: Effect(
            margin_rate * measured.effect, MONEY, margin_rate * measured.low, margin_rate * measured.high
        )
        for measured in experiment.effects
        if measured.effect is not None and measured.low is not None and measured.high is not None
    }
    overall, tried = effects.pop(ALL_TIERS), experiment.tried_tiers
    in_all_tiers = len(tried) == len(experiment.effects) - 1
    if not in_all_tiers and not (tried and by_tier):
        return replace(offer, effects={ALL_TIERS: Effect(overall.value, MONEY)}, window_days=None)
    if not (by_tier and experiment.tiers_differ):
        effects = {ALL_TIERS: overall} if in_all_tiers else dict.fromkeys(tried, overall)
    return replace(offer, effects=effects, window_days=experiment.window_days)


def _parse_effects(text: str, tiers: str) -> dict[int, Effect]:
    """Return the effects of ``5%`` with tiers ``1+2``, or of ``1:5%+2:3%``.

    Raises:
        ValueError: tiers are no numbers from 1, or are named in both ways.
    """
    if ":" not in text:
        effect = Effect.parse(text)
        return dict.fromkeys([_parse_tier(tier) for tier in tiers.split("+")] if tiers else [ALL_TIERS], effect)
    if tiers:
        raise ValueError
    pairs = [part.partition(":") for part in text.split("+")]
    return {_parse_tier(tier): Effect.parse(effect) for tier, _, effect in pairs}


def _parse_tier(text: str) -> int:
    if int(text) < 1:
        raise ValueError
    return int(text)
