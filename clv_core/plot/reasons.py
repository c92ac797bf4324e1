"""Charts of an explanation: what moves predictions, of many customers and of one, with what they show in words."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from clv_core.evaluation.explain import CHANCE, WORTH_NAMING, Explanation, level, lowered, part_name, rank_correlation
from clv_core.features import label
from clv_core.plot import explanations
from clv_core.plot.drawing import Chart
from clv_core.plot.words import IN_WORDS, cut, language, percent, smaller, t, unit

BARS: Final = 10
SWARM: Final = 8
DOTS: Final = 250
"""Reasons with a bar, reasons with a row of dots, and dots in a row: what can be read at the width of a page."""
MIN_SHARE: Final = 5e-4
"""A reason with a smaller share of all effects would have a bar without width."""
CLEAR: Final = 0.3
"""Rank correlation of level and effect from which on the message says that a reason adds value, or takes it, when it is
high; a guess."""
STEPS: Final = 8
"""Reasons of one customer that are named; the rest are summed."""


def unit_of(answer: str, currency: str) -> tuple[str, float]:
    """Return the unit of effects on an answer, for axes, and the factor to it: a chance moves by percentage points."""
    return (t("unit.points"), 100.0) if answer == CHANCE else (unit(currency), 1.0)


def reason_name(part: str) -> str:
    """Return what a reason is called."""
    return part_name(part, language())


def live(explanation: Explanation) -> pd.DataFrame:
    """Return the reasons that move predictions at all, the strongest first."""
    rows = explanation.importance()
    return rows[rows["share"] >= MIN_SHARE]


def bars(explanation: Explanation, currency: str) -> Chart:
    """Draw the reasons by strength."""
    rows = live(explanation).head(BARS)
    unit, factor = unit_of(explanation.answer, currency)
    table = pd.DataFrame({"label": rows["part"].map(reason_name), "strength": rows["mean_abs"] * factor})
    message = t("explain.bars", name=reason_name(rows["part"].iloc[0]), share=percent(rows["share"].iloc[0]))
    return explanations.reason_bars(table, message, unit=unit)


def swarm(explanation: Explanation, currency: str) -> Chart:
    """Draw which way each reason moves customers, by how high its level is."""
    order = live(explanation)["part"].head(SWARM).tolist()
    unit, factor = unit_of(explanation.answer, currency)
    table = explanation.beeswarm()
    sampled = set(pd.Series(explanation.customer_ids).sample(min(DOTS, len(explanation.customer_ids)), random_state=1))
    table = table[table["part"].isin(order) & table["customer_id"].isin(sampled)]
    table = table.sort_values("part", key=lambda part: part.map(order.index), kind="stable", ignore_index=True)
    names = dict(zip(explanation.parts, explanation.representatives, strict=True))
    labels = {part: _with_reading(part, names[part]) for part in order}
    table = table.assign(label=table["part"].map(labels), effect=table["value"] * factor)
    axis = t(f"why.effect.{explanation.answer}", unit=unit)
    return explanations.beeswarm(table, _swarm_message(table, order, names, explanation.answer), axis=axis)


def _with_reading(part: str, representative: str) -> str:
    """Return a reason with what its colour reads on a line of its own: "views" may be the time since the last one."""
    name, read = reason_name(part), cut(label(representative, language()), IN_WORDS)
    return name if read.casefold() == name.casefold() else f"{name}<br>{smaller(read)}"


def _swarm_message(table: pd.DataFrame, order: list[str], names: dict[str, str], answer: str) -> str:
    """Say which of the strongest reasons adds value when its reading is high, and which takes value."""
    with_reading = table.dropna(subset="level")
    with_level = {
        part: rank_correlation(rows["level"], rows["effect"])
        for part, rows in with_reading.groupby("part")
        if len(rows) > 2 and rows["level"].nunique() > 1 and rows["effect"].nunique() > 1
    }
    up = next((part for part in order if with_level.get(part, 0.0) > CLEAR), None)
    down = next((part for part in order if with_level.get(part, 0.0) < -CLEAR), None)
    if up and down:
        return t(f"why.swarm.both.{answer}", up=_read(names[up]), down=_read(names[down], small=True))
    return t(f"why.swarm.up.{answer}", up=_read(names[up])) if up else t("explain.swarm")


def _read(representative: str, *, small: bool = False) -> str:
    """Return what a reading is, ``small`` within a sentence."""
    name = label(representative, language())
    return lowered(name, language()) if small else name


def waterfall(explanation: Explanation, customer: str, currency: str) -> Chart:
    """Draw the way from the average prediction to a customer's, the strongest reasons first."""
    rows = explanation.waterfall(customer)
    unit, factor = unit_of(explanation.answer, currency)
    named = rows[rows["value"].abs() > WORTH_NAMING * float(rows["value"].abs().max())].head(STEPS)
    steps = pd.DataFrame({"label": named["part"].map(reason_name), "effect": named["value"] * factor})
    rest = float(rows["value"].iloc[len(named) :].sum())
    if abs(rest) > WORTH_NAMING * float(named["value"].abs().max()):
        last: list[Any] = [t("explain.rest"), rest * factor]
        steps.loc[len(steps)] = last
    return explanations.waterfall(
        steps,
        t(
            "why.waterfall",
            base=level(explanation.base, explanation.answer, currency, language()),
            predicted=level(explanation.predicted_of(customer), explanation.answer, currency, language()),
        ),
        start=(t("explain.base"), explanation.base * factor),
        end=t(f"answer.{explanation.answer}"),
        unit=unit,
    )
