"""Comparison of two versions: settings, metrics, and whether one is significantly better."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

import pandas as pd

from clv_core.config import TrainConfig
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.registry.version import Version
from clv_core.evaluation import METRICS, Bootstrap, Estimate, with_role

TESTED: Final = with_role("versions")
"""Order, level and size: the three figures whose difference is tested."""
_IGNORED: Final = ("processes", "device")


@dataclass(frozen=True)
class Comparison:
    """Two versions of a name.

    Args:
        one: the first.
        other: the second.
        facts: ``(fact, of one, of the other)`` where they differ: data, cutoff, horizon, kind, code.
        settings: ``(setting, of one, of the other)`` where they differ.
        metrics: ``(metric, of one, of the other)``, on the holdout of each.
        advantage: by how much ``one`` is better, paired over the same customers, by metric; empty where the two were
            not measured on the same customers at the same origin and horizon.
    """

    one: Version
    other: Version
    facts: tuple[tuple[str, Any, Any], ...]
    settings: tuple[tuple[str, Any, Any], ...]
    metrics: tuple[tuple[str, float | None, float | None], ...]
    advantage: dict[str, Estimate]

    def better(self, metric: str) -> Version | None:
        """Return the version that is significantly better, None where neither is."""
        advantage = self.advantage.get(metric)
        if advantage is None or advantage.low <= 0 <= advantage.high:
            return None
        return self.one if advantage.value > 0 else self.other

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        return {
            "one": self.one.to_json(),
            "other": self.other.to_json(),
            "facts": _pairs(self.facts),
            "settings": _pairs(self.settings),
            "metrics": _pairs(self.metrics),
            "advantage": {name: asdict(estimate) for name, estimate in self.advantage.items()},
        }


def compare(one: Version, other: Version, bundles: tuple[Bundle, Bundle]) -> Comparison:
    """Compare two versions.

    Args:
        one: the first.
        other: the second.
        bundles: theirs, to read the holdouts from.

    Raises:
        Refused: a holdout was changed on disk.
    """
    a, b = one.record, other.record
    facts = [
        ("data", one.data_hash, other.data_hash),
        ("cutoff", a.cutoff.isoformat(), b.cutoff.isoformat()),
        ("horizon", a.horizon_days, b.horizon_days),
        ("kind", a.model, b.model),
        ("code", a.code_version, b.code_version),
    ]
    keys = [key for key in dict.fromkeys([*a.config, *b.config]) if key not in ("model", "horizon_days")]
    usual = TrainConfig().to_json()  # of settings that are newer than a version
    values = [[record.config.get(key, usual.get(key)) for key in keys] for record in (a, b)]
    settings = [item for item in zip(keys, *values, strict=True) if item[0] not in _IGNORED]
    first, second = a.metrics, b.metrics
    return Comparison(
        one=one,
        other=other,
        facts=tuple(item for item in facts if item[1] != item[2]),
        settings=tuple(item for item in settings if item[1] != item[2]),
        metrics=tuple((name, first.get(name), second.get(name)) for name in METRICS if name in {*first, *second}),
        advantage=_advantage(*(bundle.holdout(bundle.record.model) for bundle in bundles)),
    )


def _advantage(one: pd.DataFrame | None, other: pd.DataFrame | None) -> dict[str, Estimate]:
    """Return by how much ``one`` is better on the same customers; nothing where they are not the same."""
    if one is None or other is None:
        return {}
    keys = ["customer_id", "origin", "horizon_days", "actual"]
    same = [frame[keys].sort_values("customer_id", ignore_index=True) for frame in (one, other)]
    if not same[0].equals(same[1]):
        return {}
    both = pd.concat([one.assign(model="one"), other.assign(model="other")], ignore_index=True)
    bootstrap, origin = Bootstrap.of(both, TESTED), str(one["origin"].iloc[0])
    measured = [name for name in TESTED if {(origin, model, name) for model in ("one", "other")} <= {*bootstrap.values}]
    return {name: bootstrap.advantage("one", "other", name) for name in measured}


def _pairs(rows: tuple[tuple[str, Any, Any], ...]) -> dict[str, list[Any]]:
    return {name: [one, other] for name, one, other in rows}
