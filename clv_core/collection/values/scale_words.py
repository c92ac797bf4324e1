"""What stands behind an amount that is written short: 1.82k, 2,5 Tsd., 1.2M, 3.4 mln, 7.2万."""

from __future__ import annotations

import re
from typing import Final

SCALES: Final[dict[int, str]] = {
    1_000: "k tsd tausend thsd thousand тыс rb ribu nghìn ngàn bin 千 천",
    10_000: "万 萬 만",
    100_000: "lakh lakhs lac",
    1_000_000: "mio mln mn million millions millionen millones milhões млн juta jt triệu tr milyon 百万 백만",
    10_000_000: "crore crores",
    100_000_000: "亿 億 억",
    1_000_000_000: "bn mrd млрд miliar milyar tỷ",
}
CAPITALS: Final = {"M": 1_000_000, "MM": 1_000_000}
"""Only in capitals: 12 m and 12 mm are lengths."""
FACTORS: Final = {
    form: factor
    for factor, words in SCALES.items()
    for word in words.split()
    for form in {word, word.capitalize(), word.upper()}
} | CAPITALS
WORDS: Final = "|".join(map(re.escape, sorted(FACTORS, key=lambda word: (-len(word), word))))
"""All of them, the longest first, as a pattern."""
BEHIND: Final = rf"([0-9])({WORDS})\.?([)-]?)$"
"""One of them behind a number without blanks, with what closes a negative one."""
