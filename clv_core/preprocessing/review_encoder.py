"""Review texts as a few numbers: character n-grams weighted by TF-IDF, and their strongest directions by SVD.

Characters, not words: Chinese has no spaces and shoppers misspell, so one rule serves every language and needs no
dictionary. What is learned is plain numbers: the n-grams, their weights, and each theme as a weighting of n-grams.
Source: Deerwester et al. (1990), "Indexing by latent semantic analysis"; scikit-learn's ``TruncatedSVD`` does it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.preprocessing.encode import FEW_ROWS
from clv_core.records import JsonRecord

THEMES: Final = 8
MAX_NGRAMS: Final = 2_000
"""Guesses that keep a row and a bundle small; what reviews add to a prediction hardly shows
(``tests/bench/README.md``)."""
MAX_TEXTS: Final = 20_000
"""More distinct texts than these are sampled, evenly and always the same: the themes are those of a language, not of a
customer."""
MIN_TEXTS: Final = 30
"""Of fewer, the themes would be those of single texts; a guess."""
MIN_WITH_NGRAM: Final = 3
"""An n-gram of fewer texts than these is no evidence on the next one, and may name a person."""
TEXTS_AT_ONCE: Final = 512
"""What lies between so many texts and their themes takes a few dozen megabytes."""
CLIP: Final = 8.0
"""As of numbers (:data:`clv_core.preprocessing.encode.CLIP`)."""
MIN_THEME_SIZE: Final = 1e-3
"""A theme whose typical size is below this is rounding, not language."""
DECIMALS: Final = 6
"""Numbers are kept this exact, which is more than the last bits that differ from machine to machine."""


@dataclass(frozen=True)
class ReviewEncoder(JsonRecord):
    """A text to its strength in each theme; no text, and one of unknown characters only, is zero in all.

    Args:
        name: the feature.
        group: its group.
        ngrams: the character n-grams that were learned, sorted, [v].
        weights: inverse document frequency of each, [v].
        themes: what each n-gram adds to each theme, [k, v]; the typical size of a training text in a theme is 1.
    """

    name: str
    group: str
    ngrams: tuple[str, ...]
    weights: tuple[float, ...]
    themes: tuple[tuple[float, ...], ...]

    @classmethod
    def fit(cls, name: str, group: str, values: pd.Series) -> Self | None:
        """Return the encoder of a column of texts, or None where there are too few to learn from.

        Args:
            name: the feature.
            group: its group.
            values: texts of training rows, None for none, [n]; each text counts once, however many rows have it.
        """
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfVectorizer

        texts = _sample(sorted({str(text) for text in values.dropna().unique()}))
        if len(texts) < MIN_TEXTS:
            return None
        limits = {"min_df": MIN_WITH_NGRAM, "max_features": MAX_NGRAMS}
        vectorizer = TfidfVectorizer(sublinear_tf=True, **limits, **READING)
        try:
            tfidf = vectorizer.fit_transform(texts)
        except ValueError:  # no n-gram is shared by enough texts
            return None
        most = min(THEMES, tfidf.shape[1] - 1)
        if most < 1:
            return None
        directions = TruncatedSVD(most, random_state=0).fit(tfidf).components_
        size = np.sqrt(np.mean(np.square(tfidf @ directions.T), axis=0))
        is_strong = size > MIN_THEME_SIZE
        if not is_strong.any():
            return None
        themes = np.round(directions[is_strong] / size[is_strong, None], DECIMALS)
        return cls(
            name,
            group,
            tuple(map(str, vectorizer.get_feature_names_out())),
            tuple(np.round(vectorizer.idf_, DECIMALS).tolist()),
            tuple(tuple(theme) for theme in themes.tolist()),
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that it makes, ``<name>:1`` for the first theme."""
        return tuple(f"{self.name}:{number}" for number in range(1, len(self.themes) + 1))

    def transform(self, values: pd.Series | NDArray[np.object_]) -> list[NDArray[np.float32]]:
        """Return the columns, float32 [n] each, within ±8; each distinct text is read once."""
        codes, distinct = _distinct(np.asarray(values, object))
        strengths = np.zeros((len(distinct) + 1, len(self.themes)), np.float32)
        for begin in range(0, len(distinct), TEXTS_AT_ONCE):
            texts = [str(text) for text in distinct[begin : begin + TEXTS_AT_ONCE]]
            strengths[begin : begin + len(texts)] = np.clip(self._strengths(texts), -CLIP, CLIP)
        return list(strengths[codes].T)

    def _strengths(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return how strong each of some texts is in each theme, [t, k].

        It is what ``TfidfVectorizer(sublinear_tf=True)`` makes of them, times the themes. Of a few texts, the checks of
        its sparse matrices would take far longer than the arithmetic.
        """
        ngrams_of, place, weights, themes = self._reader
        ngram_places = [[place[ngram] for ngram in ngrams_of(text) if ngram in place] for text in texts]
        row = np.repeat(np.arange(len(ngram_places)), [len(places) for places in ngram_places])
        occurrences = row * len(place) + np.array([at for places in ngram_places for at in places], np.int64)
        distinct, count = np.unique(occurrences, return_counts=True)
        row, ngram = np.divmod(distinct, len(place))
        size = (np.log(count) + 1) * weights[ngram]
        size /= np.sqrt(np.bincount(row, size**2, len(texts)))[row]
        cell = row[:, None] * len(self.themes) + np.arange(len(self.themes))
        added = np.bincount(cell.ravel(), (size[:, None] * themes[ngram]).ravel(), len(texts) * len(self.themes))
        return added.reshape(len(texts), -1).astype(np.float64)

    @cached_property
    def _reader(self) -> tuple[Callable[[str], list[str]], dict[str, int], NDArray[np.float64], NDArray[np.float64]]:
        """The analyzer of n-grams, the place of each learned one, its weight [v], what it adds to themes [v, k]."""
        from sklearn.feature_extraction.text import CountVectorizer

        places = {ngram: place for place, ngram in enumerate(self.ngrams)}
        themes = np.ascontiguousarray(np.asarray(self.themes).T)
        return CountVectorizer(**READING).build_analyzer(), places, np.asarray(self.weights), themes

    def strongest(self, count: int = 6) -> tuple[tuple[str, ...], ...]:
        """Return for each theme the n-grams that make it strong, long ones first, overlapping ones left out."""
        return tuple(_strongest(np.asarray(theme), self.ngrams, count) for theme in self.themes)


def _distinct(texts: NDArray[np.object_]) -> tuple[NDArray[np.int64], Sequence[str]]:
    """Return the place of each text among the distinct ones, -1 where there is none, [n]; and those."""
    if len(texts) > FEW_ROWS:
        codes, uniques = pd.factorize(texts)
        return codes.astype(np.int64), uniques.tolist()
    cleaned = [None if pd.isna(text) else text for text in texts]
    place = {text: at for at, text in enumerate(dict.fromkeys(text for text in cleaned if text is not None))}
    return np.array([place.get(text, -1) for text in cleaned], np.int64), list(place)


def normal(text: str) -> str:
    """Return a text in the form that n-grams are read from: full-width letters narrow, small letters."""
    return unicodedata.normalize("NFKC", text).lower()


READING: Final[dict[str, Any]] = {
    "preprocessor": normal, "analyzer": "char_wb", "ngram_range": (2, 4), "dtype": np.float64
}  # fmt: skip
"""How scikit-learn reads a text, in learning and after: 2 to 4 characters of a word."""


def _sample(texts: list[str]) -> list[str]:
    step = max(1.0, len(texts) / MAX_TEXTS)
    return [texts[int(place * step)] for place in range(min(len(texts), MAX_TEXTS))]


def _strongest(theme: NDArray[np.float64], ngrams: tuple[str, ...], count: int) -> tuple[str, ...]:
    weight = theme * [len(ngram.strip()) ** 2 * ngram.strip().isalpha() for ngram in ngrams]
    selected: list[str] = []
    for place in np.argsort(-weight, kind="stable"):
        ngram = ngrams[place].strip()
        if weight[place] > 0 and not any(_overlaps(ngram, other) for other in selected):
            selected.append(ngram)
        if len(selected) == count:
            break
    return tuple(selected)


def _overlaps(first: str, second: str) -> bool:
    """Say whether two n-grams are likely of the same word: they share two or more characters in a row."""
    return any(first[place : place + 2] in second for place in range(len(first) - 1))
