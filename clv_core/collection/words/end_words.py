"""Columns of times that say by being filled that an order is none, or by being blank that nobody paid it."""

from __future__ import annotations

from typing import Final

from clv_core.collection.words.aliases import fold
from clv_core.collection.words.flag_words import CANCELLED, REFUNDED

DELETED: Final = "deleted_at deleted_on deleted_time deleted_date delete_time date_deleted 删除时间"
"""The row is none of the shop's any more, whatever its state was."""
ENDS: Final[dict[str, str]] = {
    CANCELLED: f"""{DELETED} cancelled_at canceled_at cancelled_on canceled_on cancelled_time canceled_time
        cancelled_date canceled_date date_cancelled date_canceled cancel_time cancel_date cancel_at
        cancellation_date cancellation_time cancelled_timestamp voided_at voided_on voided_date void_date
        failed_at rejected_at declined_on void_time declined_at storniert_am annulé_le cancelado_en annullato_il
        取消时间 订单取消时间
        作废时间 取消日時 キャンセル日時 취소일시""",
    REFUNDED: """refunded_at refunded_on refunded_time refunded_date refund_date refund_time date_refunded
        returned_at
        return_date return_time date_returned retoure_am rückgabedatum 退货时间 退货日期
        returned_on fully_refunded_at charged_back_at erstattet_am remboursé_le reembolsado_en 退款时间 退款完成时间""",
}
"""Names of the former, by what they say of an order."""
END_NAMES: Final = {fold(word): state for state, words in ENDS.items() for word in words.split()}
DELETED_NAMES: Final = frozenset(fold(word) for word in DELETED.split())
PAID_TIMES: Final = frozenset(
    fold(word)
    for word in """paid_at paid_on paid_time date_completed completed_at completed_on completed_date
        completion_date paid_date date_paid order_paid_at payment_date payment_time payment_at
    pay_time pay_date bezahlt_am payé_le pagado_en fecha_de_pago data_de_pagamento data_pagamento date_de_paiement
    付款时间 支付时间 订单付款时间 订单支付时间 入金日 결제일 결제일시 дата_оплаты""".split()
)
"""Names of the latter."""
