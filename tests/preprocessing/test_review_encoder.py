"""Review texts as numbers: what is learned, that it is learned once a text, and what a text without news becomes."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from clv_core.collection.simulate.trade import write_reviews
from clv_core.features.signals import SignalColumn
from clv_core.preprocessing.review_encoder import CLIP, MAX_NGRAMS, MAX_TEXTS, THEMES, ReviewEncoder
from clv_core.preprocessing.table_encoder import TableEncoder


def written(rows: int, chinese: float = 0.5, seed: int = 1) -> tuple[pd.Series, np.ndarray]:
    """Return simulated texts, two lines each, and the rating that they go with."""
    random = np.random.default_rng(seed)
    rating = random.integers(1, 6, rows).astype(float)
    language = random.random(rows) < chinese
    first, second = (write_reviews(rating, language, random) for _ in range(2))
    return pd.Series([f"{one}\n{other}" for one, other in zip(first, second, strict=True)], dtype="str"), rating


def fitted(values: pd.Series) -> ReviewEncoder:
    encoder = ReviewEncoder.fit("review_text", "review_text", values)
    assert encoder is not None
    return encoder


def strengths(encoder: ReviewEncoder, values: pd.Series) -> np.ndarray:
    return np.column_stack(encoder.transform(values))


def test_themes_are_the_singular_vectors_of_the_weighted_n_grams() -> None:
    values, _ = written(400)
    encoder = fitted(values)
    texts = sorted(set(values))
    again = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True, min_df=3, max_features=2000)
    left, size, _ = np.linalg.svd(again.fit_transform(texts).toarray(), full_matrices=False)
    ours = strengths(encoder, pd.Series(texts))
    assert ours.shape == (len(texts), THEMES)
    for theme in range(4):  # further ones lie so close to each other that a solver may turn them
        assert abs(np.corrcoef(ours[:, theme], left[:, theme] * size[theme])[0, 1]) > 0.999
    np.testing.assert_allclose(np.sqrt((ours**2).mean(axis=0)), 1.0, atol=1e-3)


def test_each_text_counts_once_and_their_order_does_not() -> None:
    values, _ = written(300)
    repeated = pd.concat([values.sample(frac=1, random_state=2), values.head(50), pd.Series([None] * 9, dtype="str")])
    assert fitted(repeated) == fitted(values)


@pytest.mark.parametrize("chinese", [0.0, 1.0], ids=["English", "Chinese"])
def test_themes_tell_good_from_bad_in_both_languages(chinese: float) -> None:
    encoder = fitted(written(2000)[0])
    values, rating = written(500, chinese, seed=7)
    inputs = np.column_stack([strengths(encoder, values), np.ones(500)])
    explained = inputs @ np.linalg.lstsq(inputs, rating, rcond=None)[0]
    assert np.corrcoef(explained, rating)[0, 1] > 0.6


def test_no_text_and_unknown_characters_are_zero_and_full_width_and_capital_letters_the_same() -> None:
    encoder = fitted(written(300)[0])
    found = strengths(
        encoder, pd.Series([None, "", "ђ", "Excellent quality", "ＥＸＣＥＬＬＥＮＴ quality"], dtype="str")
    )
    assert (found[:3] == 0).all() and np.abs(found[3]).max() > 0.1
    np.testing.assert_array_equal(found[3], found[4])
    assert (strengths(encoder, pd.Series([None, None], dtype="str")) == 0).all()


def test_the_state_is_plain_small_and_complete() -> None:
    values, _ = written(3000)
    encoder = fitted(values)
    text = json.dumps(encoder.to_json(), allow_nan=False)
    assert len(encoder.ngrams) <= MAX_NGRAMS and len(text) < 400_000
    again = ReviewEncoder.from_json(json.loads(text))
    assert again == encoder
    np.testing.assert_array_equal(strengths(again, values), strengths(encoder, values))


def test_what_only_two_customers_wrote_is_not_remembered() -> None:
    values = pd.concat([written(200)[0], pd.Series(["Zyxwv Qjkvz", "qjkvz"])])
    assert not [ngram for ngram in fitted(values).ngrams if "qj" in ngram or "kvz" in ngram]


def test_too_few_texts_teach_nothing() -> None:
    assert ReviewEncoder.fit("review_text", "x", written(10)[0]) is None
    assert ReviewEncoder.fit("review_text", "x", pd.Series([None] * 50, dtype="str")) is None
    apart = pd.Series([chr(0x4E00 + 7 * number) * 3 for number in range(60)])
    assert ReviewEncoder.fit("review_text", "x", apart) is None


def test_of_very_many_texts_an_even_sample_is_read() -> None:
    values = pd.Series([f"text number {number}" for number in range(2 * MAX_TEXTS)])
    assert fitted(values.sample(frac=1, random_state=1)) == fitted(pd.Series(sorted(values)[::2]))


def test_strongest_n_grams_differ_and_do_not_overlap() -> None:
    for theme in fitted(written(2000)[0]).strongest(5):
        assert 1 <= len(theme) <= 5
        assert not [(a, b) for a in theme for b in theme if a != b and a in b]


def test_the_table_reads_texts_beside_numbers_and_a_missing_column_as_unknown() -> None:
    values, rating = written(400)
    values[::3] = None
    random = np.random.default_rng(1)
    frame = pd.DataFrame({"rating": rating, "wealth": random.lognormal(0, 3, 400), "review_text": values})
    frame["city"] = pd.Series(random.choice(["Köln", "上海"], 400), dtype=object)
    described = {name: SignalColumn("attributes", "auto") for name in ("rating", "wealth")}
    described |= {"city": SignalColumn("attributes", "category"), "review_text": SignalColumn("review_text", "text")}
    encoder = TableEncoder.fit(frame, described)
    scales = {one.name: one.scale for one in encoder.encoders if one.name in ("rating", "wealth")}  # type: ignore[union-attr]
    assert scales == {"rating": "linear", "wealth": "log"}
    [reviews] = [one for one in encoder.encoders if one.group == "review_text"]
    assert len(reviews.columns) == THEMES and set(reviews.columns) <= set(encoder.columns_)
    again = TableEncoder.from_json(json.loads(json.dumps(encoder.to_json(), allow_nan=False)))
    assert again == encoder and again.transform(frame).tobytes() == encoder.transform(frame).tobytes()
    assert np.abs(encoder.transform(frame)).max() <= CLIP

    nothing = frame.assign(rating=np.nan, wealth=np.nan, city=None, review_text=None)
    of_another_kind = frame[["rating", "wealth", "city"]].assign(rating="high", wealth="low", city=7.0)
    for lacking in (frame[[]], nothing, of_another_kind):
        np.testing.assert_array_equal(encoder.transform(lacking), encoder.transform(nothing))
