"""What one source column seems to be, how sure that is, and how numbers and times look."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from clv_core.collection.engine import TextRow
from clv_core.collection.parse.currencies import BEHIND, IN_FRONT, SIGNS
from clv_core.collection.parse.numbers import SCALE_WORDS
from clv_core.collection.read.dialect import column_roles
from clv_core.collection.vocabulary.column_names import SURE_NAMES, fold
from clv_core.collection.vocabulary.language_files import load_vocabulary
from clv_core.columns import (
    AMOUNT,
    CUSTOMER_ID,
    DISCOUNT,
    EVENT_TIME,
    ORDER_ID,
    PRODUCT_ID,
    REFUND,
    SESSION_ID,
    UNIT_PRICE,
)
from clv_core.errors import Refused

_VOCABULARY: Final = load_vocabulary()

EXACT: Final = 0.99
"""A canonical name itself. These levels are a ranking, no probabilities."""
SURE: Final = 0.95
"""A name that has one meaning (``SURE_NAMES``)."""
CERTAIN: Final = 0.9
"""A likely name, and values that are nothing else; from here on there is nothing to warn of."""

LIKELY: Final = 0.7
"""A name that mostly has one meaning (``LIKELY_NAMES``)."""
SLIGHTLY: Final = 0.01
"""What a name with a unit loses against the bare name."""
MIN_CONFIDENCE: Final = 0.6
"""Below this confidence the user is asked."""

MAX_SAMPLES: Final = 5
"""Different values that a proposal shows, and that its values are judged by."""

NUMBER: Final = re.compile(
    rf"\(?[\s{SIGNS}]*[+-]?(?:[A-Z]{{3}}\s|{IN_FRONT})?[\s{SIGNS}]*[+-]?"
    rf"\d[\d.,' \u00a0]*([eE][+-]?\d+|(?:{SCALE_WORDS})\.?)?(?:\s?{BEHIND}\.?|[\s\w{SIGNS}.]{{0,5}})\)?[-–—]{{0,2}}"
)
TIME: Final = re.compile(
    r"\d{1,4}[-/.年]\s?(\d{1,2}|[A-Za-z]{3,9})[-/.月]\s?\d{1,4}.*|(19|20)\d{6}|1\d{9}(\d{3}){0,3}(\.\d+)?"
    r"|([A-Za-z]{3,9},? )?(\d{1,2}[ /-][A-Za-z]{3,9}[ /-]\d{2,4}|[A-Za-z]{3,9} \d{1,2},? \d{4})\b.*"
    r"|(19|20)\d{6}[T ]?\d\d:?\d\d.*|[A-Za-z]{3}-\d{1,2}-\d{2,4}"
    r"|([^\W\d](?:[^\W\d]|[ -])*[.,،]* )?"
    r"\d{1,2}(\.|º|er|st|nd|rd|th)?[ ./-](de )?[^\W\d]{3,12}\.?,?[ ./-](del? )?\d{2,4}\b.*"
    r"|\d{4}[. /-]+[^\W\d]{3,12}[. /-]+\d{1,2}\b.*|(?i:(.* )?\d{1,2},? (tháng|thg\.?) \d{1,2}\b.* \d{4}\b.*)"
    r"|[A-Za-z]{3,9}\.? \d{1,2}(st|nd|rd|th),? \d{4}\b.*"
    r"|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d .*\d{4}"
    r"|\d{4}\s?년\s?\d{1,2}\s?월.*|\d{1,2} [ก-๏.]{3,12} \d{4}\b.*"
)

CLOCK: Final = re.compile(
    r"\s*\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?(\s*[AaPp]\.?[Mm]\.?)?\s*|\s*\d{1,2}[時时]\s?\d{1,2}分(\s?\d{1,2}秒)?\s*"
)


@dataclass(frozen=True)
class Proposal:
    """What one source column seems to be.

    Args:
        column: the source column.
        canonical: the canonical column, ``price``, ``currency``, or None for an extra.
        confidence: 0 to 1; 1 where it was answered.
        samples: a few different values.
        never_repeats: whether many values were seen, and none twice.
        money: likelihood that it holds amounts
            (:func:`~clv_core.collection.infer.columns.proposal.money_likelihood`).
        masked: whether its name is that of the customer and its values are hidden by stars.
        rank: how much weaker than an id it identifies customers, 0 for ids.
        cells: how many cells were seen that are filled.
        distinct: different values among them.
    """

    column: str
    canonical: str | None
    confidence: float
    samples: tuple[str, ...] = ()
    never_repeats: bool = False
    money: float = 0.0
    masked: bool = False
    rank: int = 0
    cells: int = 0
    distinct: int = 0


def filled(rows: Sequence[TextRow], column: str) -> list[str]:
    """Return the stripped texts of a source column, without blank cells."""
    return [text for row in rows if (cell := row[column]) is not None and (text := str(cell).strip())]


def different(rows: Sequence[TextRow], column: str) -> list[str]:
    """Return the different texts of a source column, stripped, in order of appearance."""
    cells = dict.fromkeys(row.get(column) for row in rows)
    return list(dict.fromkeys(str(cell).strip() for cell in cells if cell is not None))


NAMED, FRACTIONS, WHOLE = 0.4, 0.3, 0.1
"""Likelihoods by a word of money in the name, by fractions or currency signs, and by integers. Guesses; their order
counts."""

WORTH_ASKING: Final = FRACTIONS
"""From here on a column is offered, unless the log is one of behaviour alone."""

MONEY: Final = re.compile(_VOCABULARY.pattern("amounts", "columns"))
OTHER: Final = re.compile(
    f"(?:{_VOCABULARY.pattern('other_figures', 'ends')})s?$|{_VOCABULARY.pattern('other_figures', 'within')}"
)
FIGURE: Final = re.compile(
    rf"\(?[+-]?\s*(?:[A-Za-z]{{1,3}}\s|{IN_FRONT})?[{SIGNS}]?\s*[+-]?\d[\d.,' \u00a0]*"
    rf"(?:(?:{SCALE_WORDS})\.?\s?)?(?:{BEHIND}\.?|[A-Za-z]{{1,4}}|[{SIGNS}元円원])?\)?-?"
)
FRACTION: Final = re.compile(r".*\d[.,]\d*[1-9]\d*\D*|.*\d[.,]\d\d\D*|\D*[$€£¥₹]\D*\d.*|.*\d\s*[$€£¥元円₹].*")
HALF_STEPS: Final = re.compile(r"(10|\d)([.,][05]0*)?")
"""Ratings: 0 to 10 in halves."""
MAX_RATINGS: Final = 21
"""Different ratings of 0 to 10 in halves."""
NO_AMOUNTS: Final = (CUSTOMER_ID, ORDER_ID, PRODUCT_ID, SESSION_ID, EVENT_TIME)


def money_likelihood(column: str, values: Sequence[str]) -> float:
    """Return the likelihood that a column holds amounts, 0 to 0.8.

    Args:
        column: the source column.
        values: a sample, without blanks.
    """
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", unicodedata.normalize("NFKC", column).strip()).lower()
    words = re.sub(r"[\W_]+", " ", spaced).strip().removesuffix(" sku")
    roles = column_roles(column)
    if (roles and not roles & {AMOUNT, UNIT_PRICE}) or roles & {DISCOUNT, REFUND}:
        return 0.0
    if OTHER.search(words.split(" ")[-1]) or OTHER.search(words.replace(" ", "")[-12:]) and not MONEY.search(words):
        return 0.0
    cells = Counter(values)
    if len(cells) <= 2:
        return 0.0
    plain = {value: unicodedata.normalize("NFKC", value) for value in cells}
    if sum(rows for value, rows in cells.items() if FIGURE.fullmatch(plain[value])) <= 0.5 * len(values):
        return 0.0
    texts = set(plain.values())
    named = NAMED if roles or MONEY.search(words) else 0.0
    if len(texts) <= 2 or (len(texts) <= MAX_RATINGS and all(map(HALF_STEPS.fullmatch, texts)) and not named):
        return 0.0
    fractions = sum(rows for value, rows in cells.items() if FRACTION.fullmatch(plain[value]))
    if fractions > 0.3 * len(values):
        return named + FRACTIONS
    if not named and (len(set(map(len, texts))) == 1 and len(plain[values[0]]) > 4):
        return 0.0  # digits of one length are a code, a date or an id
    return named + WHOLE


def refuse_ids(mapping: Mapping[str, str]) -> None:
    """Refuse to add up ids or times as money.

    Args:
        mapping: canonical name -> source column, as answered.

    Raises:
        Refused: the answer maps the amount to a column whose name is certainly one of ids or times.
    """
    column = mapping.get(AMOUNT, "")
    means = SURE_NAMES.get(fold(column))
    if means in NO_AMOUNTS:
        raise Refused("amount_is_ids", column=column, means=means)
