"""What ``state.json`` of a foreign bundle may say: types, ranges, and lengths of lists.

Which of the fields there have to be shows when the model is built and written again.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Self

from pydantic import ConfigDict, Field, model_validator

from clv_core.deployment.exchange.fields import Amount, Part
from clv_core.features.sequences import STEP_CODES, STEP_VALUES
from clv_core.model.inputs import STEP_CHANNELS
from clv_core.preprocessing.encode import CategoryEncoder, NumberEncoder
from clv_core.preprocessing.reviews import ReviewEncoder

LARGEST: Final = 1e18
"""Of any number; its square is still a float32."""
Size = Annotated[float, Field(ge=1 / LARGEST)]


class _Table(Part):
    encoders: list[NumberEncoder | CategoryEncoder | ReviewEncoder]
    kept: list[int]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        """Lists of one encoder are equally long, scales are sizes, and every column is made once.

        Raises:
            ValueError: they are not.
        """
        columns = sum(len(encoder.columns) for encoder in self.encoders)
        if self.kept != sorted(set(self.kept)) or not set(self.kept) <= set(range(columns)):
            raise ValueError("columns that there are not")
        for one in self.encoders:
            if isinstance(one, NumberEncoder) and not (one.unit > 0 and one.spread > 0):
                raise ValueError("a size of 0")
            if isinstance(one, ReviewEncoder) and {*map(len, (one.weights, *one.themes))} != {len(one.ngrams)}:
                raise ValueError("another number of n-grams")
        return self


class _Inputs(Part):
    table: _Table
    money: Size
    scales: Annotated[list[Size], Field(min_length=len(STEP_VALUES), max_length=len(STEP_VALUES))]
    vocabularies: Annotated[list[list[str]], Field(min_length=len(STEP_CODES), max_length=len(STEP_CODES))]
    lowest: Annotated[list[float], Field(min_length=len(STEP_CHANNELS) - 1, max_length=len(STEP_CHANNELS) - 1)]
    highest: Annotated[list[float], Field(min_length=len(STEP_CHANNELS) - 1, max_length=len(STEP_CHANNELS) - 1)]
    oldest: Amount


class State(Part):
    """The fields of all kinds of model; those of the baselines end in an underscore there."""

    model_config = ConfigDict(extra="forbid")
    config: dict[str, Any] = {}
    encoder: _Inputs | _Table | None = None
    horizon_days: Annotated[int, Field(ge=1, le=3650)] = 1
    networks: Annotated[int, Field(ge=1, le=64)] = 1
    money: Size = 1.0
    largest: Amount = 0.0
    never_value: Amount = 0.0
    never_share: Annotated[float, Field(ge=0, le=1)] = 0.0
    kind: str = ""
    value: str = ""
    chance: str = ""
    hybrid: State | None = None
    instant_tuned: State | None = None

    @property
    def columns(self) -> int:
        """How many columns its trees read."""
        return len(self.encoder.kept) if isinstance(self.encoder, _Table) else 0
