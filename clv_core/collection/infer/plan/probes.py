"""What is inferred of a log from how many of its cells show it: one entry a rule, all counted by one query.

A rule holds where a large enough share of the rows that could show it do. Then the field of its name is set in the
:class:`~clv_core.collection.infer.plan.reading_plan.ReadingPlan` (``APPLY``), the person is told
(``warning.<code>``, ``WARN``) or the file is refused (``error.<code>``, ``REFUSE``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from clv_core.collection.engine import T, text
from clv_core.collection.infer.plan.cells import CREDIT_NOTE, MAX_QUANTITY
from clv_core.collection.infer.plan.reading_plan import ReadingPlan
from clv_core.collection.parse import numbers
from clv_core.columns import AMOUNT, DISCOUNT, EVENT_TYPE, ORDER_ID, PURCHASE, QUANTITY, UNIT_PRICE
from clv_core.errors import Message, Refused
from clv_core.records import JsonObject

APPLY, WARN, REFUSE = "apply", "warn", "refuse"


@dataclass(frozen=True)
class Probe:
    """One rule.

    Args:
        name: of the rule.
        column: canonical column that it is about.
        shows: plan -> SQL condition of a row's texts (``clv_t_...``) that shows it.
        among: plan -> SQL condition of the rows that could show it.
        share: more than this share of them must show it,
        at_most: and no more than this.
        decision: ``APPLY``, ``WARN`` or ``REFUSE``.
        code: of the message.
        params: of the message, beside ``column`` and ``rows``.
        needs: other canonical columns without which it is not asked.
        unless: canonical columns with which it is not asked.
    """

    name: str
    column: str
    shows: Callable[[ReadingPlan], str]
    among: Callable[[ReadingPlan], str] = lambda plan: "true"
    share: float = 0.0
    at_most: float = 1.0
    decision: str = WARN
    code: str = ""
    params: JsonObject = field(default_factory=dict)
    needs: Collection[str] = ()
    unless: Collection[str] = ()

    def is_asked(self, plan: ReadingPlan) -> bool:
        """Say whether a log has the columns that the rule is about."""
        return {self.column, *self.needs} <= set(plan.chosen) and not set(self.unless) & set(plan.chosen)


def _order_ids(pattern: str) -> str:
    return f"regexp_full_match({T}{ORDER_ID}, {text(pattern)})"


def _discounted_sales(plan: ReadingPlan) -> str:
    sold = f" AND coalesce({T}{QUANTITY}[1] <> '-', true)" if QUANTITY in plan.chosen else ""
    return f"regexp_matches({T}{DISCOUNT}, '[1-9]'){sold}"


def _below_zero(column: str) -> str:
    return f"regexp_matches({T}{column}, {text(numbers.BELOW)})"


PROBES: Final = (
    Probe(
        "credit_notes",
        ORDER_ID,
        shows=lambda plan: _order_ids(CREDIT_NOTE),
        among=lambda plan: f"{_order_ids(CREDIT_NOTE)} OR {_order_ids('[0-9]+')}",
        at_most=0.5,
        decision=APPLY,
        unless=(EVENT_TYPE,),
    ),
    Probe(
        "discount_below",
        DISCOUNT,
        shows=lambda plan: f"{_discounted_sales(plan)} AND {_below_zero(DISCOUNT)}",
        among=_discounted_sales,
        share=0.95,
        decision=APPLY,
    ),
    Probe(
        "negative_purchases",
        AMOUNT,
        shows=lambda plan: f"{T}{AMOUNT}[1] IN ('-', '(') AND {plan.kind} = '{PURCHASE}'",
        code="negative_purchases",
        needs=(EVENT_TYPE,),
    ),
    Probe(
        "large_quantities",
        QUANTITY,
        shows=lambda plan: f"abs(try_cast({T}{QUANTITY} AS DOUBLE)) > {MAX_QUANTITY}",
        code="out_of_range",
        params={"low": -MAX_QUANTITY, "high": MAX_QUANTITY},
    ),
    *(
        Probe(
            f"sides_of_{column}",
            column,
            shows=lambda plan, column=column: numbers.has_side(T + column),  # type: ignore[misc]
            decision=REFUSE,
            code="amount_sides",
        )
        for column in (AMOUNT, UNIT_PRICE)
    ),
)


def count_sql(plan: ReadingPlan) -> dict[str, str]:
    """Return SQL that counts the rows that show each rule and those that could, by ``<name>`` and ``<name>_among``."""
    asked = [probe for probe in PROBES if probe.is_asked(plan)]
    shows = {probe.name: f"count(*) FILTER ({probe.shows(plan)})" for probe in asked}
    return shows | {f"{probe.name}_among": f"count(*) FILTER ({probe.among(plan)})" for probe in asked}


def decide(plan: ReadingPlan, counts: Mapping[str, int]) -> tuple[JsonObject, tuple[Message, ...]]:
    """Return the fields of the plan that rules set, and warnings.

    Args:
        plan: a draft.
        counts: of :func:`count_sql`, over all rows.

    Raises:
        Refused: a rule says that the file cannot be read.
    """
    fields: JsonObject = {}
    warnings: list[Message] = []
    for probe in PROBES:
        rows, among = counts.get(probe.name, 0), counts.get(f"{probe.name}_among", 0)
        if not rows or not probe.share * among < rows <= probe.at_most * among:
            continue
        params = {"column": plan.chosen[probe.column], "rows": rows, **probe.params}
        if probe.decision == APPLY:
            fields[probe.name] = True
        elif probe.decision == WARN:
            warnings.append(Message(f"warning.{probe.code}", params))
        else:
            raise Refused(probe.code, **params)
    return fields, tuple(warnings)
