"""What the columns of a list are called, and their fixed words, in a file that a person opens."""

from __future__ import annotations

from typing import Final

import pandas as pd

from clv_core.i18n import DEFAULT_LANGUAGE, has, translate
from clv_core.strategy.plans.budget_plan import EVIDENCE

IDS: Final = ("", DEFAULT_LANGUAGE)
"""Languages whose headers are the columns' ids: none, as for programs, and English, whose words the ids are."""


def headed(frame: pd.DataFrame, language: str) -> pd.DataFrame:
    """Return a list with its columns called in a language; a column that has no name there keeps its id.

    Args:
        frame: any columns.
        language: of the names; "" and English for ids.
    """
    if language in IDS:
        return frame
    return frame.rename(columns={name: header(str(name), language) for name in frame.columns})


def answered(frame: pd.DataFrame, language: str) -> pd.DataFrame:
    """Return a list whose columns of true and false say yes and no in a language, and its evidence what it is there.

    What is missing stays so.

    Args:
        frame: any columns.
        language: of the words; "" for English.
    """
    if EVIDENCE in frame and language not in IDS:
        said = {kind: translate(f"budget.evidence.{kind}", language) for kind in ("assumed", "measured")}
        frame = frame.assign(**{EVIDENCE: frame[EVIDENCE].map(lambda kind: said.get(kind, kind))})
    words = {
        flag: translate(f"about.{'yes' if flag else 'no'}", language or DEFAULT_LANGUAGE) for flag in (True, False)
    }
    flags = [name for name in frame.columns if pd.api.types.infer_dtype(frame[name], skipna=True) == "boolean"]
    return frame.assign(**{str(name): frame[name].astype("object").map(words) for name in flags}) if flags else frame


def header(name: str, language: str) -> str:
    """Return what a column, or a fact about a list, is called; its id where it has no name in the language."""
    key = f"header.{name}"
    return translate(key, language) if language not in IDS and has(key, language) else name
