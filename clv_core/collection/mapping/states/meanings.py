"""What a word of a column of states says of an order: that nobody paid it, that it was paid back in full.

Shop systems export every order, also those that were cancelled, failed, never paid, or refunded in full. They are no
purchases: counted as such they would be value that never came.
"""

from __future__ import annotations

import re
from typing import Final

from clv_core.collection.mapping.states.words import are_words
from clv_core.collection.vocabulary.column_names import fold
from clv_core.collection.vocabulary.order_statuses import (
    CANCELLED,
    PARTLY,
    PHRASES,
    REFUND_STATUS_WORDS,
    REFUNDED,
    STATE_NAMES,
    UNPAID_WORDS,
)

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
    if of_payment and key in UNPAID_WORDS:
        return CANCELLED
    if after_sale and key in REFUND_STATUS_WORDS:
        return REFUND_STATUS_WORDS[key]
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
