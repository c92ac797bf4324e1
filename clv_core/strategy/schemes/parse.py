"""Schemes by the text that asks for them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from clv_core.collection.stored.store import Dataset
from clv_core.errors import UsageError
from clv_core.strategy.conditions import Condition
from clv_core.strategy.schemes.clusters import CLUSTERS, Clusters
from clv_core.strategy.schemes.quadrant import QUADRANT, Quadrant
from clv_core.strategy.schemes.rfm import RFM, Rfm
from clv_core.strategy.schemes.rules import RULES, Rules
from clv_core.strategy.schemes.saved import load_rules
from clv_core.strategy.schemes.segmentation import MEMBER, SEGMENT, Segmentation
from clv_core.strategy.schemes.value import COST, CostTiers, ValueTiers
from clv_core.strategy.tiers import KINDS as TIER_KINDS
from clv_core.strategy.tiers import Scheme

KINDS: Final = (*TIER_KINDS, COST, QUADRANT, RFM, CLUSTERS, RULES)
WORDS: Final = re.compile(r"\s*\w+(\s*,\s*\w+)*\s*")


def parse(text: str, dataset: Dataset) -> Segmentation:
    """Return the scheme that a text asks for.

    Args:
        text: ``quantile:10,30,60``, ``share:50,80,95``, ``thresholds:500,100``, ``cost:5:10,3,1``, ``quadrant``,
            ``quadrant:value=50,p=0.3,by=predicted``, ``rfm``, ``clusters:5``, ``rules:NAME`` or ``rules:FILE.json``.
        dataset: whose kept rules are known by name.

    Raises:
        UsageError: it asks for none.
        NotFound: there are no such rules.
    """
    kind, _, rest = text.strip().partition(":")
    kind, rest = kind.strip().lower(), rest.strip()
    if kind in TIER_KINDS:
        return ValueTiers(Scheme.parse(text))
    if kind == COST:
        return CostTiers.parse(rest)
    if kind == QUADRANT:
        return Quadrant.parse(rest)
    if kind == CLUSTERS:
        return Clusters.parse(rest)
    if kind == RULES:
        return load_rules(dataset, rest)
    if kind == RFM and not rest:
        return Rfm()
    raise UsageError("scheme_unknown", text=text[:80], known=list(KINDS))


def parse_condition(text: str, scheme: Segmentation) -> Condition:
    """Return the condition that a text says; words alone name segments of the scheme, ``1,2`` or ``protect``.

    Raises:
        UsageError: it is no condition.
    """
    if isinstance(scheme, ValueTiers) or not WORDS.fullmatch(text):
        return Condition.parse(text)
    keys = tuple(part.strip() for part in text.split(","))
    if not (isinstance(scheme, Rules) and scheme.overlapping):
        return Condition(SEGMENT, "=", keys)
    if len(keys) > 1:
        raise UsageError("rules_one_segment", text=text[:80])
    return Condition(f"{MEMBER}{keys[0]}", "=", ("yes",))


def asked(scheme: str, segments: Sequence[str], dataset: Dataset) -> tuple[Scheme | Segmentation, list[Condition]]:
    """Return scheme and conditions as a command line says them; value tiers as :mod:`clv_core.strategy.tiers` has them.

    Raises:
        UsageError: one of them cannot be read.
        NotFound: there are no such rules.
    """
    found = parse(scheme, dataset)
    conditions = [parse_condition(text, found) for text in segments]
    return (found.scheme if isinstance(found, ValueTiers) else found), conditions
