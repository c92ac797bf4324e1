"""Tables: one look on all pages, amounts with their currency in the heading, counts.

Both languages write 1,234.56 and mark what is below zero with a minus sign, as the sentences beside the tables do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd
import streamlit as st

from pages.ui.saying import t

EXACT: Final = "%,.2f"
COUNT: Final = "%,d"


def table(rows: pd.DataFrame, alt: str, columns: Mapping[str, Any] | None = None, **options: Any) -> Any:
    """Show rows; return what of them was chosen, where ``options`` let them be chosen.

    Args:
        rows: without their index; what is missing is a dash.
        alt: what it shows, for who cannot see it.
        columns: how each is shown, by name.
        options: further ones of :func:`streamlit.dataframe`.
    """
    return st.dataframe(rows, hide_index=True, column_config=columns, placeholder="–", alt=alt, **options)


def headed(label: str, unit: str) -> str:
    """Return a heading with its unit; as it is where the unit has no name: a log's currency may be unknown."""
    return t("column.in_unit", label=label, unit=unit) if unit else label


def money(label: str, currency: str, **options: Any) -> Any:
    """Return how a column of amounts is shown.

    Args:
        label: of the column.
        currency: of the log; "" where it has no name.
        options: further ones of the column.
    """
    return st.column_config.NumberColumn(headed(label, currency), format=EXACT, **options)


def whole(label: str | None = None, **options: Any) -> Any:
    """Return how a column of whole numbers is shown."""
    return st.column_config.NumberColumn(label, format=COUNT, **options)
