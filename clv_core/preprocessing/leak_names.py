"""Names that say an attribute was counted from the whole log: totals, order counts, last dates, value labels."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

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
