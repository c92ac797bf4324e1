"""Explanations in plain sentences, in each language: one customer, one group against another, the checks."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from clv_core.evaluation.explain.checks import STEADY, Faithfulness, Stability
from clv_core.evaluation.explain.explanation import CHANCE, Explanation
from clv_core.features import FEATURES, label
from clv_core.i18n import DEFAULT_LANGUAGE, has, say_money, say_number, say_share, translate

WORTH_SAYING: Final = 0.15
"""A reason against is named where it is this share of the strongest reason for; a guess, as the three below."""
WORTH_NAMING: Final = 1e-3
"""The same for what makes groups differ."""
SECOND: Final = 0.05
"""The same for a second reason."""
ALIKE: Final = 0.02
"""Closer to the average than this share of it is about the same."""


def level(value: float, answer: str, currency: str, language: str = DEFAULT_LANGUAGE) -> str:
    """Return an answer in words: an amount, or a chance in percent."""
    if answer == CHANCE:
        return say_share(value, 0 if value >= 0.1 else 1)
    return say_money(value, currency, language)


def move(value: float, answer: str, currency: str, language: str = DEFAULT_LANGUAGE, *, sign: bool = False) -> str:
    """Return by how much an answer moves: an amount, or percentage points."""
    size = abs(float(value))
    if answer == CHANCE:
        text = translate("why.points", language, n=say_number(100 * size, language, 2))
    else:
        text = say_money(size, currency, language)
    return f"{'−' if value < 0 else '+'}{text}" if sign else text


def part_name(part: str, language: str = DEFAULT_LANGUAGE, *, within: bool = False) -> str:
    """Return what a part is called; ``within`` a sentence without a capital."""
    key = f"feature_group.{part}"
    name = translate(key, language) if has(key, language) else part
    return lowered(name, language) if within else name


def listed(names: list[str], language: str = DEFAULT_LANGUAGE) -> str:
    """Return names as a list in a sentence: a, b and c."""
    if len(names) < 2:
        return "".join(names)
    first = translate("why.comma", language).join(names[:-1])
    return translate("why.and", language, first=first, last=names[-1])


def reading(value: Any, language: str = DEFAULT_LANGUAGE, of: str = "", currency: str = "") -> str:
    """Return a reading in words; money, days and shares with their unit.

    Args:
        value: a number or a text; missing where it is unknown.
        language: of the words.
        of: the feature that was read; empty where the unit is shown elsewhere.
        currency: of the log; may be empty.
    """
    if value is None or value is pd.NA or value != value:
        return translate("why.unknown", language)
    if isinstance(value, str):
        return value
    unit = FEATURES[of].unit if of in FEATURES else ""
    if unit == "share":
        return say_share(float(value))
    if unit == "money":
        return say_money(float(value), currency, language)
    number = say_number(float(value), language)
    return translate("unit.days.short", language, n=number) if unit == "days" else number


def of_customer(
    explanation: Explanation, customer: str, horizon_days: int, *, currency: str, language: str = DEFAULT_LANGUAGE
) -> tuple[str, str]:
    """Return two sentences on one customer: how she compares with the average, and why.

    Args:
        explanation: of one answer.
        customer: her id, one of those explained.
        horizon_days: of the answer.
        currency: of the log; may be empty.
        language: of the sentences.

    Raises:
        NotFound: she is not among those explained.
    """
    steps = explanation.waterfall(customer)
    answer, base = explanation.answer, explanation.base
    predicted = explanation.predicted_of(customer)
    difference = predicted - base
    is_like = abs(difference) <= ALIKE * max(abs(base), 1e-12)
    way = "like" if is_like else "more" if difference > 0 else "less"
    first = translate(
        f"why.one.{answer}.{way}",
        language,
        customer=customer,
        horizon=horizon_days,
        predicted=level(predicted, answer, currency, language),
        difference=move(difference, answer, currency, language),
        base=level(base, answer, currency, language),
    )
    return first, _because(steps, 1.0 if difference >= 0 else -1.0, answer, currency, language)


def _because(steps: pd.DataFrame, way: float, answer: str, currency: str, language: str) -> str:
    """Return the sentence of reasons: the strongest towards her answer, and the strongest one against."""
    helping = steps[steps["value"] * way > 0].head(2)
    against = steps[steps["value"] * way < 0].head(1)
    if helping.empty:
        return translate("why.because.none", language)
    strongest = float(helping["value"].abs().iloc[0])
    reasons = [_reason(row, answer, currency, language) for row in helping.to_dict("records")]
    second = len(reasons) == 2 and abs(helping["value"].iloc[1]) >= SECOND * strongest
    params = {"first": reasons[0], **({"second": reasons[1]} if second else {})}
    if len(against) and abs(against["value"].iloc[0]) >= WORTH_SAYING * strongest:
        params["other"] = _reason(against.to_dict("records")[0], answer, currency, language)
        return translate("why.because.two.but" if second else "why.because.one.but", language, **params)
    return translate("why.because.two" if second else "why.because.one", language, **params)


def _reason(row: dict[Any, Any], answer: str, currency: str, language: str) -> str:
    return translate(
        "why.reason",
        language,
        name=part_name(row["part"], language, within=True),
        feature=lowered(label(row["representative"], language), language),
        reading=reading(row["reading"], language, row["representative"], currency),
        effect=move(row["value"], answer, currency, language, sign=True),
    )


def lowered(text: str, language: str = DEFAULT_LANGUAGE) -> str:
    """Return a name as it is written within a sentence."""
    return text[:1].lower() + text[1:] if language == "en" and not text[:2].isupper() else text


def of_groups(
    rows: pd.DataFrame, names: tuple[str, str], means: tuple[float, float], answer: str, currency: str, language: str
) -> list[str]:
    """Return why one group differs from another: the difference, then its three largest parts.

    Args:
        rows: of :func:`clv_core.evaluation.explain.whatif.against`.
        names: of both groups.
        means: their mean answers.
        answer: what is compared.
        currency: of the log; may be empty.
        language: of the sentences.
    """
    difference = means[0] - means[1]
    sentences = [
        translate(
            f"why.groups.{'more' if difference >= 0 else 'less'}",
            language,
            these=names[0],
            those=names[1],
            first=level(means[0], answer, currency, language),
            second=level(means[1], answer, currency, language),
            difference=move(difference, answer, currency, language),
        )
    ]
    least = WORTH_NAMING * float(rows["difference"].abs().max())
    for row in rows[rows["difference"].abs() > least].head(3).to_dict("records"):
        sentences.append(
            translate(
                "why.groups.part",
                language,
                name=part_name(row["part"], language),
                effect=move(row["difference"], answer, currency, language, sign=True),
                feature=lowered(label(row["representative"], language), language),
                these=reading(row["reading_these"], language, row["representative"], currency),
                those=reading(row["reading_those"], language, row["representative"], currency),
            )
        )
    return sentences


def of_faithfulness(faithfulness: Faithfulness, answer: str, currency: str, language: str = DEFAULT_LANGUAGE) -> str:
    """Return whether the reasons are the model's own, in one sentence."""
    if faithfulness.passed is None:
        return translate("why.faithful.few", language)
    # The sentence is about what failed: at another number of parts the strongest may well move more.
    spoken = [place for place, low in enumerate(faithfulness.low) if faithfulness.passed or not low > 0]
    place = min(spoken, key=lambda index: abs(faithfulness.hidden[index] - 3))
    return translate(
        "why.faithful.passed" if faithfulness.passed else "why.faithful.failed",
        language,
        parts=faithfulness.hidden[place],
        strongest=move(faithfulness.strongest[place], answer, currency, language),
        chance=move(faithfulness.chance[place], answer, currency, language),
        customers=faithfulness.customers,
    )


def of_stability(stability: Stability, language: str = DEFAULT_LANGUAGE) -> str:
    """Return how stable the order of the reasons is, in one sentence."""
    halves = stability.permutations is not None and stability.permutations < min(stability.customers, STEADY)
    key = "steady" if stability.steady else "shaky.again" if halves else "shaky"
    agreement = stability.permutations if key == "shaky.again" else stability.customers
    sentence = translate(
        f"why.stable.{key}", language, same=stability.same, top=stability.top, agreement=f"{agreement:.2f}"
    )
    if stability.one_customer is None:
        return sentence
    return translate("why.stable.one", language, said=sentence, agreement=f"{stability.one_customer:.2f}")
