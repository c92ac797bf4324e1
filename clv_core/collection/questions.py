"""Doubts that change the total by more than 1% become questions: what each reading makes of the revenue, and the option
that chooses it.

A warning is enough where the total hardly depends on it. :data:`READINGS` lists, for each question and for each warning
that is a doubt, the answers between which a person chooses; a doubt that one of them settles already is none.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from itertools import chain, product
from typing import Any, Final

from clv_core.collection.answers import RETURN, Answers, Said
from clv_core.collection.infer.ledger import DOUBTS
from clv_core.collection.vocabulary.column_names import fold
from clv_core.collection.vocabulary.order_statuses import CANCELLED, SOLD
from clv_core.columns import AMOUNT, DISCOUNT, ORDER_STATUS, PURCHASE, REFUND, UNIT_PRICE
from clv_core.errors import Message, NeedsAnswer
from clv_core.records import JsonObject

MIN_DIFFERENCE: Final = 0.01
"""Share of the total by which readings may differ before they are a question (a guess)."""
MAPPINGS: Final = ("mapping", "events", "states", "rows")
MAX_WORDS: Final = 12
"""Words of a column that are offered as answers: more do not fit a form."""
MAX_RETURN_WORDS: Final = 4
"""Words of a column up to which it is offered that one of them names returns."""

MAX_QUESTIONS: Final = 4
"""Questions that are put together; of more, the answers to these are likely to settle some."""
MAX_COMBINATIONS: Final = 12
"""Combinations of their answers that are tried: a second's work on a small file."""

Params = Mapping[str, Any]
Revenue = Callable[[Answers], float | None]


def _each(**choices: Sequence[Any]) -> Callable[[Params], list[Said]]:
    ((name, values),) = choices.items()
    return lambda _: [Said(**{name: value}) for value in values]  # type: ignore[misc]


def _repeats(*choices: str) -> Callable[[Params], list[Said]]:
    """Rows that certainly are repetitions have no sums, and raise no question."""
    return lambda params: [{"duplicates": choice} for choice in choices] if "revenues" in params else []


def _columns(params: Params) -> list[Said]:
    return [{"mapping": {str(params["canonical"]): column}} for column in params["columns"]]


def _amounts_and_prices(params: Params) -> list[Said]:
    """Totals, then prices of one piece times the quantity, then these prices as if each were a total."""
    prices = [str(column) for column in params.get("prices", ())]
    totals = [column for column in params["columns"] if column not in prices] or list(params["columns"])
    other_prices = [column for column in prices if column not in totals]
    ordered = [(AMOUNT, totals), (UNIT_PRICE, prices), (AMOUNT, other_prices)]
    return [{"mapping": {canonical: str(column)}} for canonical, columns in ordered for column in columns]


def _lower(canonical: str) -> Callable[[Params], list[Said]]:
    """Quantity times price; or what is called another amount, or another price."""
    return lambda params: [{"mapping": {UNIT_PRICE: params["price"]}}, {"mapping": {canonical: params["column"]}}]


def _prices(params: Params) -> list[Said]:
    """The price is of one piece where another column has how many it is for; of one; of the line."""
    each: list[Said] = [{"mapping": {UNIT_PRICE: str(column)}} for column in params.get("per", ())]
    return [*each, {"mapping": {UNIT_PRICE: params["column"]}}, {"mapping": {AMOUNT: params["column"]}}]


def _amounts(params: Params) -> list[Said]:
    return [{"mapping": {AMOUNT: column}} for column in (params["column"], *params["others"])]


def _status_column(params: Params) -> list[Said]:
    """Without the column; with each of its words alone as what calls an order off, or takes its amount off."""
    words = [str(word) for word in params["states"][:MAX_WORDS]]
    used = [Said(states={other: CANCELLED if other == word else SOLD for other in words}) for word in words]
    taken_off = [Said(rows={f"{params['column']}={word}": RETURN}) for word in words]
    return [{"mapping": {ORDER_STATUS: ""}}, *used, *(taken_off if len(words) <= MAX_RETURN_WORDS else [])]


def _words(params: Params) -> list[Said]:
    words = [str(word) for word in params["words"][:MAX_WORDS]]
    return [{"states": dict.fromkeys(words, meaning)} for meaning in (SOLD, CANCELLED)]


def _filled(params: Params) -> list[Said]:
    return [{"states": {str(params["column"]): meaning}} for meaning in (SOLD, str(params.get("meaning", CANCELLED)))]


def _left_or_back(params: Params) -> list[Said]:
    """The column means nothing; an amount is what is left; it is what was paid back."""
    columns = [(REFUND, ""), *((AMOUNT, column) for column in params["left"])]
    columns += [(REFUND, column) for column in params["back"]]
    return [{"mapping": {canonical: str(column)}} for canonical, column in columns]


def _kinds(params: Params) -> list[Said]:
    """No unknown kind is a purchase; all are; and each alone is."""
    words = [str(word) for word in params.get("words", ())]
    if not words:
        return []
    none: Said = {"events": {word: word for word in words}}
    bought = [Said(events={other: PURCHASE if other == word else other for other in words}) for word in words]
    return [none, *bought, *([Said(events=dict.fromkeys(words, PURCHASE))] if len(words) > 1 else [])]


READINGS: Final[Mapping[str, Callable[[Params], list[Said]]]] = {
    "missing_column": lambda params: _columns(params) if params.get("columns") else [],
    "missing_columns": lambda params: [{"mapping": params["guesses"]}] if params["guesses"] else [],
    "two_columns": _columns,
    "which_amount": _amounts_and_prices,
    "which_sheet": lambda params: [{"sheet": title} for title in params["sheets"]],
    "no_header": _each(header=(False, True)),
    "currency_of_log": lambda params: [{"currency": params["currency"]}],
    "currency_differs": lambda params: [{"currency": params["currency"]}],
    "which_side": _columns,
    "customers_grouped": _columns,
    "which_converted": _columns,
    "amount_of_what": _each(amount_scope=("order", "line")),
    "price_of_what": _prices,
    "minor_fractions": _each(amount_unit=("major",)),
    "dates_ambiguous": _each(date_order=("dmy", "mdy")),
    "dates_ambiguous_year": _each(date_order=("dmy", "mdy", "ymd")),
    "dates_contradict": _each(date_order=("dmy", "mdy")),
    "dates_contradict_year": _each(date_order=("dmy", "mdy", "ymd")),
    "decimal_unsure_point": _each(decimal=("point", "comma")),
    "decimal_unsure_comma": _each(decimal=("point", "comma")),
    "decimal_mixed": _each(decimal=("point", "comma")),
    "maybe_cents": _each(amount_unit=("major", "minor")),
    "cents_later": _each(amount_unit=("major",)),
    "duplicates_kept": _repeats("keep", "drop"),
    "duplicates_dropped": _repeats("drop", "keep"),
    "repeated_orders": _repeats("keep", "drop"),
    "status_unused": _status_column,
    "unknown_states": _words,
    "ended_late": _filled,
    "parent_rows": _filled,
    "refunded_in_part": lambda params: [{"mapping": {REFUND: column}} for column in ("", params["money"])],
    "partly_refunded": _left_or_back,
    "other_event_types": _kinds,
    "rival_amounts": _amounts,
    "lower_amount": _lower(AMOUNT),
    "lower_price": _lower(UNIT_PRICE),
    "split_rows": _each(broken_rows=("reject",)),
    "similar_ids": _each(similar_ids=("merge", "separate")),
    "discount_unused": lambda params: [{"mapping": {DISCOUNT: column}} for column in ("", params["column"])],
    "discount_of_orders": _each(discount=("amount", "order")),
    "maybe_percent": _each(discount=("amount", "unit", "percent")),
    "outlier": lambda params: [{"max_amount": params["amount"]}, {"max_amount": params["second"]}],
    "returns_mostly": _each(sign=("positive", "negative")),
    **dict.fromkeys(
        (f"rows_{code}" for code in DOUBTS), lambda params: [{"rows": choice} for choice in params["choices"]]
    ),
}
"""Code of a question, or of a warning that is a doubt -> the answers to choose from; of a doubt, the first is how the
file is read without one."""


SEEN: Final = {"other_event_types": "events", "unknown_states": "states"}
"""Doubts about words: a person who has given one of them a meaning has seen the others."""


def option(answer: Said) -> str:
    """Return the words of the command line that give an answer."""
    return shlex.join(option_words(Answers(**answer)))


def option_words(answers: Answers) -> list[str]:
    """Return answers as words of the command line; a name that begins with a hyphen stays a name."""
    words = ["--timezone", answers.timezone] if answers.timezone != "UTC" else []
    for name, flag in zip(MAPPINGS, ("map", "event", "state", "rows"), strict=True):
        words += [f"--{flag}={key}={value}" for key, value in getattr(answers, name).items()]
    words += [f"--{answers.duplicates}-duplicates"] if answers.duplicates else []
    words += [] if answers.header is None else ["--header" if answers.header else "--no-header"]
    done = {"timezone", "duplicates", "header", *MAPPINGS}
    for item in fields(answers):
        value = getattr(answers, item.name)
        if item.name not in done and value not in (None, ""):
            option, text = f"--{item.name.replace('_', '-')}", str(value)
            words += [f"{option}={text}"] if text.startswith("-") else [option, text]
    return words


def with_answer(answers: Answers, more: Said) -> Answers:
    """Return the answers with one more."""
    given: dict[str, Any] = dict(more)
    given |= {key: {**getattr(answers, key), **given[key]} for key in MAPPINGS if key in given}
    return replace(answers, **given)


def is_settled(answers: Answers, choices: Sequence[Said]) -> bool:
    """Return whether the answers hold all that a question is about."""
    given_in: list[dict[str, Any]] = [dict(choice) for choice in choices]
    for key in {key for choice in given_in for key in choice}:
        given = getattr(answers, key)
        if key in MAPPINGS:
            needed = set(chain.from_iterable(choice[key] for choice in given_in if key in choice))
            if not needed & set(given):
                return False
        elif given in (None, ""):
            return False
    return True


def add_readings(question: NeedsAnswer, answers: Answers, revenue: Revenue) -> None:
    """Add to a question the answers to choose from, and what each makes of the revenue.

    Args:
        question: one with ``readings`` among its parameters has them already.
        answers: those given so far.
        revenue: net revenue of the file read with given answers; None where it can't be read so without more answers.
    """
    if "readings" in question.params or question.code not in READINGS:
        return
    choices = READINGS[question.code](question.params)
    if choices:
        question.params["readings"] = [_reading(choice, revenue(with_answer(answers, choice))) for choice in choices]


def question_of(
    warnings: Iterable[Message], answers: Answers, revenue: Revenue, *, is_small: bool = True
) -> NeedsAnswer | None:
    """Return the doubts among warnings whose readings differ by over :data:`MIN_DIFFERENCE` of the total, as one
    question.

    The first of them is the question itself; the others are in its ``also``, and what some of their answers make of
    the revenue together in its ``together``.

    Args:
        warnings: of a file that was read with ``answers``; one with ``revenues`` among its parameters has worked out
            what its readings come to.
        answers: those given.
        revenue: as in :func:`add_readings`.
        is_small: whether the file is read in no time, so that answers are tried together.
    """
    doubts = [doubt for warning in warnings if (doubt := _doubt(warning, answers, revenue)) is not None]
    doubts = list({str(doubt.params): doubt for doubt in doubts}.values())[:MAX_QUESTIONS]
    if not doubts:
        return None
    first, *rest = doubts
    if rest:
        first.params["also"] = [{"code": other.code, "params": other.params} for other in rest]
        if is_small:
            first.params["together"] = _together(doubts, answers, revenue)
    return first


def _doubt(warning: Message, answers: Answers, revenue: Revenue) -> NeedsAnswer | None:
    """Return a warning as a question with its readings, None where it is none, or settled, or makes no difference."""
    code = warning.code.removeprefix("warning.")
    choices = READINGS[code](warning.params) if code in READINGS else []
    if not choices or is_settled(answers, choices) or _is_seen(code, warning.params, answers):
        return None
    if code == "returns_mostly" and AMOUNT in answers.mapping:  # who named the column has seen its signs
        return None
    sums = warning.params.get("revenues") or [revenue(with_answer(answers, choice)) for choice in choices]
    amounts = [value for value in sums if value is not None]
    if len(amounts) < 2 and len(choices) > 1 or not _matters(amounts):
        return None
    readings = [_reading(choice, value) for choice, value in zip(choices, sums, strict=True)]
    return NeedsAnswer(code, **settled(warning).params, readings=readings)


def _is_seen(code: str, params: Params, answers: Answers) -> bool:
    """Return whether the person has given one of the words of a column a meaning, and so has seen the others.

    There may be several columns of states, and one of events.
    """
    meanings = getattr(answers, SEEN[code]) if code in SEEN else {}
    return bool(set(map(fold, meanings)) & set(map(fold, params["seen"]))) if "seen" in params else bool(meanings)


def _together(doubts: Sequence[NeedsAnswer], answers: Answers, revenue: Revenue) -> list[JsonObject]:
    """Return what answers to all of several questions make of the revenue: the likeliest, and that nothing changes."""
    most = max(2, int(MAX_COMBINATIONS ** (1 / len(doubts))))
    offered = []
    for doubt in doubts:
        readings = doubt.params["readings"]
        offered.append(readings if len(readings) <= most else [*readings[: most - 1], readings[-1]])
    results = []
    for combination in product(*offered):
        combined = answers
        for reading in combination:
            combined = with_answer(combined, reading["answers"])
        words = " ".join(reading["option"] for reading in combination)
        results.append({"option": words, "net_revenue": revenue(combined)})
    return results


WORKED_OUT: Final = ("revenues", "choices", "seen")


def settled(warning: Message) -> Message:
    """Return a warning without what was worked out to see whether it is a question."""
    return Message(warning.code, {name: value for name, value in warning.params.items() if name not in WORKED_OUT})


def _matters(sums: Sequence[float]) -> bool:
    return len(sums) == 1 or max(sums) - min(sums) > MIN_DIFFERENCE * max(map(abs, sums), default=0.0)


def _reading(choice: Said, revenue: float | None) -> dict[str, Any]:
    return {"option": option(choice), "answers": dict(choice), "net_revenue": revenue}
