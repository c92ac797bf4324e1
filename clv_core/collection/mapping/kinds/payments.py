"""A column of kinds of transactions may say how people paid (JSAPI, NATIVE, card) rather than what they did."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from clv_core.collection.vocabulary.column_names import EVENT_NAMES, MISSING, fold
from clv_core.columns import AMOUNT, EVENT_TYPE, ORDER_STATUS
from clv_core.errors import Message

NAMES: Final = frozenset(map(fold, ("transaction_type", "交易类型", "交易類型")))
"""Names that either kind of column has."""

MEANS: Final = frozenset(
    map(
        fold,
        """cash card gift_card giftcard credit_card debit_card visa mastercard amex american_express discover paypal
        apple_pay google_pay check cheque voucher house_account bank_transfer wire store_credit bar kreditkarte
        carte espèces efectivo tarjeta contanti 现金 银行卡 信用卡 刷卡 现金支付 現金 カード 현금 카드""".split(),
    )
)
"""Words for what people pay with."""
BESIDE_MEANS: Final = frozenset(map(fold, ("credit", "debit", "other", "others", "none")))
"""What stands beside these, and means something else by itself."""


def are_means(values: Iterable[str]) -> bool:
    """Say whether a column's words are what people pay with: "credit" beside "cash" is a card, and no credit note.

    Args:
        values: what stands in the column.
    """
    words = set(map(fold, values))
    return bool(words & MEANS) and words <= MEANS | BESIDE_MEANS


def settle_kind(
    rows: Sequence[Mapping[str, Any]], chosen: Mapping[str, str], mapping: Mapping[str, str]
) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Return ``chosen`` without a column of events none of whose words is one, where a state says what became of each.

    Args:
        rows: the first rows as text.
        chosen: canonical name -> source column.
        mapping: what the person said of columns; an event type that was said stays.
    """
    found, column = dict(chosen), chosen.get(EVENT_TYPE, "")
    if EVENT_TYPE in mapping or fold(column) not in NAMES or not {AMOUNT, ORDER_STATUS} <= set(chosen):
        return found, ()
    words = dict.fromkeys(str(row[column]).strip() for row in rows if row[column] is not None)
    told = [word for word in words if word.lower() not in MISSING]
    if not told or (any(fold(word) in EVENT_NAMES for word in told) and not are_means(told)):
        return found, ()
    del found[EVENT_TYPE]
    params = {"column": column, "words": list(told[:8]), "status": chosen[ORDER_STATUS]}
    return found, (Message("warning.kinds_of_payment", params),)
