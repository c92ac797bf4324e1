"""Where an order stands, as a column says it: which orders nobody paid, and which were paid back in full.

Shop systems export every order, also those that were cancelled, failed, never paid, or refunded in full. They are no
purchases: counted as such they would be value that never came.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import duckdb

from clv_core.collection.engine import text
from clv_core.collection.files.source import Source
from clv_core.collection.mapping.column_words import are_codes, are_words, of_name
from clv_core.collection.words.aliases import LIKELY_NAMES, MISSING, SURE_NAMES, fold
from clv_core.collection.words.flag_words import PAID_WORDS, STAGE_NAMES, WON
from clv_core.collection.words.state_words import (
    AFTER_SALE_NAMES,
    KIND_NAMES,
    PARTLY,
    PHRASES,
    SOLD,
    STATE_NAMES,
    UNPAID_NAMES,
)
from clv_core.collection.words.state_words import CANCELLED as CANCELLED
from clv_core.collection.words.state_words import REFUNDED as REFUNDED
from clv_core.columns import EVENT_TYPE, ORDER_STATUS, REFUND, REFUND_STATUS
from clv_core.errors import Message

MOST: Final = 20
"""States that are not known are named up to this many."""
MOST_READ: Final = 1_000
"""The most frequent states are read; a column with more is hardly one of states."""
FEW_WORDS: Final = 8
SAID_OFF: Final = frozenset(
    map(
        fold,
        ("refunded", "cancelled", "canceled", "voided", "void", "failed", "declined", "已退款", "已取消", "已作废"),
    )
)
"""Words that say of an order that it is none, whatever the name of their column is."""
REMARK: Final = re.compile(r"^\s*(?:[(（\[【][^)）\]】]*[)）\]】]\s*|wc-)")
"""What some systems write before a state: in brackets, (删除)等待付款, or whose it is, wc-cancelled."""
DELETED: Final = re.compile(r"^\s*[(（\[【](?:删除|取消|已删除|已取消)")
UNFINISHED: Final = re.compile(r"等待|待")
"""An order that was deleted before it was sent was called off; a finished one was only taken off a list."""
OF_PAYMENT: Final = re.compile(
    r"pay|paid|charge|financial|zahl|paiement|pago|pagamento|betal|płatno|ödeme|оплат|支付|付款|入金|支払|決済|결제|ชำระ"
    r"|thanh toán|pembayaran",
    re.IGNORECASE,
)
"""What the name of a column of payments' states holds."""
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


@dataclass(frozen=True)
class OrderState:
    """One word of a column of states.

    Args:
        column: the source column.
        word: as it stands in the file.
        rows: how many rows carry it.
        meaning: ``sold``, ``cancelled`` or ``refunded``: what it is taken for.
        known: whether the person said so or it is a usual word; others are taken for sales.
        usual: what it says by itself; empty where it is not known.
    """

    column: str
    word: str
    rows: int
    meaning: str
    known: bool
    usual: str


def meaning_of(word: str, *, after_sale: bool = False, of_payment: bool = False) -> str | None:
    """Return what a word says of an order, None where it is not known.

    Args:
        word: as it stands in a file.
        after_sale: whether it is one of a column about refunds, where "closed" is said of the request.
        of_payment: whether it is one of a column about payments, where "open" means that nobody paid.
    """
    bare = REMARK.sub("", word) or word
    if DELETED.match(word) and UNFINISHED.match(bare):
        return None if after_sale else CANCELLED
    key = fold(bare)
    if of_payment and key in UNPAID_NAMES:
        return CANCELLED
    if after_sale and key in AFTER_SALE_NAMES:
        return AFTER_SALE_NAMES[key]
    if key in STATE_NAMES:
        found = STATE_NAMES[key]
        return found if found == REFUNDED or not after_sale else None
    if PARTLY.search(bare):
        return None
    said = next((state for state, pattern in PHRASES if re.search(pattern, bare.casefold().replace("_", " "))), None)
    return said if said == REFUNDED or not after_sale else None


def tells(values: list[str], *, surely: bool = False) -> bool:
    """Say whether a column's values are states of orders.

    Args:
        values: a sample.
        surely: whether its name says so: then one known state among few words is enough, else it takes most of them.
    """
    known = sum(meaning_of(value) is not None for value in values)
    return known > 0.5 * len(values) or (surely and known > 0 and are_words(values))


def settle(
    rows: list[dict[str, Any]], chosen: Mapping[str, str], mapping: Mapping[str, str], said: Iterable[str]
) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Return ``chosen`` with the column whose words the person spoke of, or say that one of states is not used.

    Args:
        rows: the first rows as text.
        chosen: canonical name -> source column.
        mapping: what the person said of columns; a status that was said not to be one stays so.
        said: the words whose meaning the person said.
    """
    found = dict(chosen)
    if ORDER_STATUS in chosen or ORDER_STATUS in mapping or not rows:
        return found, ()
    spoken = {fold(word) for word in said}
    for column in rows[0]:
        words = list(dict.fromkeys(str(row[column]).strip() for row in rows if row[column] is not None))
        words = [word for word in words if word.lower() not in MISSING]
        if column in chosen.values() or not _named_so(column, words) or not (are_words(words) or are_codes(words)):
            continue
        if spoken & {fold(word) for word in words}:
            return found | {ORDER_STATUS: column}, ()
        first = next((word for word in words if meaning_of(word) not in (None, SOLD)), words[0])
        params = {"column": column, "states": list(words[:8]), "first": first}
        return found, (Message("warning.status_unused", params),)
    return found, ()


def refunds_unused(
    rows: list[dict[str, Any]], chosen: Mapping[str, str], mapping: Mapping[str, str]
) -> tuple[Message, ...]:
    """Return a warning that names columns which seem to tell of refunds where none of them is used.

    Args:
        rows: the first rows as text.
        chosen: canonical name -> source column.
        mapping: what the person said of columns.
    """
    if {REFUND, REFUND_STATUS} & {*chosen, *mapping} or EVENT_TYPE in chosen or not rows:
        return ()
    found = [column for column in rows[0] if OF_REFUNDS.search(fold(column)) and column not in chosen.values()]
    told = [column for column in found if any(re.search(SOMETHING, str(row[column] or "")) for row in rows)]
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
        or key in KIND_NAMES
        or (LIKELY_NAMES.get(key) == ORDER_STATUS and are_codes(words))
    ):
        return True
    if LIKELY_NAMES.get(key) != ORDER_STATUS and not named_of_states(column):
        if len(words) > FEW_WORDS or OF_OTHERS.search(key):
            return False
        meanings = [meaning_of(word) for word in words]
        return all(meanings) and REFUNDED in meanings or bool(SAID_OFF & set(map(fold, words)))
    of_payment = bool(OF_PAYMENT.search(column))
    return any(meaning_of(word, of_payment=of_payment) not in (None, SOLD) for word in words)


def read_states(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    chosen: Mapping[str, str],
    texts: Mapping[str, str],
    said: Mapping[str, str],
) -> tuple[OrderState, ...]:
    """Return the words of a file's columns of states and what each is taken for, the most frequent first.

    Args:
        connection: the engine.
        source: the file.
        chosen: canonical name -> source column.
        texts: canonical name -> SQL for its text.
        said: word -> meaning, as the person said; spelling aside, it outranks the usual one.
    """
    found: list[OrderState] = []
    for canonical in (ORDER_STATUS, REFUND_STATUS):
        if canonical in chosen:
            after = canonical == REFUND_STATUS
            found += words_of(connection, source, chosen[canonical], texts[canonical], said, after_sale=after)
    return tuple(found)


def words_of(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    column: str,
    words: str,
    said: Mapping[str, str],
    *,
    after_sale: bool = False,
) -> tuple[OrderState, ...]:
    """Return the words of one column of states and what each is taken for, the most frequent first.

    Args:
        connection: the engine.
        source: the file.
        column: the source column.
        words: SQL for its text.
        said: word -> meaning, as the person said; spelling aside, it outranks the usual one.
        after_sale: whether it speaks of refunds.
    """
    spoken = {fold(word) or word: meaning for word, meaning in said.items()}
    of_payment = bool(OF_PAYMENT.search(column))
    rows = connection.execute(
        f"SELECT {words} AS word, count(*) FROM {source.relation()} GROUP BY 1 HAVING word IS NOT NULL"
        f" ORDER BY count(*) DESC, word LIMIT {MOST_READ}"
    ).fetchall()
    found: list[OrderState] = []
    won = fold(column) in STAGE_NAMES and any(WON.search(str(word)) for word, _ in rows)
    of_payment = of_payment or any(fold(word) in PAID_WORDS for word, _ in rows)
    for word, count in rows:
        if word.lower() in MISSING:
            continue
        usual = of_name(column, word, won=won) or meaning_of(word, after_sale=after_sale, of_payment=of_payment)
        mine = spoken.get(fold(word) or word)
        found.append(OrderState(column, word, int(count), mine or usual or SOLD, bool(mine or usual), usual or ""))
    return tuple(found)


def no_sales(states: Iterable[OrderState], column: str) -> dict[str, str]:
    """Return word -> ``cancelled`` or ``refunded`` for the words of a column that say so."""
    return {item.word: item.meaning for item in states if item.column == column and item.meaning != SOLD}


def no_sale(column: str, words: Mapping[str, str]) -> str:
    """Return SQL for what ``words`` say of the state in ``column``: ``cancelled``, ``refunded``, or NULL."""
    if not words:
        return "NULL::VARCHAR"
    pairs = ", ".join(f"{text(word)}: {text(state)}" for word, state in words.items())
    return f"MAP {{{pairs}}}[{column}]"


def strange(states: Iterable[OrderState]) -> tuple[Message, ...]:
    """Return a warning a column that names the states that nobody knows, and that are taken for sales."""
    unknown: dict[str, list[OrderState]] = {}
    for item in states:
        if not item.known:
            unknown.setdefault(item.column, []).append(item)
    return tuple(
        Message(
            "warning.unknown_states",
            {
                "column": column,
                "states": [f"{item.word[:40]} ({item.rows:,})" for item in items[:MOST]],
                "first": items[0].word[:40],
            },
        )
        for column, items in unknown.items()
    )
