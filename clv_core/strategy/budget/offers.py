"""Offers: what can be given to a customer, what it costs, and what it is expected to bring.

An effect is what a customer brings more, in the predicted horizon, when given the offer: a share of the predicted
value, or money per customer. It is assumed by a person, or measured by an experiment and then carries its 90% interval.
Expected gain = effect - cost.

    name=Voucher,cost=2,effect=5%                       5% of predicted value, for all tiers
    name=Call,cost=8,effect=12.5,capacity=300,tiers=1+2  12.5 a customer, for two tiers, 300 customers at most
    name=Mail,cost=0.1,effect=1:2%+2:1.5%                one effect a tier; other tiers do not get it
    name=Gift,cost=3,effect=4.1(2.5;5.7),days=90         measured: its 90% interval, and how long outcomes counted
    name=Gift,cost=3,effect=@FILE                        to be measured from an experiment (:func:`parse_offers`)
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from clv_core.errors import UsageError

SHARE: Final = "share"
MONEY: Final = "money"
UNITS: Final = (SHARE, MONEY)
ALL_TIERS: Final = 0
MOST_OFFERS: Final = 12
LONGEST_NAME: Final = 60
WORDS: Final = ("name", "cost", "effect", "capacity", "tiers", "days")


@dataclass(frozen=True)
class Effect:
    """What one customer brings more when given an offer.

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
        sound = all(map(math.isfinite, numbers)) and (self.low is None) == (self.high is None)
        if self.low is not None and self.high is not None:
            sound = sound and self.low <= self.value <= self.high
        if self.unit not in UNITS or not sound or (self.unit == SHARE and not -1 <= self.value <= 10):
            raise UsageError("offer_effect", effect=f"{self.value:g} {self.unit}")

    @property
    def measured(self) -> bool:
        """Whether an experiment stands behind it."""
        return self.low is not None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the effect of ``5%`` (of the predicted value), ``12.5`` (money per customer) or ``12.5(10;15)``.

        Raises:
            UsageError: the text is none of them.
        """
        head, bracket, span = text.strip().partition("(")
        parts = [head, *(span.removesuffix(")").split(";") if bracket else ())]
        share = head.strip().endswith("%")
        try:
            numbers = [float(part.strip().removesuffix("%")) / (100 if share else 1) for part in parts]
        except ValueError as error:
            raise UsageError("offer_effect", effect=text[:40]) from error
        if len(numbers) != (3 if bracket else 1):
            raise UsageError("offer_effect", effect=text[:40])
        return cls(numbers[0], SHARE if share else MONEY, *numbers[1:])

    def __str__(self) -> str:
        """Return it as :meth:`parse` reads it."""
        words = [
            f"{100 * number:.10g}%" if self.unit == SHARE else f"{number:.10g}"
            for number in (self.value, self.low, self.high)
            if number is not None
        ]
        return words[0] if len(words) == 1 else f"{words[0]}({';'.join(words[1:])})"


@dataclass(frozen=True)
class Offer:
    """One thing that can be given, at most one to a customer.

    Args:
        name: what people call it.
        cost: money per customer who gets it.
        effects: by tier (1 = highest); the key :data:`ALL_TIERS` stands for all tiers that are not named. Customers of
            a tier without effect do not get it.
        capacity: most customers who can get it; None is no limit.
        window_days: how long outcomes counted where its effect was measured; None where it is assumed.

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
        if not self.name.strip() or len(self.name) > LONGEST_NAME:
            raise UsageError("offer_name", name=self.name[:LONGEST_NAME], most=LONGEST_NAME)
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
        """Whether all its effects were measured; an offer never mixes both kinds (:func:`checked`)."""
        return all(effect.measured for effect in self.effects.values())

    def effect_on(self, tier: int) -> Effect | None:
        """Return its effect on a customer of ``tier``; None where the tier does not get it."""
        return self.effects.get(tier, self.effects.get(ALL_TIERS))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the offer that ``text`` says.

        Raises:
            UsageError: the text is not of the form that the module shows.
        """
        pairs = [part.partition("=") for part in text.split(",")]
        said = {key.strip(): value.strip() for key, _, value in pairs}
        if len(said) != len(pairs) or not {"name", "cost", "effect"} <= set(said) or set(said) - set(WORDS):
            raise UsageError("offer_text", text=text[:120])
        try:
            cost = float(said["cost"])
            capacity = int(said["capacity"]) if "capacity" in said else None
            window_days = int(said["days"]) if "days" in said else None
            effects = _effects(said["effect"], said.get("tiers", ""))
        except ValueError as error:
            raise UsageError("offer_text", text=text[:120]) from error
        return cls(said["name"], cost, effects, capacity, window_days)

    def __str__(self) -> str:
        """Return it as :meth:`parse` reads it; a comma in the name becomes a space."""
        everyone = self.effects.get(ALL_TIERS)
        tiered = "+".join(f"{tier}:{effect}" for tier, effect in self.effects.items())
        words = {"name": self.name.replace(",", " "), "cost": f"{self.cost:.10g}"}
        words["effect"] = tiered if everyone is None else str(everyone)
        words |= {} if self.capacity is None else {"capacity": str(self.capacity)}
        words |= {} if self.window_days is None else {"days": str(self.window_days)}
        return ",".join(f"{key}={word}" for key, word in words.items())

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON types; :meth:`from_json` reads it."""
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

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Return the offer of :meth:`to_json`."""
        effects = {int(tier): Effect(**effect) for tier, effect in values["effects"].items()}
        return cls(values["name"], values["cost"], effects, values["capacity"], values.get("window_days"))


def parse_offers(texts: Sequence[str]) -> tuple[tuple[Offer, ...], dict[str, Path]]:
    """Return the offers that ``texts`` say, and by name the files of the experiments that measured their effect.

    An offer whose effect is ``@FILE`` has none of its own until the experiment has been measured.

    Raises:
        UsageError: a text is not of the form that the module shows, or the offers are not :func:`checked`.
    """
    offers, files = [], {}
    for text in texts:
        found = re.search(r"(^|,)\s*effect\s*=\s*@([^,]+)", text)
        offers.append(Offer.parse(text if found is None else text.replace(f"@{found[2]}", "0")))
        if found is not None:
            files[offers[-1].name] = Path(found[2].strip())
    return checked(offers), files


def checked(offers: Sequence[Offer]) -> tuple[Offer, ...]:
    """Return the offers, which are some, not too many, of different names, each either measured or assumed.

    Raises:
        UsageError: they are not.
    """
    if not 1 <= len(offers) <= MOST_OFFERS:
        raise UsageError("offer_count", found=len(offers), most=MOST_OFFERS)
    names = [offer.name for offer in offers]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError("offer_twice", name=twice)
    for offer in offers:
        if len({effect.measured for effect in offer.effects.values()}) > 1:
            raise UsageError("offer_mixed", name=offer.name)
    return tuple(offers)


def expected_gains(
    offers: Sequence[Offer], value: npt.ArrayLike, tier: npt.ArrayLike, tiers: int
) -> npt.NDArray[np.float64]:
    """Return what each offer to each customer is expected to bring after its cost.

    Args:
        offers: k of them.
        value: predicted value in the log's currency, [n].
        tier: of each customer, 1 to ``tiers``, [n].
        tiers: number of tiers.

    Returns:
        Money, [n, k]; -inf where a tier does not get an offer.
    """
    worth, place = np.maximum(np.asarray(value, float), 0), np.asarray(tier, np.int64)
    gains = np.empty((len(offers), len(worth)))
    for row, offer in enumerate(offers):
        share, money = np.zeros(tiers + 1), np.full(tiers + 1, -np.inf)
        for one in range(1, tiers + 1):
            effect = offer.effect_on(one)
            if effect is not None:
                share[one] = effect.value if effect.unit == SHARE else 0.0
                money[one] = effect.value if effect.unit == MONEY else 0.0
        gains[row] = share[place] * worth + money[place] - offer.cost
    return gains.T


def _effects(text: str, tiers: str) -> dict[int, Effect]:
    """Read ``5%`` with tiers ``1+2``, or ``1:5%+2:3%``.

    Raises:
        ValueError: tiers are no numbers from 1, or are said in both ways.
    """
    if ":" not in text:
        effect = Effect.parse(text)
        places = [_tier(part) for part in tiers.split("+")] if tiers else [ALL_TIERS]
        return dict.fromkeys(places, effect)
    if tiers:
        raise ValueError
    pairs = [part.partition(":") for part in text.split("+")]
    return {_tier(place): Effect.parse(effect) for place, _, effect in pairs}


def _tier(text: str) -> int:
    if int(text) < 1:
        raise ValueError
    return int(text)
