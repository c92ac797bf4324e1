"""Signs, codes and words of the world's currencies, as shops write them beside amounts."""

from __future__ import annotations

import re
from typing import Final

CODES: Final = frozenset(
    (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF"
        " CLP CNH CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD"
        " HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL"
        " LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR"
        " PLN PYG QAR RMB RON RSD RUB RUR RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT"
        " TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG"
    ).split()
)
"""ISO 4217, list one, and codes that exports still have: CNH, HRK, RMB, RUR."""

DOLLARS: Final = ("USD", "CAD", "AUD", "NZD", "HKD", "SGD", "TWD", "MXN", "ARS", "CLP", "COP")
"""Whose a bare dollar sign may be, the likeliest first."""

WRITTEN: Final[dict[tuple[str, ...], str]] = {
    DOLLARS: "$ DOLLAR DOLLARS",
    ("USD",): "US$ U$S",
    ("AUD",): "A$ AU$",
    ("CAD",): "CA$",
    ("CAD", "NIO"): "C$",
    ("BRL",): "R$",
    ("NZD",): "NZ$",
    ("HKD",): "HK$",
    ("TWD",): "NT$ NTD NT",
    ("SGD",): "S$",
    ("MXN",): "MX$",
    ("DOP",): "RD$",
    ("ARS",): "AR$",
    ("JMD",): "J$",
    ("TTD",): "TT$",
    ("BZD",): "BZ$",
    ("BND", "BSD"): "B$",
    ("NAD",): "N$",
    ("XCD",): "EC$",
    ("EUR",): "€ EURO EUROS",
    ("GBP", "EGP"): "£",
    ("CNY", "JPY"): "¥ ￥",
    ("CNY",): "元 圆 块 元整 RMB YUAN",
    ("TWD", "HKD"): "圓",
    ("JPY",): "円 YEN",
    ("KRW",): "원 ₩",
    ("INR",): "₹",
    ("INR", "PKR", "LKR", "NPR", "MUR"): "RS",
    ("LKR",): "රු",
    ("BDT",): "৳ TK",
    ("IDR",): "RP",
    ("MYR",): "RM",
    ("PHP",): "₱",
    ("VND",): "₫ Đ VNĐ ĐỒNG",
    ("THB",): "฿ บาท",
    ("KHR",): "៛",
    ("LAK",): "₭",
    ("MMK",): "KS",
    ("MNT",): "₮",
    ("TRY",): "₺ TL",
    ("RUB",): "₽ РУБ Р RUR",
    ("UAH",): "₴ ГРН",
    ("BGN",): "ЛВ",
    ("RSD",): "ДИН DIN",
    ("MKD",): "ДЕН",
    ("BAM",): "KM",
    ("PLN",): "ZŁ",
    ("CZK",): "KČ",
    ("HUF",): "FT",
    ("RON", "MDL"): "LEI LEU",
    ("SEK", "NOK", "DKK", "ISK"): "KR",
    ("CHF",): "FR SFR",
    ("KZT",): "₸ ТЕНГЕ ТГ",
    ("GEL",): "₾",
    ("AZN",): "₼ МАН",
    ("AMD",): "֏",
    ("UZS",): "СУМ SO'M",
    ("KGS",): "СОМ",
    ("ILS",): "₪ NIS",
    ("SAR",): "ر.س ريال SR",
    ("QAR",): "QR",
    ("KWD",): "د.ك KD",
    ("BHD",): "BD",
    ("JOD",): "JD",
    ("AED",): "د.إ DHS",
    ("AED", "MAD"): "درهم",
    ("MAD", "AED"): "DH",
    ("EGP",): "ج.م جنيه LE",
    ("TND",): "DT",
    ("DZD",): "DA",
    ("ZAR",): "R",
    ("NGN",): "₦",
    ("GHS",): "₵ GH₵",
    ("KES",): "KSH",
    ("TZS",): "TSH",
    ("UGX",): "USH",
    ("ETB",): "BR",
    ("XOF", "XAF"): "FCFA CFA",
    ("GTQ",): "Q",
    ("HNL",): "L",
    ("PEN",): "S/",
    ("BOB", "VES"): "BS",
    ("PAB",): "B/",
    ("PYG",): "₲ GS",
    ("CRC",): "₡",
}
"""How each currency is written, in capitals without blanks and without a point behind; the likeliest meaning first."""
MARKS: Final = {mark: codes for codes, marks in WRITTEN.items() for mark in marks.split()}

UNITS_TOO: Final = ("RM", "RS", "RP", "TL", "KR")
"""Marks of two letters that are no other unit."""
LATIN: Final = [mark for mark in MARKS if mark.isascii() and mark.isalpha() and mark != "L"]
"""Marks that are words of Latin letters. 12 L are litres; lempiras have a point behind."""

MARK: Final = "(?i)" + "|".join(
    (
        r"\bU ?\$ ?S\b|(?:\b[A-Z]{1,3} ?)?\$|\bGH ?₵|\p{Sc}",
        r"元整?|[円圆圓원块]|บาท|රු",
        r"zł|kč|\bS?Fr\.|лв\.?|руб\.?|грн\.?|дин\.?|ден\.?|ман\.?|тенге|\sтг\.?|\sр\.?$|сум|сом|so'm|đồng|vnđ|đ",
        r"ر\.? ?س\.?|د\.? ?إ\.?|ج\.? ?م\.?|د\.? ?ك\.?|ريال|درهم|جنيه",
        r"\bL\.|\bB/\.?|\bS/\.?|\bF ?CFA\b",
        rf"\b(?:{'|'.join(sorted({*LATIN, *CODES}))})\b\.?",
    )
)
"""A mark of a currency as a pattern of RE2. Blanks stand between letters and figures
(:func:`~clv_core.collection.values.numbers.apart`), since 12.50EUR and RM12 have no bounds of words there."""

SIGNS: Final = "$€£¥￥₹₽₩₺฿₫₦₱₪₴₸₾₲৳៛₡₵₭₼֏₮"
"""Signs that are one character, for a class of a pattern."""
AS_WORDS: Final = sorted(
    {*CODES, *(mark for mark in MARKS if len(mark) > 1 and mark[0].isalpha())}, key=lambda m: (-len(m), m)
)
IN_FRONT: Final = (
    rf"(?:(?i:{'|'.join(map(re.escape, AS_WORDS))}|R|Q)\.?"
    r"(?:\s|(?=[+-]?\s?\d[\d.,'\s]*[.,]\d\d(?:\D|$)))|[A-Z]{1,3}\$)"
)
"""A mark before a number, as a pattern of Python; without a blank only before cents: RM12.50, but RM1001 is an id."""
BEHIND: Final = rf"(?i:{'|'.join(map(re.escape, AS_WORDS))})"
"""A mark behind a number, as a pattern of Python."""


def is_unit(mark: str) -> bool:
    """Say whether a mark in brackets behind a column's name is a currency, and no unit such as km, l or ft."""
    bare = mark.upper().rstrip(".")
    short = bare.isascii() and bare.isalpha() and len(bare) < 3
    return bare in MARKS and (not short or bare in UNITS_TOO)


def meant(mark: str) -> tuple[str, ...]:
    """Return the codes of the currencies that a sign, code or word stands for, the likeliest first."""
    bare = "".join(mark.split()).upper().rstrip(".")
    if bare in MARKS:
        return MARKS[bare]
    if bare.endswith("$"):
        return (bare[:-1],) if bare[:-1] in CODES else DOLLARS
    return (bare,)
