"""Does what was read make the model that it says it is? It is built, and must write again what it was read from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clv_core.deployment.exchange.boosters import check_booster
from clv_core.errors import Refused
from clv_core.preprocessing.table import TableEncoder

_RANGES: Final = {
    "horizon_days": (1, 3650),
    "largest": (0, 1e18),
    "money": (1e-18, 1e18),
    "never_value": (0, 1e18),
    "never_share": (0, 1),
    "networks": (1, 64),
}
"""Numbers of a model's state by name; the baselines end theirs with an underscore."""
_MAYBE_NONE: Final = ("largest",)


def check_model(record: Mapping[str, Any], tensors: dict[str, NDArray[Any]], state: Any) -> None:
    """Build the model and hold it against what it was built from.

    Args:
        record: of the bundle, already checked.
        tensors: its weights, finite.
        state: of ``state.json``.

    Raises:
        Refused: a tensor is missing, too many, or of another shape than the model has; a value is out of range; or the
            model is of another horizon than the record says.
    """
    from clv_core.training.fit import MODELS

    kind = record["model"]
    try:
        _check_state(state, record["horizon_days"])
        model = MODELS[kind].load(dict(tensors), state)
        again, described = model.state()
    except Exception as error:  # whatever foreign values bring about: they are refused
        raise Refused("import_mismatch", model=kind) from error
    same = again.keys() == tensors.keys() and all(np.array_equal(value, tensors[name]) for name, value in again.items())
    if not same or json.loads(json.dumps(described)) != state:
        raise Refused("import_mismatch", model=kind)


def _check_state(state: Any, horizon_days: int) -> None:
    """Check the numbers that a model takes as they are, and the trees of boosters."""
    for name, value in state.items():
        plain = name.removesuffix("_")
        if name in ("deep", "instant"):
            _check_state(value, horizon_days)
        elif plain in _RANGES:
            _check_number(plain, value)
            if plain == "horizon_days" and value != horizon_days:
                raise ValueError("another horizon")
        elif name == "config" and value["horizon_days"] != horizon_days:
            raise ValueError("another horizon")
    for name in ("value", "chance"):
        if name in state:
            check_booster(state[name], len(TableEncoder.from_json(state["encoder"]).columns_))


def _check_number(name: str, value: Any) -> None:
    if value is None and name in _MAYBE_NONE:
        return
    low, high = _RANGES[name]
    whole = name in ("horizon_days", "networks")
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)) or not low <= value <= high:
        raise ValueError(f"{name} out of range")
