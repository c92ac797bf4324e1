"""The data sets of the literature, as the package lifetimes carries them."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest


def data_folder() -> Path:
    """Return the folder of data sets; the package itself need not be imported for them."""
    package = find_spec("lifetimes")
    assert package is not None and package.origin is not None
    return Path(package.origin).parent / "datasets"


@pytest.fixture
def sample() -> pd.DataFrame:
    """Return CDNOW as published, in weeks: frequency, recency, T of 2,357 customers."""
    return pd.read_csv(data_folder() / "cdnow_customers_summary.csv", index_col=0)


@pytest.fixture
def donors() -> pd.DataFrame:
    """Return the donors of the BG/BB paper: frequency, recency, periods, and weights, how many share each row."""
    return pd.read_csv(data_folder() / "donations.csv")
