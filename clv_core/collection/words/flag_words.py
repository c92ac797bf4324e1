"""Columns whose name gives their words a meaning: voided or paid, yes or no; a deal's stage; what moved money."""

from __future__ import annotations

import re
from typing import Final

from clv_core.collection.words.aliases import fold

CANCELLED: Final = "cancelled"
REFUNDED: Final = "refunded"
SOLD: Final = "sold"

FLAGS: Final[dict[str, str]] = {
    CANCELLED: """voided is_voided void cancelled canceled is_cancelled is_canceled is_cancel order_cancelled
        order_canceled is_deleted is_draft is_test test test_order is_test_order test_mode testmode sandbox is_sandbox
        demo is_demo internal is_internal fraud is_fraud 测试订单 是否测试 是否取消 是否作废 是否删除""",
    REFUNDED: """refunded is_refunded fully_refunded returned is_returned is_return is_refund is_credit_note return_flag
        refund_flag returned_flag refunded_flag 是否退款 是否退货""",
}
"""Names of columns that say by yes or no whether an order is none."""
FLAG_NAMES: Final = {fold(word): state for state, words in FLAGS.items() for word in words.split()}
RARE: Final = (
    "is_test test test_order is_test_order test_mode testmode sandbox is_sandbox demo is_demo internal is_internal"
)
RARE_NAMES: Final = frozenset(map(fold, RARE.split()))
RARELY: Final = 0.2
"""Share of rows of which these say yes at most: with more of them, they tell of an experiment's groups."""
PAID: Final = """paid is_paid order_paid fully_paid captured is_captured authorized_flag is_authorized is_authorised
    payment_captured payment_received is_success
    is_successful successful is_won won livemode live_mode is_live is_completed order_completed 是否付款 是否支付
    是否已付款 是否已支付 是否成交"""
"""Names of columns that say by yes or no whether it is one: nobody paid where they say no."""
PAID_NAMES: Final = frozenset(fold(word) for word in PAID.split())
PAID_WORDS: Final = frozenset(
    fold(word)
    for word in "paid bezahlt payé payée pagado pagada pagato pagata pago paga betaald opłacone 已付款 已支付".split()
)
"""What is said of what was paid; "open" beside it is said of what was not."""
YES: Final = ("true", "yes", "y", "t", "1", "是", "ja", "oui", "sí", "si", "sim")
NO: Final = ("false", "no", "n", "f", "0", "否", "nein", "non", "não")

MOVED: Final = """balance_impact auswirkung_auf_guthaben impact_sur_le_solde impacto_en_el_saldo impatto_sul_saldo
    saldo_impact"""
"""What a payment service calls the column that says whether a row moved any money: the authorisation of a payment that
is captured in a row of its own did not."""
MOVED_NAMES: Final = frozenset(fold(word) for word in MOVED.split())
MOVED_WORDS: Final = {
    **dict.fromkeys(map(fold, "memo mémo nota anotación".split()), CANCELLED),
    **dict.fromkeys(map(fold, "credit debit haben soll crédit débit crédito débito abono cargo".split()), SOLD),
    **dict.fromkeys(map(fold, "credito addebito accredito debito bij af".split()), SOLD),
}

STAGES: Final = """stage stage_name deal_stage opportunity_stage sales_stage pipeline_stage opportunity_status
    deal_status vertriebsphase стадия стадия_сделки этап этап_сделки 商机阶段 销售阶段"""
"""What a CRM calls the column that says how far a deal has come: only those that were won are sales."""
STAGE_NAMES: Final = frozenset(fold(word) for word in STAGES.split())
WON: Final = re.compile(
    r"(?i)^(?:\d+\W*)?(?:closed?\W*)?(?:won|gewonnen|gagnée?|ganad[oa]|vint[oa]|ganh[oa]"
    r"|сделка успешна|успешно реализован[ао]?|赢单|已成交)\b(?!\W*back)"
)
HELD: Final = re.compile(
    r"(?i)\b(?:pre-?)?authori[sz]ation\b|\bauth[_ -]?only\b|\b(?:account|payment|card) hold\b|\bhold on\b"
    r"|\bautorisierung\b|\bautorización\b|\bautorizzazione\b|\bautorisation\b|预授权|預授權"
)
"""What the kind of a payment says that is only promised: its capture is a row of its own."""
