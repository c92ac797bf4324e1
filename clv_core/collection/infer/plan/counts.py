"""What forms the values of a file's columns have, and what of a log shows in how many of them: counted in one pass.

Columns whose sample has the usual spellings alone are first looked at for these; where the table has others, a second
pass knows them all.

:data:`PROBES` are what is inferred from such counts, one entry a rule, all counted by one query. A rule holds where a
large enough share of the rows that could show it do. Then the field of its name is set in the
:class:`~clv_core.collection.infer.plan.reading_plan.ReadingPlan` (``APPLY``), the user is warned
(``warning.<code>``, ``WARN``) or the file is refused (``error.<code>``, ``REFUSE``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Final

from clv_core.collection.engine import T, TextRow, fetch, name, text
from clv_core.collection.infer.log_table import LogTable
from clv_core.collection.infer.plan.cells import CREDIT_NOTE, MAX_QUANTITY
from clv_core.collection.infer.plan.reading_plan import ReadingPlan
from clv_core.collection.parse import numbers, time_texts, times
from clv_core.collection.vocabulary.column_names import CURRENCY
from clv_core.columns import (
    AMOUNT,
    DISCOUNT,
    EVENT_TIME,
    EVENT_TYPE,
    ORDER_ID,
    PURCHASE,
    QUANTITY,
    RATING,
    REFUND,
    UNIT_PRICE,
)
from clv_core.errors import Message, Refused
from clv_core.jobs import Progress
from clv_core.records import JsonObject

NUMBERS: Final = (AMOUNT, QUANTITY, UNIT_PRICE, DISCOUNT, RATING, REFUND)
SCALES: Final = (5.0, 10.0, 100.0)
"""Scales of ratings: the smallest that holds most ratings of the log is taken."""
USUAL: Final = 0.8
"""Quantile of ratings that decides their scale: a few beyond it are errors. A guess."""


def count_columns(log: LogTable, plan: ReadingPlan, progress: Progress) -> dict[str, Any]:
    """Return counts of forms by column, and counts and extremes of rows under keys of their own.

    ``usual`` are the columns of whose values each has a usual spelling (:mod:`clv_core.collection.parse.numbers`).

    Args:
        log: the file.
        plan: a draft of how it is read.
        progress: to report to.
    """
    usual = _usual(log.rows, plan)
    while True:
        forms, figures = _forms(plan, usual), _figures(plan, usual)
        rows = fetch(log.connection, _query(log, plan, forms, figures), progress, "columns")
        groups = [dict(zip((*map(_form, forms), *figures), row, strict=True)) for row in rows]
        unusual = {column for column in usual for group in groups if group[_form(column)] == numbers.OTHERWISE}
        if not unusual:
            break
        usual -= unusual

    def total(figure: str) -> int:
        return sum(group[figure] for group in groups)

    def counted(figure: str) -> list[dict[str, Any]]:
        return [group for group in groups if group[figure] is not None]

    def distinct(figure: str) -> list[str]:
        texts = (str(value).strip() for group in counted(figure) for value in group[figure] if value)
        return sorted({value for value in texts if value})

    by_form: dict[str, Any] = {column: Counter[str]() for column in forms}
    for group in groups:
        for column in forms:
            by_form[column][group[_form(column)]] += group["rows"]
    return {column: dict(counts) for column, counts in by_form.items()} | {
        "rows": total("rows"),
        "largest_discount": max((group["largest_discount"] for group in counted("largest_discount")), default=None),
        "usual_rating": _middle([(group["usual_rating"], group["rows"]) for group in counted("usual_rating")]),
        "marks": distinct("marks"),
        "named": distinct("named"),
        "probes": {figure: total(figure) for figure in count_sql(plan)},
        "beyond": {top: total(f"beyond_{top}") for top in SCALES if RATING in plan.column_of},
        "usual": usual,
    }


def _usual(rows: Sequence[TextRow], plan: ReadingPlan) -> frozenset[str]:
    """Return the columns whose samples have usual spellings only."""
    spelling = {EVENT_TIME: time_texts.USUAL} | dict.fromkeys(NUMBERS, numbers.USUAL)
    return frozenset(
        column
        for column, pattern in spelling.items()
        if column in plan.column_of and numbers.are_usual((row[plan.column_of[column]] for row in rows), pattern)
    )


def _forms(plan: ReadingPlan, usual: AbstractSet[str]) -> dict[str, str]:
    """Return the expressions of the forms of columns."""
    forms = {EVENT_TIME: times.form(T + EVENT_TIME, usual=EVENT_TIME in usual)}
    return forms | {c: numbers.form(T + c, usual=c in usual) for c in NUMBERS if c in plan.column_of}


def _form(column: str) -> str:
    return f"f_{column}"


def _figures(plan: ReadingPlan, usual: AbstractSet[str]) -> dict[str, str]:
    """Return the expressions of what is counted in rows of the same forms, NULL where its column is missing."""
    column_of = plan.column_of

    def of(expression: str, *needed: str) -> str:
        return expression if set(needed) <= set(column_of) else "NULL"

    paid = AMOUNT if AMOUNT in column_of else UNIT_PRICE
    marked = plan.has_money and paid not in usual  # a plain number has no currency mark
    marks = f"CASE WHEN try_cast({T}{paid} AS DOUBLE) IS NULL THEN {numbers.currencies(T + paid)} END"
    figures = {
        "rows": "count(*)",
        "largest_discount": of(f"max(abs(try_cast(replace({T}{DISCOUNT}, ',', '.') AS DOUBLE)))", DISCOUNT),
        "usual_rating": of(f"approx_quantile(try_cast({T}{RATING} AS DOUBLE), {USUAL})", RATING),
        "marks": f"list(DISTINCT {marks})" if marked else "NULL",
        "named": of(f"list(DISTINCT {name(column_of.get(CURRENCY, ''))})", CURRENCY),
    }
    beyond = {top: f"try_cast({T}{RATING} AS DOUBLE) NOT BETWEEN 0 AND {top}" for top in SCALES if RATING in column_of}
    return figures | {f"beyond_{top}": f"count(*) FILTER ({sql})" for top, sql in beyond.items()} | count_sql(plan)


def _query(log: LogTable, plan: ReadingPlan, forms: dict[str, str], figures: dict[str, str]) -> str:
    column_of = plan.column_of
    columns = [
        f"{plan.clean(column)} AS {T}{column}" for column in (EVENT_TIME, ORDER_ID, *NUMBERS) if column in column_of
    ]
    columns += [name(column_of[column]) for column in (CURRENCY, EVENT_TYPE) if column in column_of]
    keys = ", ".join(f"{expression} AS {_form(column)}" for column, expression in forms.items())
    table = log.source.relation(record=True)
    return (
        f"SELECT {', '.join(map(_form, forms))}, {', '.join(figures.values())}"
        f" FROM (SELECT *, {keys} FROM (SELECT {', '.join(columns)} FROM {table})) GROUP BY ALL"
    )


def _middle(pairs: list[tuple[float, int]]) -> float | None:
    """Return the weighted median of values, None of none."""
    total, passed = sum(count for _, count in pairs), 0
    for value, count in sorted(pairs):
        passed += count
        if passed * 2 >= total:
            return value
    return None


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
        params: of the message, besides ``column`` and ``rows``.
        needs: other canonical columns without which the rule does not apply.
        unless: canonical columns with which the rule does not apply.
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

    def applies(self, plan: ReadingPlan) -> bool:
        """Return whether a log has the columns that the rule is about."""
        return {self.column, *self.needs} <= set(plan.column_of) and not set(self.unless) & set(plan.column_of)


def _order_ids(pattern: str) -> str:
    return f"regexp_full_match({T}{ORDER_ID}, {text(pattern)})"


def _discounted_sales(plan: ReadingPlan) -> str:
    sold = f" AND coalesce({T}{QUANTITY}[1] <> '-', true)" if QUANTITY in plan.column_of else ""
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
    applicable = [probe for probe in PROBES if probe.applies(plan)]
    shows = {probe.name: f"count(*) FILTER ({probe.shows(plan)})" for probe in applicable}
    return shows | {f"{probe.name}_among": f"count(*) FILTER ({probe.among(plan)})" for probe in applicable}


def decide(plan: ReadingPlan, counts: Mapping[str, int]) -> tuple[JsonObject, tuple[Message, ...]]:
    """Return the fields of the plan that rules set, and warnings.

    Args:
        plan: a draft.
        counts: of :func:`count_sql`, over all rows.

    Raises:
        Refused: a rule with the decision ``REFUSE`` holds.
    """
    fields: JsonObject = {}
    warnings: list[Message] = []
    for probe in PROBES:
        rows, among = counts.get(probe.name, 0), counts.get(f"{probe.name}_among", 0)
        if not rows or not probe.share * among < rows <= probe.at_most * among:
            continue
        params = {"column": plan.column_of[probe.column], "rows": rows, **probe.params}
        if probe.decision == APPLY:
            fields[probe.name] = True
        elif probe.decision == WARN:
            warnings.append(Message(f"warning.{probe.code}", params))
        else:
            raise Refused(probe.code, **params)
    return fields, tuple(warnings)
