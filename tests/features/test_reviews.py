"""The text of a customer's last reviews at a cutoff: the right ones, bounded, and nothing written later."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd
import pytest

from clv_core.features.log import EventLog
from clv_core.features.relations import day_of
from clv_core.features.review_texts import LAST_REVIEWS, MOST_CHARACTERS
from clv_core.features.snapshot import concat

pytestmark = pytest.mark.first(4)

Opener = Callable[..., EventLog]
CUTOFF = date(2023, 12, 15)


@pytest.fixture(scope="module")
def talk(shop: pd.DataFrame) -> pd.DataFrame:
    """The shop with texts that differ: long ones, blank ones, Chinese ones, and several at one moment."""
    random = np.random.default_rng(2)
    frame = shop.copy()
    wrote = frame["event_type"] == "review"
    words = pd.Series(random.choice(["好", "very nice ", "质量很好，", " x\ty "], len(frame)))
    texts = [word * times for word, times in zip(words, random.integers(1, 60, len(frame)), strict=True)]
    frame["review_text"] = pd.Series(texts, index=frame.index).where(wrote)
    frame.loc[wrote & (random.random(len(frame)) < 0.1), "review_text"] = "  "
    frame.loc[wrote, "event_time"] = frame.loc[wrote, "event_time"].dt.floor("14D")
    return frame


def texts(log: EventLog) -> pd.Series:
    ids = log.steps.customer_ids
    return pd.Series(log.signals[0].at(day_of(CUTOFF), np.arange(len(ids))), index=ids).dropna()


def expected(events: pd.DataFrame) -> pd.Series:
    """The same by pandas."""
    rows = events[events["event_time"] < pd.Timestamp(CUTOFF)].copy()
    rows["text"] = rows["review_text"].str.strip(" \t\n").str[:MOST_CHARACTERS]
    rows = rows[rows["text"].str.len() > 0].sort_values(["event_time", "text"], ascending=False)
    return rows.groupby("customer_id")["text"].apply(lambda part: "\n".join(part.head(LAST_REVIEWS)))


def test_it_is_the_last_three_before_the_cutoff_the_latest_first(opened: Opener, talk: pd.DataFrame) -> None:
    found = opened(talk).snapshot(CUTOFF, 60).features["review_text"]
    theirs = expected(talk).reindex(found.index)
    assert 0.3 < theirs.notna().mean() < 1 and (theirs.str.count("\n") == LAST_REVIEWS - 1).any()
    pd.testing.assert_series_equal(found, theirs, check_names=False, check_dtype=False)
    assert found.str.len().max() <= LAST_REVIEWS * (MOST_CHARACTERS + 1)


def changed(talk: pd.DataFrame) -> pd.DataFrame:
    later = talk["event_time"] >= pd.Timestamp(CUTOFF)
    return talk.assign(review_text=talk["review_text"].mask(later, "later"))


def added(talk: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([talk, talk.head(900).assign(event_time=pd.Timestamp(CUTOFF), review_text="later")])


@pytest.mark.examples(2)
@pytest.mark.parametrize(
    "alter",
    [changed, added, lambda talk: talk[talk["event_time"] < pd.Timestamp(CUTOFF)], lambda talk: talk.sample(frac=1)],
    ids=["changed", "added", "deleted", "shuffled"],
)
def test_what_is_written_later_and_the_order_of_rows_change_nothing(
    alter: Callable[[pd.DataFrame], pd.DataFrame], opened: Opener, talk: pd.DataFrame
) -> None:
    pd.testing.assert_series_equal(texts(opened(alter(talk))), texts(opened(talk)))


def test_a_bound_hides_later_texts(opened: Opener, talk: pd.DataFrame) -> None:
    later = talk[talk["event_time"] >= pd.Timestamp(CUTOFF)].index
    silent = talk.assign(review_text=talk["review_text"].mask(~talk.index.isin(later)))
    assert opened(silent).signals
    assert opened(silent, before=CUTOFF).signals == ()


def test_a_log_without_texts_has_no_such_column(opened: Opener, talk: pd.DataFrame) -> None:
    for frame in (talk.drop(columns="review_text"), talk.assign(review_text="  ")):
        log = opened(frame)
        assert log.signals == () and "review_text" not in log.snapshot(CUTOFF, 60).features


def test_purchases_only_and_no_ratings_leave_texts_out(opened: Opener, talk: pd.DataFrame) -> None:
    for event_types in ("purchases", "unrated"):
        assert opened(talk, event_types=event_types).signals == ()
    assert opened(talk, review_text=False).signals == ()


def test_unrated_is_the_log_without_ratings_and_reviews(opened: Opener, talk: pd.DataFrame) -> None:
    found = opened(talk, event_types="unrated").snapshot(CUTOFF, 60)
    bare = talk[~talk["event_type"].isin(["rating", "review"])].assign(rating=np.nan, review_text=None)
    pd.testing.assert_frame_equal(found.features, opened(bare).snapshot(CUTOFF, 60).features)
    assert found.features["rating_mean"].isna().all() and (found.features["views"] > 0).any()


def test_rows_of_two_cutoffs_go_together(opened: Opener, talk: pd.DataFrame) -> None:
    log = opened(talk)
    early, late = (log.snapshot(day, 60) for day in (date(2023, 9, 1), CUTOFF))
    both = concat([early, late])
    assert both.features["review_text"].dtype == early.features["review_text"].dtype
    pd.testing.assert_series_equal(
        both.take(np.arange(len(early), len(both))).features["review_text"], late.features["review_text"]
    )
