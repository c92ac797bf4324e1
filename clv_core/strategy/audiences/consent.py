"""Who agreed to be contacted, by the words that shops, platforms and people write; any other word is no."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

import pandas as pd

from clv_core.collection.vocabulary import CONSENT, consent_like_columns
from clv_core.columns import CUSTOMER_ID
from clv_core.errors import NeedsAnswer
from clv_core.strategy.audiences.contacts import canonical_contacts

YES: Final = frozenset(
    (
        "1, 1.0, true, t, yes, y, on, x, ok, granted, given, subscribed, subscriber, opted in, opt in, optin, accepts, "
        "accepted, accept, accepts marketing, agreed, agree, agrees, confirmed, consented, ja, oui, si, sí, sim, √, ✓, "
        "✔, 是, 是的, 同意, 已同意, 我同意, 同意接收, 同意营销, 愿意, 接受, 已接受, 订阅, 已订阅, 授权, 已授权, "
        "訂閱, 已訂閱, tak, evet, да, はい, 同意する, 希望する, 購読, 購読中, 許可, 예, 네, 동의, 동의함, 수신, "
        "수신동의, ya, zugestimmt, eingewilligt, erteilt, abonniert, accepté, inscrit, aceptado, aceito, "
        "accettato, iscritto, sì"
    ).split(", ")
)
NO: Final = frozenset(
    (
        ", 0, 0.0, false, f, no, n, off, none, null, nan, na, n/a, -, ×, ✗, ✘, denied, declined, refused, withdrawn, "
        "revoked, unsubscribed, not subscribed, never subscribed, opted out, opt out, optout, suppressed, bounced, "
        "cleaned, pending, unconfirmed, unknown, not set, nein, non, não, 否, 不, 不是, 不同意, 未同意, 不愿意, "
        "不接受, 拒绝, 未订阅, 已退订, 退订, 取消订阅, 未授权, 未訂閱, 已退訂, nie, nee, hayır, нет, いいえ, "
        "同意しない, 希望しない, 購読しない, 拒否, 아니오, 아니요, 미동의, 거부, 수신거부, tidak, abgelehnt, "
        "abgemeldet, widerrufen, refusé, désinscrit, rechazado, recusado, rifiutato, disiscritto"
    ).split(", ")
)
"""Words that mean no; they count as any other word that is not in :data:`YES`, but need no question."""

MAX_WORD: Final = 30
"""Characters of a word that is shown; what is longer is no answer to a question of yes or no."""


def has_consent(customers: pd.DataFrame, assume_consent: bool) -> pd.Series[bool]:
    """Return who agreed to be contacted, by the ``consent`` column; an empty or unknown word is no consent.

    Args:
        customers: of :func:`clv_core.strategy.audiences.contacts.canonical_contacts`.
        assume_consent: what holds where there is no such column at all.

    Raises:
        NeedsAnswer: there is no such column, and consent is not assumed.
    """
    if CONSENT not in customers:
        if not assume_consent:
            raise consent_question(consent_like_columns(map(str, customers.columns)))
        return pd.Series(True, index=customers.index)
    return _folded(customers[CONSENT]).isin(YES)


def stated_consent(customers: pd.DataFrame | None) -> pd.Series[bool] | None:
    """Return whether each customer agreed, by id; None without a column of consent."""
    rows = None if customers is None else canonical_contacts(customers)
    if rows is None or CONSENT not in rows:
        return None
    return has_consent(rows, assume_consent=False).set_axis(rows[CUSTOMER_ID])


def consent_question(columns: list[str]) -> NeedsAnswer:
    """Return the question who agreed: of the columns that may say so by their names, where there are any."""
    if columns:
        return NeedsAnswer("contacts_consent_unclear", columns=list(columns[:8]))
    return NeedsAnswer("contacts_no_consent")


def unclear_consent(customers: pd.DataFrame) -> dict[str, int]:
    """Return the words of the ``consent`` column that mean neither yes nor no, the most frequent first."""
    if CONSENT not in customers:
        return {}
    folded = _folded(customers[CONSENT])
    unclear = customers.loc[~folded.isin(YES | NO), CONSENT].astype("str").str.strip().str[:MAX_WORD]
    return {str(word): int(count) for word, count in unclear.value_counts().items()}


def _folded(words: pd.Series[Any]) -> pd.Series[Any]:
    """Return words in one form and case, with one blank for any mark between their parts."""
    texts = words.astype("str").fillna("")
    forms = {
        text: re.sub(r"(?<=\w)[\s_-]+(?=\w)", " ", unicodedata.normalize("NFKC", text).strip().lower())
        for text in set(texts)
    }
    return texts.map(forms)
