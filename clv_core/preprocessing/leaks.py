"""Attributes that know the future: refused by default, by their name or by what they explain.

``total_spent`` or ``last_order_date`` in a customers table is the classic leak: exported today, it holds what a model
at a past cutoff must not know. A dated attribute says when it was known, so that evidence
(:mod:`~clv_core.preprocessing.leak_evidence`) alone judges it where there is any.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clv_core.collection.store import Attribute, Dataset
from clv_core.errors import Message, Refused, UsageError
from clv_core.jobs import Progress
from clv_core.preprocessing.leak_evidence import (
    FEWEST_BUYERS,
    FEWEST_CUSTOMERS,
    SHORTEST_DAYS,
    Evidence,
    gather_evidence,
    spans,
)
from clv_core.records import JsonObject

SHARE: Final = 0.10
LOW: Final = 0.05
"""An attribute is a leak where it explains this share of the rest, and surely (99%) more than the lower one.

Measured on simulated logs: channel, age, country and even the true tendency to buy with its own size of noise stay
below; an exact total reaches 0.6 to 0.9, a total with 50% noise 0.2 to 0.3, a tier cut from it 0.1 to 0.4.
"""


@dataclass(frozen=True)
class Judgement:
    """What was found about the attributes of a customers table.

    Args:
        named: attributes whose name says that they count the whole log.
        measured: the strongest evidence of each attribute that explains what it should not know.
        notes: why evidence could not be gathered, if so.
        untested: dated attributes with such a name, where no evidence could be gathered.
    """

    named: tuple[str, ...]
    measured: tuple[Evidence, ...]
    notes: tuple[Message, ...] = ()
    untested: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All attributes that are refused by default."""
        return (*self.named, *self.untested, *(item.column for item in self.measured))

    def only(self, columns: Sequence[str]) -> Judgement:
        """Return the findings about ``columns``."""
        named, untested = (tuple(column for column in of if column in columns) for of in (self.named, self.untested))
        return Judgement(
            named, tuple(item for item in self.measured if item.column in columns), self.notes, untested=untested
        )

    def params(self) -> JsonObject:
        """Return the words' parameters: columns by name, and columns by evidence with their figures."""
        strongest = max(self.measured, key=lambda item: item.low, default=None)
        return {
            "named": list(self.named),
            "untested": list(self.untested),
            "measured": [f"{item.column} ({item.share:.0%})" for item in self.measured],
            "start": strongest.start.isoformat() if strongest else "",
            "end": strongest.end.isoformat() if strongest else "",
            "first": self.columns[0] if self.columns else "",
        }


def judge(dataset: Dataset, customers: Path, attributes: Sequence[Attribute], progress: Progress) -> Judgement:
    """Return which attributes are refused by default, and why.

    Args:
        dataset: the log.
        customers: the customers table, ids written as in the log.
        attributes: those that are on.
        progress: who listens.
    """
    suspicious = [attribute for attribute in attributes if says_leak(attribute.name)]
    named = [attribute.name for attribute in suspicious if attribute.dated_by is None]
    open_ones = [attribute for attribute in attributes if attribute.name not in named]
    found = gather_evidence(dataset, customers, open_ones, progress) if open_ones else []
    notes: tuple[Message, ...] = ()
    untested: tuple[str, ...] = ()
    if open_ones and not found:
        untested = tuple(attribute.name for attribute in suspicious if attribute.dated_by is not None)
        notes = (_unjudged(dataset),)
    strongest: dict[str, Evidence] = {}
    for item in found:
        if item.share >= SHARE and item.low >= LOW:
            before = strongest.get(item.column)
            strongest[item.column] = item if before is None or item.low > before.low else before
    return Judgement(tuple(named), tuple(strongest.values()), notes, untested)


def refuse_leaks(judgement: Judgement, attributes: Sequence[Attribute], accept: Sequence[str]) -> tuple[str, ...]:
    """Return the leaks that the person takes all the same; refuse the others.

    Args:
        judgement: of :func:`judge`.
        attributes: those that are on.
        accept: attributes that the person names.

    Raises:
        UsageError: ``accept`` names no attribute that is on.
        Refused: an attribute knows the future and is not named in ``accept``.
    """
    known = {attribute.name.lower(): attribute.name for attribute in attributes}
    for word in accept:
        if word.strip().lower() not in known:
            raise UsageError("customers_accept", column=word[:60], known=list(known.values()) or "-")
    taken = {known[word.strip().lower()] for word in accept}
    left = judgement.only([column for column in judgement.columns if column not in taken])
    if left.named and left.measured:
        raise Refused("leaks_both", **left.params())
    if left.named:
        raise Refused("leaks_by_name", **left.only(left.named).params())
    if left.untested:
        raise Refused("leaks_untested", **left.params())
    if left.measured:
        raise Refused("leaks_by_evidence", **left.params())
    return tuple(column for column in judgement.columns if column in taken)


def accepted_notes(judgement: Judgement, accepted: Sequence[str]) -> tuple[Message, ...]:
    """Return what stays to be said about leaks that were accepted, and about what could not be judged."""
    taken = judgement.only(accepted)
    said = taken.notes
    if taken.named or taken.untested:
        columns = [*taken.named, *taken.untested]
        said += (Message("warning.leaks_accepted_by_name", {"columns": columns}),)
    if taken.measured:
        said += (Message("warning.leaks_accepted_by_evidence", {"columns": taken.params()["measured"]}),)
    return said


def _unjudged(dataset: Dataset) -> Message:
    if not spans(dataset):
        days = (dataset.log_end - dataset.log_start).days
        return Message("warning.leaks_log_too_short", {"days": days, "needed": 4 * SHORTEST_DAYS})
    return Message("warning.leaks_too_few", {"customers": FEWEST_CUSTOMERS, "buyers": FEWEST_BUYERS})


_DEED: Final = (
    r"(spend|spends|spent|spending|sales|revenue|amount|value|purchases?|orders?|transactions?|payments?|paid|gmv)"
)
_WHOLE: Final = (
    r"(total|totals|lifetime|cumulative|cum|overall|all_time|alltime|historic|historical|to_date|sum|net|gross)"
)
_LAST: Final = r"(last|latest|recent|most_recent|final)"

ENGLISH: Final = (
    r"(c?ltv|p?ltv|clv|pclv)",
    r"lifetime_\w+",
    rf"{_WHOLE}_(\w+_)?{_DEED}",
    rf"{_DEED}_(\w+_)?{_WHOLE}",
    rf"(n|no|num|number|count|nb|qty)_(of_)?{_DEED}",
    r"(orders?|purchases?|transactions?|visits?|sessions?|repeat)_(count|cnt|number|num|no|qty|freq|frequency|rate)",
    r"(purchases|orders|transactions|frequency|recency|monetary|monetary_value|spend|spent|revenue)",
    rf"{_LAST}_(\w+_)?(orders?|ordered|purchases?|purchased|transactions?|bought|buy|seen|active|activity|visit|login|paid|payment)",
    r"(days|weeks|months|time)_since_(\w+_)?(order|purchase|transaction|visit|activity|login|seen)",
    r"(aov|abv|arpu|average_(order|basket)_\w+|avg_(order|basket|spend|spent|purchase)(_\w+)?|average_spend)",
    r"rfm(_\w+)?",
    r"(\w+_)?(churn|churned|attrition|lapsed|dormant|retained|reactivated|is_active|active_customer)",
    r"(\w+_)?(tier|segment|cluster|decile|quintile)",
    r"(customer|client|member|membership|loyalty|vip|user|value)_(level|grade|rank|class|status|group|score)",
    r"(is_)?vip",
)
"""Patterns of whole names, in lower case with words joined by ``_``."""

PLACED: Final = r"(age|income|city|region|geo|geographic|market|town|country|store|shop|price|education|industry)_\w+"
"""Tiers and segments of something else than the customer's buying."""

CHINESE: Final = (
    r"(累[计計]|[总總]|合[计計]|历史|歷史|全部|终身|終身)\w*(消费|消費|金额|金額|支付|付款|订单|訂單|购买|購買|下单|下單|成交|交易|销售|銷售|价值|價值)",
    r"(消费|消費|支付|付款|购买|購買|订单|訂單|下单|下單|成交|交易)(\w*)([总總]额|[总總]額|[总總]金|[总總][数數]|次[数數]|笔[数數]|筆數|件[数數]|数量|數量|[频頻]次|[频頻]率|金额|金額)",
    r"(最近|最后|最後|上次|上一次|末次|近)\w*(消费|消費|购买|購買|下单|下單|订单|訂單|付款|支付|交易|成交|登录|登錄|访问|訪問|活跃|活躍)",
    r"客单价|客單價|生命周期价值|生命週期價值|(用户|用戶|客户|客戶|会员|會員|顾客|顧客)价值|价值(标签|分)",
    r"流失|复购|復購|回购|回購|沉睡|活跃(度|状态|用户)|活躍",
    r"(用户|用戶|客户|客戶|会员|會員|顾客|顧客|消费|價值|价值)(分层|分層|分群|分级|分級|等级|等級|级别|級別|标签|標籤)",
    r"rfm|ltv|clv|vip(等级|等級)?$",
)
"""Patterns found anywhere in a name."""


def says_leak(column: str) -> bool:
    """Say whether a column's name says that it was counted or cut from what customers did in the whole log."""
    plain = unicodedata.normalize("NFKC", column).strip()
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", plain)
    words = re.sub(r"_(date|day|time|dt|at|ts|datetime|timestamp|amount|amt|flag|label)$", "", _snake(spaced))
    if re.fullmatch(PLACED, words):
        return False
    if any(re.fullmatch(pattern, words) or re.fullmatch(pattern, _snake(spaced)) for pattern in ENGLISH):
        return True
    return any(re.search(pattern, words.replace("_", "")) for pattern in CHINESE)


def _snake(name: str) -> str:
    return re.sub(r"[\W_]+", "_", name.lower()).strip("_")
