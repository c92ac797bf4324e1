"""Where an order stands, in the words of shops: which of them say that nobody paid, or that all was paid back.

Shop systems export every order, also those that were cancelled, failed, never paid, or refunded in full. They are no
purchases: counted as such they would be value that never came.
"""

from __future__ import annotations

import re
from typing import Final

import duckdb

from clv_core.collection.aliases import MISSING, fold, folded
from clv_core.collection.engine import name, text
from clv_core.collection.source import Source
from clv_core.errors import Message

CANCELLED: Final = "cancelled"
REFUNDED: Final = "refunded"
SOLD: Final = "sold"
MOST: Final = 20
"""States that are not known are named up to this many."""

STATES: Final[dict[str, str]] = {
    CANCELLED: """cancel cancelled canceled cancelling order_cancelled void voided failed failure declined rejected
        expired pending pending_payment payment_pending awaiting_payment waiting_for_payment payment_failed unpaid
        not_paid on_hold draft checkout_draft abandoned trash deleted incomplete incomplete_expired unavailable
        requires_payment_method requires_action blocked error unsuccessful denied reversed canceled_reversal removed
        storniert stornierung abgebrochen abgelehnt fehlgeschlagen unbezahlt nicht_bezahlt offen_unbezahlt
        zahlung_ausstehend ausstehend wartet_auf_zahlung annulé annulée annule annulee échouée en_attente
        en_attente_de_paiement non_payé impayé cancelado cancelada anulado pendiente pendiente_de_pago fallido
        rechazado annullato annullata in_attesa in_attesa_di_pagamento fallito
        已删除 删除
        交易关闭 关闭 已关闭 已取消 取消 订单取消 交易取消 待付款 等待付款 等待买家付款 未付款 未支付 待支付 支付失败
        付款失败 交易失败 失败 无效 已作废 作废 交易關閉 已取消 待付款 未付款 取消訂單""",
    REFUNDED: """refunded fully_refunded refund returned retoure erstattet zurückerstattet
        retourniert zurückgesendet rückerstattet remboursé remboursée retourné retournée reembolsado devuelto
        rimborsato reso fully_returned charged_back chargeback shipped_returned_to_seller
        shipped_returning_to_seller shipped_rejected_by_buyer 已退款 退款成功 全额退款 退款 已退货 退货 全部退款
        退款完成 已退貨""",
    SOLD: """paid authorized authorised partially_paid partially_refunded partial_refund part_refunded complete
        completed processing processed shipped shipped_delivered_to_buyer shipped_picked_up shipped_out_for_delivery
        partially_shipped delivered fulfilled success succeeded successful captured settled approved invoiced
        created confirmed accepted placed open closed finished received dispatched bezahlt abgeschlossen versendet
        versandt verschickt geliefert zugestellt in_bearbeitung teilweise_erstattet payé payée expédié expédiée
        livré livrée terminé terminée pagado enviado entregado completado pagato spedito consegnato completato
        in_transit out_for_delivery picked_up ready ready_for_pickup active 交易成功 成功 已完成 完成 已付款 已支付
        支付成功 付款成功 已发货 待发货 等待卖家发货 买家已付款 卖家已发货 等待买家确认收货 等待确认收货 等待收货
        等待发货 等待出库 待收货 已收货 已签收 待评价 部分退款 出库 已出库 配送中 運送中 已出貨 交易完成""",
}

STATE_NAMES: Final = {fold(word): state for state, words in STATES.items() for word in words.split()}
"""Folded name of a state -> what it says; names that are not here are taken for sales."""


REMARK: Final = r"^\s*[(（\[【][^)）\]】]*[)）\]】]\s*"
"""What some systems write before a state in brackets: (删除)等待付款."""


def tells(values: list[str]) -> bool:
    """Say whether most of a column's values are states of orders."""
    known = sum(fold(re.sub(REMARK, "", value) or value) in STATE_NAMES for value in values)
    return bool(values) and known > 0.5 * len(values)


def no_sale(column: str) -> str:
    """Return SQL for ``cancelled`` or ``refunded`` where the state in ``column`` says so, else NULL."""
    pairs = ", ".join(f"{text(key)}: {text(state)}" for key, state in STATE_NAMES.items() if state != SOLD)
    return f"MAP {{{pairs}}}[{_bare(column)}]"


def strange(connection: duckdb.DuckDBPyConnection, source: Source, column: str) -> tuple[Message, ...]:
    """Return a warning that names the states in a column that nobody knows, and that are taken for sales."""
    state = f"trim({name(column)})"
    rows = connection.execute(
        f"SELECT {state}, count(*) FROM {source.relation()} WHERE {state} <> '' AND lower({state}) NOT IN"
        f" ({', '.join(map(text, MISSING))}) AND {_bare(state)} NOT IN ({', '.join(map(text, STATE_NAMES))})"
        f" GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT {MOST}"
    ).fetchall()
    if not rows:
        return ()
    states = ", ".join(f"{word[:40]} ({count:,})" for word, count in rows)
    return (Message("warning.unknown_states", {"column": column, "states": states}),)


def _bare(column: str) -> str:
    """Return SQL for a state folded, without a remark before it."""
    return folded(f"coalesce(nullif(regexp_replace({column}, {text(REMARK)}, ''), ''), {column})")
