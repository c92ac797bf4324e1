"""What the name of an amount says of taxes at its end: Total incl. VAT, Prix total TTC, Betrag exkl. MwSt."""

from __future__ import annotations

import re
from typing import Final

TAX: Final = r"(?:vat|tax(?:es)?|mwst|ust|btw|tva|gst|iva|moms|mva|kdv|ндс|ppn)"
WITH_TAX: Final = re.compile(
    rf"(?i)[\s_,(/-]+(?:(?:incl?|inkl?|including|inclusive of|mit|with|med|с|con)[\s_.]+{TAX}"
    rf"|{TAX}[\s_.]+(?:incl?(?:uded|usive)?|inkl|inclus[ae]?|inclu[ií]d[oa]|dahil|comprise?)|ttc)[.)]*\s*$"
)
"""The buyer paid it with taxes."""
WITHOUT_TAX: Final = re.compile(
    rf"(?i)[\s_,(/-]+(?:(?:excl?|exkl?|excluding|exclusive of|ex|before|without|ohne|zzgl|sin|senza|без)[\s_.]+{TAX}"
    rf"|{TAX}[\s_.]+(?:excl?(?:uded|usive)?|exkl|exclus[ae]?|exclu[ií]d[oa]|hariç)|ht)[.)]*\s*$"
)
"""Taxes came on top of it."""
