"""What the JSON files of an imported bundle may hold: the record, the model's state, the reference for monitoring."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, ValidationError, model_validator

from clv_core.config import TrainConfig
from clv_core.deployment.bundle_record import FORMAT
from clv_core.deployment.model_archive.record_schema import (
    MAX_NUMBER,
    Amount,
    Count,
    Day,
    HorizonDays,
    ModelRecord,
    Number,
    Strict,
    Weights,
    check_values,
)
from clv_core.errors import ClvError, Message, Refused
from clv_core.evaluation import Evidence, judge
from clv_core.features import STEP_CODES, STEP_VALUES
from clv_core.i18n import LANGUAGES
from clv_core.model import STEP_CHANNELS
from clv_core.preprocessing import CategoryEncoder, NumberEncoder, ReviewEncoder
from clv_core.workspace import check_name

Size = Annotated[float, Field(ge=1 / MAX_NUMBER)]


class _Closed(Strict):
    """An object that has no other fields."""

    model_config = ConfigDict(extra="forbid")


class _Table(Strict):
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


class _Inputs(Strict):
    table: _Table
    money: Size
    scales: Annotated[list[Size], Field(min_length=len(STEP_VALUES), max_length=len(STEP_VALUES))]
    vocabularies: Annotated[list[list[str]], Field(min_length=len(STEP_CODES), max_length=len(STEP_CODES))]
    lowest: Annotated[list[float], Field(min_length=len(STEP_CHANNELS) - 1, max_length=len(STEP_CHANNELS) - 1)]
    highest: Annotated[list[float], Field(min_length=len(STEP_CHANNELS) - 1, max_length=len(STEP_CHANNELS) - 1)]
    oldest: Amount


class _Trees(_Closed):
    trees: str
    base: Number


class _Simple(_Closed):
    trees: _Trees
    money: Size
    never_value: Amount
    weights: Weights

    @model_validator(mode="after")
    def _all(self) -> Self:
        """Every member counts something, or nothing.

        Raises:
            ValueError: one is missing.
        """
        if len(self.weights) != 4:
            raise ValueError("a member without a weight")
        return self


class State(_Closed):
    """The fields of all kinds of model; those of the baselines end in an underscore in ``state.json``.

    Which of them a kind needs is checked when the model is rebuilt.
    """

    config: dict[str, Any] = {}
    encoder: _Inputs | _Table | None = None
    horizon_days: HorizonDays = 1
    networks: Annotated[int, Field(ge=1, le=64)] = 1
    money: Size = 1.0
    largest: Amount = 0.0
    never_value: Amount = 0.0
    never_share: Annotated[float, Field(ge=0, le=1)] = 0.0
    kind: str = ""
    value: str | _Trees = ""
    chance: str | _Trees = ""
    levelled: bool = False
    sets_chance: bool = False
    hybrid: State | None = None
    instant_tuned: State | None = None
    simple: _Simple | None = None

    @property
    def columns(self) -> int:
        """How many columns its trees read."""
        table = self.encoder.table if isinstance(self.encoder, _Inputs) else self.encoder
        return 0 if table is None else len(table.kept)

    def boosters(self) -> Iterator[tuple[str, int]]:
        """Yield the text of each booster, and how many columns it reads."""
        for one in (self.value, self.chance):
            if one != "":
                yield one if isinstance(one, str) else one.trees, self.columns
        if self.simple is not None:
            yield self.simple.trees.trees, 0 if self.hybrid is None else self.hybrid.columns


class _Histograms(_Closed):
    as_of: Day
    customers: Count
    counts: dict[str, list[Count]]
    predicted_mean: Number
    p_purchase_mean: Number


class ReferenceInfo(_Closed):
    """``reference.json`` (:mod:`clv_core.monitoring.drift.drift_reference`)."""

    cutoff: Day
    source: str
    first_day: Day
    chunks: dict[str, list[tuple[int, Day, Day]]]
    bins: dict[str, list[Number]]
    sights: list[_Histograms]


def check_record(record: Any, member: str) -> dict[str, Any]:
    """Return the record, checked.

    Args:
        record: the value of ``bundle.json``.
        member: its name.

    Raises:
        Refused: a field is missing or has no valid value; the error names it.
    """
    if isinstance(record, dict) and record.get("format") not in (FORMAT, None):
        raise Refused("import_field", member=member, field="format")
    try:
        ModelRecord.model_validate_json(json.dumps(record))
    except ValidationError as error:
        field = ".".join(map(str, error.errors()[0]["loc"])) or "{}"
        raise Refused("import_field", member=member, field=_shown(field)) from error
    for field in check_values(record):
        raise Refused("import_field", member=member, field=_shown(field))
    checks = {"dataset.name": _name, "config": _config, "trust": _sentences, "evidence": _evidence}
    for field, check in checks.items():
        try:
            check(record)
        except (ClvError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise Refused("import_field", member=member, field=field) from error
    checked: dict[str, Any] = record
    return checked


def _shown(field: str) -> str:
    """Return a field's name as a refusal repeats it: its first letters, without those that are not shown."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in field[:80])


def _name(record: Mapping[str, Any]) -> None:
    check_name(record["dataset"]["name"])


def _config(record: Mapping[str, Any]) -> None:
    """Settings exist, are within their bounds, and agree with the record."""
    config = TrainConfig.from_json(record["config"])
    if config.horizon_days != record["horizon_days"] or config.model != record["model"]:
        raise ValueError("another horizon or model")


def _sentences(record: Mapping[str, Any]) -> None:
    """Every reason and warning has a text in each language."""
    for item in [*record["trust"]["reasons"], *record["warnings"]]:
        for language in LANGUAGES:
            Message(item["code"], item["params"]).text(language)


def _evidence(record: Mapping[str, Any]) -> None:
    """It is of the record's horizon, and gives a verdict whose reasons have a text in each language."""
    if record.get("evidence") is not None:
        evidence = Evidence.from_json(record["evidence"])
        if evidence.horizon_days != record["horizon_days"]:
            raise ValueError("another horizon")
        for reason in judge(evidence).reasons:
            for language in LANGUAGES:
                reason.text(language)
