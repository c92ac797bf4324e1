"""Which column is one of states of orders, by its name and its words, and which of them no reading uses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from clv_core.collection.infer.log_table import LogTable
from clv_core.collection.infer.states.words import OF_PAYMENT, are_codes, are_words, meaning_of
from clv_core.collection.vocabulary.column_names import LIKELY_NAMES, MISSING, SURE_NAMES, fold
from clv_core.collection.vocabulary.order_statuses import REFUNDED, ROW_TYPE_COLUMNS, SOLD
from clv_core.columns import EVENT_TYPE, ORDER_STATUS, REFUND, REFUND_STATUS
from clv_core.errors import Message

FEW_WORDS: Final = 8
SAID_OFF: Final = frozenset(
    map(
        fold,
        ("refunded", "cancelled", "canceled", "voided", "void", "failed", "declined", "已退款", "已取消", "已作废"),
    )
)
"""Words that say of an order that it is none, whatever the name of their column is."""
TRIED: Final = frozenset(("test", "sandbox"))
"""Words beside "live" or "production" of orders that somebody only tried; of groups of an experiment beside others."""
OF_STATES: Final = re.compile(
    r"status|state(?!ment)|statut|estado|stato|状态|狀態|状況|ステータス|상태|статус|สถานะ|trạngthái|durum"
)
OF_OTHERS: Final = re.compile(
    r"customer|client|user|account|member|subscri|email|mail|contact|stock|product|item|review|ship|deliver|fulfil"
    r"|consent|newsletter|marketing|survey|insurance|warranty|address|label|payout|invoice"
    r"|客户|会员|用户|账号|库存|商品|物流|配送|発送|배송|회원"
)
"""What the name of a column holds whose states are not those of orders."""
CODED: Final = re.compile(r"(id|code|no|number)$")
"""What the name of a column ends with that holds the numbers of states."""
OF_REFUNDS: Final = re.compile(r"refund|adjusted(?:order)?total|退款|售后|返金|환불|возврат|reembols|rembours|erstatt")
SOMETHING: Final = r"[1-9]|\d.*[1-9]|[^\W\d]{2}"
"""Neither blank nor zero."""


def settle_states(log: LogTable, chosen: Mapping[str, str]) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Return ``chosen`` with the column whose words the person spoke of, or say that one of states is not used.

    Args:
        log: the file.
        chosen: canonical name -> source column.
    """
    found = dict(chosen)
    if ORDER_STATUS in chosen or ORDER_STATUS in log.answers.mapping or not log.rows:
        return found, ()
    spoken = {fold(word) for word in log.answers.states}
    for column in log.rows[0]:
        words = list(dict.fromkeys(str(row[column]).strip() for row in log.rows if row[column] is not None))
        words = [word for word in words if word.lower() not in MISSING]
        if column in chosen.values() or not _named_so(column, words) or not (are_words(words) or are_codes(words)):
            continue
        if spoken & {fold(word) for word in words}:
            return found | {ORDER_STATUS: column}, ()
        first = next((word for word in words if meaning_of(word) not in (None, SOLD)), words[0])
        params = {"column": column, "states": list(words[:8]), "first": first}
        return found, (Message("warning.status_unused", params),)
    return found, ()


def refunds_unused(log: LogTable, chosen: Mapping[str, str]) -> tuple[Message, ...]:
    """Return a warning that names columns which seem to tell of refunds where none of them is used.

    Args:
        log: the file.
        chosen: canonical name -> source column.
    """
    if {REFUND, REFUND_STATUS} & {*chosen, *log.answers.mapping} or EVENT_TYPE in chosen or not log.rows:
        return ()
    found = [column for column in log.rows[0] if OF_REFUNDS.search(fold(column)) and column not in chosen.values()]
    told = [column for column in found if any(re.search(SOMETHING, str(row[column] or "")) for row in log.rows)]
    return (Message("warning.refund_columns_unused", {"columns": list(told[:8]), "first": told[0]}),) if told else ()


def named_of_states(column: str) -> bool:
    """Say whether a column is called one of states, and not of those of something else than orders."""
    key = fold(column)
    return bool(OF_STATES.search(key) and not OF_OTHERS.search(key))


def _named_so(column: str, words: list[str]) -> bool:
    """Say whether a column is called one of states; where it only may be one, a word must be of no sale."""
    key = fold(column)
    if (
        SURE_NAMES.get(key) == ORDER_STATUS
        or (SURE_NAMES.get(CODED.sub("", key)) == ORDER_STATUS and are_codes(words))
        or key in ROW_TYPE_COLUMNS
        or (LIKELY_NAMES.get(key) == ORDER_STATUS and are_codes(words))
    ):
        return True
    if LIKELY_NAMES.get(key) != ORDER_STATUS and not named_of_states(column):
        if len(words) > FEW_WORDS or OF_OTHERS.search(key):
            return False
        meanings = [meaning_of(word) for word in words]
        folded = set(map(fold, words))
        return all(meanings) and (REFUNDED in meanings or bool(folded & TRIED)) or bool(SAID_OFF & folded)
    of_payment = bool(OF_PAYMENT.search(column))
    return any(meaning_of(word, of_payment=of_payment) not in (None, SOLD) for word in words)
