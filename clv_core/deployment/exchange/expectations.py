"""Does what was read make the model that it says it is? It is built, and must write again what it was read from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clv_core.deployment.exchange.boosters import check_booster
from clv_core.deployment.exchange.state import LARGEST, State
from clv_core.errors import Refused


def check_model(record: Mapping[str, Any], tensors: dict[str, NDArray[Any]], state: Any) -> None:
    """Build the model and hold it against what it was built from.

    Args:
        record: of the bundle, already checked.
        tensors: its weights, finite.
        state: of ``state.json``.

    Raises:
        Refused: a tensor is missing, too many, or of another shape than the model has; a value is of another type or
            out of range; or the model is of another horizon than the record says.
    """
    from clv_core.training.fit import MODELS

    kind = record["model"]
    try:
        if not all(abs(number) <= LARGEST for number in _numbers(state)):
            raise ValueError("a number out of range")
        plain = {name.removesuffix("_"): value for name, value in state.items()}
        _check_state(State.model_validate_json(json.dumps(plain)), record["horizon_days"])
        model = MODELS[kind].load(dict(tensors), state)
        again, described = model.state()
    except Exception as error:  # whatever foreign values bring about: they are refused
        raise Refused("import_mismatch", model=kind) from error
    same = again.keys() == tensors.keys() and all(np.array_equal(value, tensors[name]) for name, value in again.items())
    if not same or json.loads(json.dumps(described)) != state:
        raise Refused("import_mismatch", model=kind)


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, (int, float)):
        yield value
    elif isinstance(value, (list, dict)):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _numbers(one)


def _check_state(state: State, horizon_days: int) -> None:
    """Check that all parts are of one horizon, and the trees of boosters."""
    for part in (state.hybrid, state.instant_tuned):
        if part is not None:
            _check_state(part, horizon_days)
    horizons = {state.config.get("horizon_days", horizon_days)}
    horizons |= {state.horizon_days} if "horizon_days" in state.model_fields_set else set()
    if horizons != {horizon_days}:
        raise ValueError("another horizon")
    for name in {"value", "chance"} & state.model_fields_set:
        check_booster(getattr(state, name), state.columns)
