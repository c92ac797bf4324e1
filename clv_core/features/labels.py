"""What features and their groups are called, and what they mean, in each language."""

from __future__ import annotations

from clv_core.features.behaviour import FEATURES
from clv_core.i18n import DEFAULT_LANGUAGE, translate


def label(name: str, language: str = DEFAULT_LANGUAGE) -> str:
    """Return the short name of a feature for a person, for example ``Net value, last 90 days``.

    Raises:
        KeyError: no feature of that name.
    """
    return _text(name, "", language)


def meaning(name: str, language: str = DEFAULT_LANGUAGE) -> str:
    """Return one sentence that says what a feature is.

    Raises:
        KeyError: no feature of that name.
    """
    return _text(name, ".meaning", language)


def group_label(group: str, language: str = DEFAULT_LANGUAGE) -> str:
    """Return the name of a group of features for a person."""
    return translate(f"feature_group.{group}", language)


def _text(name: str, suffix: str, language: str) -> str:
    feature = FEATURES[name]
    key = f"feature.{feature.family or name}{suffix}"
    return translate(key, language, days=feature.days) if feature.days is not None else translate(key, language)
