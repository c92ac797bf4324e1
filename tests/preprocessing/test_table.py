"""The table encoder: any table in, finite numbers out; learned from training rows only; the same after JSON."""

from __future__ import annotations

import json
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.impute import SimpleImputer

from clv_core.preprocessing.encode import IMPUTE
from clv_core.preprocessing.table_encoder import TableEncoder


class Described(NamedTuple):
    group: str
    scale: str


TABLE = {
    "spend": Described("money", "log"),
    "share": Described("trend", "linear"),
    "season": Described("season", "plain"),
    "channel": Described("place", "category"),
}
NUMBERS = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True, width=64), st.sampled_from([0.0, 1.0]))
TEXTS = st.one_of(st.none(), st.sampled_from(["web", "app", "", "None", "nan"]), st.text(max_size=3))


def frame(rows: list[tuple[float | None, float | None, float | None, str | None]]) -> pd.DataFrame:
    *numbers, channel = zip(*rows, strict=True)
    named = {name: np.array(column, np.float64) for name, column in zip(TABLE, numbers, strict=False)}
    return pd.DataFrame({**named, "channel": pd.Series(channel, dtype=object)})


FRAMES = st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS, TEXTS), min_size=1, max_size=40).map(frame)


def example(n: int = 400) -> pd.DataFrame:
    random = np.random.default_rng(3)
    spend = random.lognormal(3, 1, n)
    spend[:40] = np.nan
    channel = pd.Series(random.choice(["web", "app"], n), dtype=object)
    channel[:12] = None
    channel[12] = "fax"
    share = random.random(n)
    return pd.DataFrame({"spend": spend, "share": share, "season": random.uniform(-1, 1, n), "channel": channel})


@settings(max_examples=150, deadline=None)
@given(FRAMES, FRAMES, st.sampled_from(IMPUTE))
def test_any_table_gives_finite_numbers_within_bounds(train: pd.DataFrame, new: pd.DataFrame, impute: str) -> None:
    encoder = TableEncoder.fit(train, TABLE, impute, constant=-3.0)
    for rows in (train, new):
        encoded = encoder.transform(rows)
        assert encoded.dtype == np.float32 and encoded.shape == (len(rows), len(encoder.columns_))
        assert np.isfinite(encoded).all() and (np.abs(encoded) <= 8).all()
    again = TableEncoder.from_json(json.loads(json.dumps(encoder.to_json(), allow_nan=False)))
    assert again == encoder
    assert again.transform(new).tobytes() == encoder.transform(new).tobytes()


@pytest.mark.parametrize(("impute", "strategy"), [("mean", "mean"), ("median", "median"), ("constant", "constant")])
def test_gaps_are_filled_as_scikit_learn_fills_them(impute: str, strategy: str) -> None:
    train = example(401)
    encoder = TableEncoder.fit(train, TABLE, impute, constant=5.0)
    imputer = SimpleImputer(strategy=strategy, fill_value=5.0 if strategy == "constant" else None)
    filled = train.assign(spend=imputer.fit_transform(train[["spend"]])[:, 0])
    place = encoder.columns_.index("spend")
    np.testing.assert_allclose(encoder.transform(train)[:, place], encoder.transform(filled)[:, place], atol=1e-6)


def test_max_fills_with_the_largest_training_value() -> None:
    train = example()
    encoder = TableEncoder.fit(train, TABLE, "max")
    encoded = encoder.transform(train)[:, encoder.columns_.index("spend")]
    assert encoded[0] == encoded.max() == encoded[int(train["spend"].argmax())]


def test_numbers_are_standardised_on_the_training_rows_and_gaps_are_flagged() -> None:
    train = example()
    encoder = TableEncoder.fit(train, TABLE)
    encoded = pd.DataFrame(encoder.transform(train), columns=encoder.columns_)
    for name in ("spend", "share"):
        assert encoded[name].mean() == pytest.approx(0, abs=1e-5)
        assert encoded[name].std(ddof=0) == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(encoded["season"], train["season"], rtol=1e-6)
    np.testing.assert_array_equal(encoded["spend:unknown"], train["spend"].isna())
    [spend] = [one for one in encoder.encoders if "spend:unknown" in one.columns]
    assert spend.group == "money" and "spend:unknown" in encoder.columns_


def test_money_in_another_currency_gives_the_same_numbers() -> None:
    train = example()
    other = train.assign(spend=train["spend"] * 1024)
    one, two = (TableEncoder.fit(rows, TABLE).transform(rows) for rows in (train, other))
    np.testing.assert_allclose(one, two, atol=1e-6)


def test_unseen_and_rare_texts_share_the_bucket_of_others() -> None:
    train = example()
    encoder = TableEncoder.fit(train, TABLE)
    rows = train.iloc[[12, 13, 0]].assign(channel=["fax", "carrier pigeon", None])
    encoded = pd.DataFrame(encoder.transform(rows), columns=encoder.columns_).filter(like="channel")
    assert encoded.columns.to_list() == ["channel=app", "channel=web", "channel:other", "channel:unknown"]
    assert encoded.to_numpy().tolist() == [[0, 0, 1, 0], [0, 0, 1, 0], [0, 0, 0, 1]]


def test_nothing_is_learned_from_the_rows_that_are_encoded() -> None:
    train = example()
    encoder = TableEncoder.fit(train, TABLE)
    new = train.assign(spend=train["spend"] * 100, share=0.0)
    alone = np.concatenate([encoder.transform(new.iloc[[row]]) for row in range(len(new))])
    np.testing.assert_array_equal(encoder.transform(new), alone)
    np.testing.assert_array_equal(encoder.transform(new[["channel", "season", "share", "spend"]]), alone)


def test_columns_that_say_nothing_or_say_it_twice_are_left_out() -> None:
    train = example().assign(same=1.0, none=np.nan)
    train["copy"] = train["share"]
    table = {**TABLE, "same": Described("x", "log"), "none": Described("x", "log"), "copy": Described("x", "linear")}
    assert TableEncoder.fit(train, table).columns_ == TableEncoder.fit(train, TABLE).columns_


def test_an_unknown_way_to_impute_and_an_empty_table_are_refused() -> None:
    with pytest.raises(ValueError, match="impute"):
        TableEncoder.fit(example(), TABLE, "guess")
    with pytest.raises(ValueError, match="0 rows"):
        TableEncoder.fit(example().iloc[:0], TABLE)
