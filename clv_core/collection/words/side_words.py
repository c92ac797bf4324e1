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
MARK_NAMES: Final = (
    r"debit.*credit|credit.*debit|\bdr\W?cr\b|\bcr\W?dr\b|\bd[/_ ]c\b|soll.*haben|\bs/h\b|借.*[贷貸]"
    r"|debe.*haber|dare.*avere|дебет.*кредит|дт.*кт|af.?bij|收.?支|收入.*支出|^(?:sign|direction|vorzeichen|signe|signo|sinal|符号|正负|方向)$|\bin.?/.?out\b"
)
"""What a column is called that says on which side of an account the amount beside it stands."""
BOOKED_MARKS: Final = (
    *(("debit", "credit"), ("dr", "cr"), ("d", "c"), ("s", "h"), ("soll", "haben"), ("d", "h"), ("d", "a")),
    *(("借", "贷"), ("借方", "贷方"), ("借", "貸"), ("借方", "貸方"), ("debe", "haber"), ("dare", "avere")),
    *(("дебет", "кредит"), ("дт", "кт")),
)
PAID_MARKS: Final = (("af", "bij"), ("支出", "收入"), ("支", "收"), ("out", "in"), ("-", "+"), ("-1", "1"))
"""Words of such a column; those of the latter say what came in."""
