"""What customers write: short reviews in English and Chinese whose words go with the rating."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

ENGLISH: Final = {
    "bad": (
        ("Broke after a week", "Not as described", "Poor quality", "Disappointed", "Arrived damaged", "Does not work"),
        (
            "will not buy again",
            "support never answered",
            "asked for my money back",
            "the old one was better",
            "too expensive for this",
        ),
    ),
    "fair": (
        ("It is fine", "Does the job", "Average quality", "As expected", "Good enough"),
        (
            "delivery took a while",
            "the price is fair",
            "nothing special",
            "the colour is a bit off",
            "packaging could be better",
        ),
    ),
    "good": (
        (
            "Love it",
            "Excellent quality",
            "Exactly as described",
            "Works very well",
            "Better than expected",
            "Great gift",
        ),
        (
            "delivery was quick",
            "good value for the price",
            "will order again",
            "the whole family uses it",
            "well packed",
            "recommended",
        ),
    ),
}
CHINESE: Final = {
    "bad": (
        ("用了一周就坏了", "和描述不符", "质量很差", "很失望", "收到时已经破损"),
        ("不会再买了", "客服一直没有回复", "已经申请退款", "还不如以前那款", "不值这个价"),
    ),
    "fair": (
        ("还可以", "能用", "质量一般", "和想的差不多", "凑合"),
        ("物流有点慢", "价格合适", "没什么特别的", "颜色有点偏差", "包装可以再好一点"),
    ),
    "good": (
        ("非常喜欢", "质量很好", "和描述一致", "很好用", "比预期还好", "送人很合适"),
        ("物流很快", "性价比高", "会再来买", "全家都在用", "包装很用心", "推荐购买"),
    ),
}


def write_reviews(
    rating: NDArray[np.float64], chinese: NDArray[np.bool_], random: np.random.Generator
) -> NDArray[np.object_]:
    """Return one text for each rating, shape [n].

    Args:
        rating: 1 to 5, [n].
        chinese: whether it is written in Chinese, [n].
        random: source of chance.
    """
    texts = np.full(len(rating), "", dtype=object)
    tone = np.select([rating <= 2, rating <= 3], ["bad", "fair"], "good")
    for phrases, spoken, joint, stop in ((ENGLISH, ~chinese, ", ", "."), (CHINESE, chinese, "，", "。")):
        for name, (openings, remarks) in phrases.items():
            rows = np.flatnonzero(spoken & (tone == name))
            opening = np.array(openings, dtype=object)[random.integers(len(openings), size=len(rows))]
            remark = np.array(remarks, dtype=object)[random.integers(len(remarks), size=len(rows))]
            longer = random.uniform(size=len(rows)) < 0.6
            texts[rows] = np.where(longer, opening + joint + remark + stop, opening + stop)
    return texts
