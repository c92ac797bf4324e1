"""What a person does who wants the originals of cells that were made inert: takes one apostrophe away."""

from __future__ import annotations

from typing import Any

import pandas as pd


def unescape(cells: pd.Series[Any]) -> pd.Series[Any]:
    """Return cells without the first apostrophe of those that begin with one."""
    return cells.map(lambda cell: cell[1:] if isinstance(cell, str) and cell.startswith("'") else cell)
