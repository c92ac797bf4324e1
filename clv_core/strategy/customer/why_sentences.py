"""Two sentences on why a customer has the predicted value: the model's reasons if they are saved, else facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from clv_core.columns import CUSTOMER_ID
from clv_core.evaluation.explain import SECOND, Explanation, level, move, part_name
from clv_core.i18n import say_money, say_share, translate
from clv_core.strategy.purchase_history import DAYS_SINCE_LAST, HISTORIC_VALUE, PURCHASE_DAYS
from clv_core.strategy.segments import VALUE

MODEL: Final = "model"
FACTS: Final = "facts"


@dataclass(frozen=True)
class Why:
    """Two sentences.

    Args:
        sentences: in the chosen language.
        source: ``model`` for the model's own reasons; ``facts`` for the customer compared with all others.
    """

    sentences: tuple[str, ...]
    source: str


def explain_value(
    customers: pd.DataFrame, row: int, explanation: Explanation | None, *, currency: str, language: str
) -> Why:
    """Return why a customer has the predicted value.

    Args:
        customers: scores with purchase history, one row a customer, [n].
        row: position of the one.
        explanation: of these scores; without one of this customer, the sentences are facts.
        currency: of the log; may be empty.
        language: of the sentences.
    """
    customer = str(customers[CUSTOMER_ID].iloc[row])
    if explanation is not None and customer in explanation.customer_ids:
        return Why(_reasons(explanation, customer, currency, language), MODEL)
    return Why(_facts(customers, row, currency, language), FACTS)


def _reasons(explanation: Explanation, customer: str, currency: str, language: str) -> tuple[str, ...]:
    steps = explanation.waterfall(customer)
    difference = explanation.predicted_of(customer) - explanation.base
    compared = translate(
        "card.why.more" if difference >= 0 else "card.why.less",
        language,
        difference=move(difference, VALUE, currency, language),
        base=level(explanation.base, VALUE, currency, language),
    )
    two = steps.head(2)
    effects = [_effect(step, currency, language) for step in two.to_dict("records")]
    if len(effects) < 2 or abs(two["value"].iloc[1]) < SECOND * abs(two["value"].iloc[0]):
        return compared, translate("card.why.parts.one", language, first=effects[0])
    return compared, translate("card.why.parts", language, first=effects[0], second=effects[1])


def _effect(step: dict[Any, Any], currency: str, language: str) -> str:
    effect = move(step["value"], VALUE, currency, language, sign=True)
    return translate("card.why.part", language, name=part_name(step["part"], language), effect=effect)


def _facts(customers: pd.DataFrame, row: int, currency: str, language: str) -> tuple[str, ...]:
    days = customers[PURCHASE_DAYS].to_numpy()
    bought = days > 0
    if not bought[row]:
        value = customers[VALUE].to_numpy()
        return (
            translate("card.fact.never", language, share=say_share(1 - bought.mean())),
            translate("card.fact.value", language, share=say_share((value < value[row]).mean())),
        )
    since, spent = customers[DAYS_SINCE_LAST].to_numpy(), customers[HISTORIC_VALUE].to_numpy()
    return (
        translate(
            "card.fact.purchases",
            language,
            days=f"{days[row]:,}",
            share=say_share((days[bought] <= days[row]).mean()),
            since=f"{since[row]:,.0f}",
            typical=f"{float(np.median(since[bought])):,.0f}",
        ),
        translate(
            "card.fact.spent",
            language,
            spent=say_money(spent[row], currency, language),
            typical=say_money(float(np.median(spent[bought])), currency, language),
        ),
    )
