"""What a list says of itself on the second sheet of a workbook: facts as a person reads them.

The side file beside a list keeps the same facts as a program reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from clv_core.i18n import DEFAULT_LANGUAGE, has, say_change, say_clauses, translate
from clv_core.strategy.exports.headers import IDS, header
from clv_core.strategy.plans.offers import ALL_TIERS, Effect

Cell = str | int | float
"""What stands in a cell: a number stays one, so that it can be counted with."""


def about_facts(about: Mapping[str, Any], language: str) -> dict[str, Cell]:
    """Return the facts by their names; those of which there is nothing to say are left out.

    Args:
        about: facts by id, as JSON types (:attr:`clv_core.strategy.exports.export.Side.about`).
        language: of names and words; "" for ids and English words.
    """
    words = language or DEFAULT_LANGUAGE
    said = {_name(fact, language): _cell(fact, value, words) for fact, value in about.items()}
    return {name: value for name, value in said.items() if value != ""}


def _name(fact: str, language: str) -> str:
    """Return what a fact is called; some are called otherwise than a column of the same id."""
    own = f"about.{fact}"
    return translate(own, language) if language not in IDS and has(own, language) else header(fact, language)


def _cell(fact: str, value: Any, language: str) -> Cell:
    if value is None:
        return ""
    if isinstance(value, bool):
        return translate("about.yes" if value else "about.no", language)
    if isinstance(value, int | float):
        return value
    if fact == "offers":
        return say_clauses(map(str, (_offer(one, language) for one in value)), language)
    if fact == "price_changes":
        return say_clauses((_change(one, language) for one in value), language)
    return str(value)


def _offer(offer: Mapping[str, Any], language: str) -> str:
    """Return an offer in words, from what :meth:`clv_core.strategy.plans.offers.Offer.to_json` says of it."""
    said = [translate("about.offer.cost", language, cost=f"{offer['cost']:,.10g}")]
    said += [_effect(int(tier), Effect(**effect), language) for tier, effect in offer.get("effects", {}).items()]
    if offer.get("capacity") is not None:
        said.append(translate("about.offer.capacity", language, capacity=offer["capacity"]))
    return translate("about.offer", language, name=offer["name"], said=_row(said, language))


def _effect(tier: int, effect: Effect, language: str) -> str:
    everyone = tier == ALL_TIERS
    return translate(f"about.offer.{'effect' if everyone else 'effect_on'}", language, tier=tier, effect=str(effect))


def _change(change: Mapping[str, Any], language: str) -> str:
    """Return where a rule changes prices, and by how much."""
    return translate("about.price_change", language, **{**change, "change": say_change(change["change"], 1)})


def _row(words: Iterable[str], language: str) -> str:
    return ("，" if language == "zh" else ", ").join(words)
