"""Few rows are read as a frame of them is, to the bit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from clv_core.features.feature import Feature
from clv_core.features.signals import SignalColumn
from clv_core.preprocessing.table_encoder import Described, FewRows, TableEncoder, numbers_of

NUMBERS = ("orders", "spent", "quiet")


def feature(name: str, scale: str) -> Feature:
    return Feature(name, "count", "orders", scale, "steps", lambda rows: rows)


TABLE: dict[str, Described] = {
    "spent": feature("spent", "log"),
    "channel": feature("channel", "category"),
    "orders": feature("orders", "linear"),
    "review": SignalColumn("reviews", "text"),
    "quiet": feature("quiet", "log"),
}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    numbers = rng.lognormal(size=(60, 3))
    numbers[::7, 1] = np.nan
    said = [f"good {word} and {other}" for word in ("tea", "milk", "rice") for other in ("bread", "fish")]
    return pd.DataFrame(numbers, columns=NUMBERS).assign(
        channel=np.array(["web", "shop", None] * 20, object),
        review=np.array([None if at % 5 == 0 else f"{said[at % 6]} {at % 11}" for at in range(60)], object),
    )


@pytest.fixture(scope="module")
def encoder(frame: pd.DataFrame) -> TableEncoder:
    found = TableEncoder.fit(frame, TABLE)
    assert {one.name for one in found.encoders} == {"channel", "review", *NUMBERS}
    return found


def few(frame: pd.DataFrame) -> FewRows:
    """Return the rows of a frame."""
    numeric = tuple(frame.select_dtypes("number").columns)
    texts = {name: frame[name].to_numpy(object) for name in frame.columns if name not in numeric}
    return FewRows(numeric, frame[list(numeric)].to_numpy(np.float64).T, texts)


@pytest.mark.parametrize("rows", [1, 5, 60])
def test_an_encoder_makes_the_same_of_few_rows_as_of_their_frame(
    frame: pd.DataFrame, encoder: TableEncoder, rows: int
) -> None:
    part = frame.iloc[:rows]
    np.testing.assert_array_equal(encoder.transform(few(part)), encoder.transform(part))


def test_what_is_missing_or_has_become_of_another_kind_is_unknown(frame: pd.DataFrame, encoder: TableEncoder) -> None:
    changed = frame.drop(columns="orders").assign(channel=1.5, spent="much")
    unknown = frame.assign(orders=np.nan, channel=None, spent=np.nan)
    np.testing.assert_array_equal(encoder.transform(few(changed)), encoder.transform(changed))
    np.testing.assert_array_equal(encoder.transform(few(changed)), encoder.transform(unknown))


def test_columns_come_as_numbers_in_the_order_that_is_asked_for(frame: pd.DataFrame) -> None:
    names = ("quiet", "nowhere", "orders", "channel")
    found = few(frame).numbers(names)
    np.testing.assert_array_equal(found, numbers_of(frame, names))
    np.testing.assert_array_equal(found[[0, 2]], frame[["quiet", "orders"]].to_numpy().T)
    assert np.isnan(found[[1, 3]]).all()


def test_a_frame_of_few_rows_holds_all_of_their_columns(frame: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(few(frame).frame(), frame, check_dtype=False)
    assert len(few(frame)) == 60
