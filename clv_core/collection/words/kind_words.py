"""What tills and ledgers call the kind of a row: a sale, a void, or a return, which is a row of its own.

In a column of states, "refunded" is said of the order that was sold. In a column of kinds it is said of what came back:
its amount, positive as it often stands there, is taken off.
"""

from __future__ import annotations

import re
from typing import Final

from clv_core.columns import PURCHASE, RETURN

KIND_COLUMNS: Final = """取引区分 伝票区分 売上区分 取引種別 伝票種別 单据类型 单据类别 业务类型 销售类型
    單據類型 單據類別 業務類型 銷售類型 document_type doc_type billing_type fakturaart voucher_type
    is_return is_refund is_credit_note receipt_type move_type belegart
    belegtyp tipo_documento tipo_de_documento tipo_comprobante tipo_de_comprobante type_document
    fkart auart blart vbtyp tran_type type_de_document type_pièce type_de_pièce тип_документа вид_документа"""
"""Names of columns of kinds."""

BILLS: Final = """invoice invoices sales_invoice customer_invoice tax_invoice sales_receipt cash_sale rechnung
    ausgangsrechnung facture factura fattura fatura out_invoice out_receipt"""
"""What ledgers call the document of a sale."""
CREDITS: Final = """credit_memo credit_note sales_credit_note customer_credit_note refund_receipt sales_return
    cash_refund out_refund gutschrift rechnungskorrektur stornorechnung avoir nota_de_crédito nota_de_credito
    nota_di_credito"""
"""What they call the one that takes a sale back."""
KIND_STATES: Final[dict[str, str]] = {
    "cancelled": "in_invoice in_refund in_receipt vendor_bill purchase_invoice purchase_order",
    "sold": f"""{BILLS} 销售单 销售出库 销售出库单 销售 零售 零售单 销售订单 銷售單 銷售 receipt kassenbon
        nota_fiscal boleta реализация продажа""",
    "refunded": f"""{CREDITS} 退货单 销售退货 销售退货单 退货入库 退款单 零售退货 退貨單 銷售退貨 赤伝 返品伝票
        sale_return return_receipt facture_d'avoir возврат_от_покупателя возврат_товара""",
}
"""Words of kinds, beside those that states have too: what each says, as that of a state is called."""

PAYMENTS: Final = """payment payments customer_payment payment_received receive_payment paid receipt zahlung
    zahlungseingang paiement règlement pago cobro pagamento incasso"""
"""What they call the money that comes in for a document."""
CODES: Final = (
    ("si", "sc", {"sr sa sd": ""}),
    ("f1 f2 l2", "g2 re", {"s2": PURCHASE, "s1": RETURN, "f5 f8": ""}),
    ("rv dr", "dg", {"dz da dp ab zp sa": ""}),
)
"""Codes of Sage's audit trail, of SAP's billing documents and of those of its customers' accounts: of bills, of credit
notes, and what others are taken for that may stand beside both: a cancelled bill is a credit note and a cancelled
credit note a bill, payments are neither. By themselves S1 and S2 are a shop's branches. A shop's own codes begin with
Z."""
RECEIPT, RECEIPT_LINES = "sale", "sale_line payment"
"""What a till calls the row of a whole receipt, and the rows of its parts and payments, which repeat its money."""
NEITHER: Final = """exchange exchanged exchanges void voided no_sale paid_out paid_in tausch umtausch échange cambio
    cambiado scambio troca обмен 换货 換貨 交換 교환"""
"""What may stand beside nouns of sales and returns, and is neither by itself."""
ROW_KINDS: Final = """sale sales purchase verkauf vente venta vendita venda продажа 销售 銷售 売上 판매 return returns
    refund refunds credit_note gutschrift retoure rückgabe erstattung retour remboursement devolución devolucion
    reembolso reso rimborso devolução devolucao estorno возврат 退货 退貨 退款 返品 返金 반품 환불"""
"""Nouns that say what kind of row one is, whatever its column is called: no order is in the state of "sale"."""

STORED_VALUE: Final = (
    r"\b(?:point|mile|topup|top up|recharge|reload|wallet|cashback|quote|quotation|estimate|proforma|punkte|aufladung"
    r"|guthaben|angebot|rechargement|devis|recarga|puntos|cotización|presupuesto|ricarica|punti|preventivo|orçamento"
    r"|пополнение|баллы)|充值|赠送|贈送|积分|積分|储值|报价|ポイント|チャージ|충전|적립|포인트"
)
"""What names a kind of row that is points, stored value or a quote."""
BEHAVIOUR: Final = (
    r"\b(?:bonus|reward|offer|delivery note|transfer|withdraw|payout|adjust|correction|balance|opening|wish|favou?rit"
    r"|remove|impression|search|login|log in|sign|register|subscribe|checkout|shipping info|redeem|add payment|session"
    r"|install|open|share|message|email|push|goal|invoice|credit|lieferschein|бонус|перевод|authori[sz]ation"
    r"|(?:order |package |item )?(?:shipped|delivered|dispatched|packed|placed|created|submitted))"
    r"|兑换|提现|转账|开卡|调整|收藏|搜索|登录|登錄|注册|分享|关注|提交订单|redeem"
)
"""What names one that is no purchase either: what people do, what becomes of an order, documents beside payments."""


def is_no_sale(kind: str) -> bool:
    """Say whether a word of kinds of rows is of no purchase, as far as is known: whatever amount it carries."""
    word = re.sub(r"[\W_]+", " ", kind.casefold()).strip()
    return (
        not word
        or is_stored_value(kind)
        or bool(re.search(BEHAVIOUR, word))
        or word.replace(" ", "_") in NEITHER.split()
    )


def is_stored_value(kind: str) -> bool:
    """Say whether a word of kinds of rows is of points, top-ups or quotes."""
    return bool(re.search(STORED_VALUE, re.sub(r"[\W_]+", " ", kind.casefold())))
