"""What ledgers, banks and payment services call the two columns of one amount: what came in, and what went out."""

from __future__ import annotations

from typing import Final

BOOKED: Final = (
    ("debit", "credit"),
    ("debits", "credits"),
    ("soll", "haben"),
    ("débit", "crédit"),
    ("debe", "haber"),
    ("débito", "crédito"),
    ("debito", "credito"),
    ("dare", "avere"),
    ("debet", "credit"),
    ("дебет", "кредит"),
    ("borç", "alacak"),
    ("借方", "贷方"),
    ("借方", "貸方"),
    ("차변", "대변"),
)
"""Words for the two sides of an account. A bank books a sale as a credit, a customer's account as a debit."""
PAID: Final = (
    ("money out", "money in"),
    ("paid out", "paid in"),
    ("withdrawals", "deposits"),
    ("withdrawal", "deposit"),
    ("withdrawn", "paid in"),
    ("ausgaben", "einnahmen"),
    ("ausgang", "eingang"),
    ("支出", "收入"),
    ("支出", "収入"),
    ("出金", "入金"),
    ("출금", "입금"),
    ("расход", "приход"),
)
"""Words for what the shop paid and what it was paid."""
OF_SERVICES: Final = ("(gc)", "(nc)")
"""What the names of a payment service's columns end with, whose credits are the shop's."""
