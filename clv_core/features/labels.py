"""What features, signals and their groups are called, and what they mean, in each language."""

from __future__ import annotations

from clv_core.features.behaviour import FEATURES
from clv_core.features.signals import PREFIX, REVIEW_TEXT
from clv_core.i18n import DEFAULT_LANGUAGE, translate


def label(name: str, language: str = DEFAULT_LANGUAGE) -> str:
    """Return the short name of a feature for a person, for example ``Revenue, last 90 days``.

    An attribute has its column's own name; ``review_text:3`` is the third theme of the review texts.

    Raises:
        KeyError: no feature of that name.
    """
    return _text(name, "", language)


def meaning(name: str, language: str = DEFAULT_LANGUAGE) -> str:
    """Return one sentence that explains a feature.

    Raises:
        KeyError: no feature of that name.
    """
    return _text(name, ".meaning", language)


def group_label(group: str, language: str = DEFAULT_LANGUAGE) -> str:
    """Return the name of a group of features for a person."""
    return translate(f"feature_group.{group}", language)


def _text(name: str, suffix: str, language: str) -> str:
    if name.startswith(PREFIX):
        attribute = name.removeprefix(PREFIX)
        return translate("signal.attribute.meaning", language, name=attribute) if suffix else attribute
    kind, _, theme = name.partition(":")
    if kind == REVIEW_TEXT:
        if theme:
            return translate(f"signal.review_theme{suffix}", language, theme=theme)
        return translate(f"signal.review_text{suffix}", language)
    feature = FEATURES[name]
    key = f"feature.{feature.text_key}{suffix}"
    return translate(key, language, days=feature.days) if feature.days is not None else translate(key, language)
