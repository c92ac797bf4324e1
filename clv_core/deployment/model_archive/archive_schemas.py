"""What the JSON files of an imported bundle may hold: the record, the model's state, the reference for monitoring.

Fields of the record beyond these are kept as they are; a version that does not know them does not read them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from clv_core.collection.customers.attributes import Attribute
from clv_core.config import MODEL_IDS, TrainConfig
from clv_core.deployment.bundle_record import FORMAT
from clv_core.errors import ClvError, Message, Refused
from clv_core.evaluation.evidence import Evidence
from clv_core.evaluation.trust import REASONS, judge
from clv_core.features.sequences import STEP_CODES, STEP_VALUES
from clv_core.i18n import LANGUAGES
from clv_core.model.inputs import STEP_CHANNELS
from clv_core.preprocessing.encode import CategoryEncoder, NumberEncoder
from clv_core.preprocessing.review_encoder import ReviewEncoder
from clv_core.workspace import check_name

Text = Annotated[str, Field(max_length=200)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$"), AfterValidator(date.fromisoformat)]
HorizonDays = Annotated[int, Field(ge=1, le=3650)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Weights = dict[Literal["hybrid", "instant_tuned", "lightgbm", "bgnbd"], Annotated[float, Field(ge=0, le=1)]]
Metrics = dict[Annotated[str, Field(max_length=40)], Number | None]

MAX_NUMBER: Final = 1e18
"""Of any number in a model's state; its square is still a float32."""
Size = Annotated[float, Field(ge=1 / MAX_NUMBER)]


class _Strict(BaseModel):
    """An object whose values are exactly of their types: a text is no number, a number no boolean."""

    model_config = ConfigDict(strict=True)


class _Open(_Strict):
    """An object that may have further fields."""

    model_config = ConfigDict(extra="allow")


class _Closed(_Strict):
    """An object that has no other fields."""

    model_config = ConfigDict(extra="forbid")


class _Message(_Open):
    code: Annotated[str, Field(pattern=r"^(reason|warning)\.[a-z0-9_]{1,60}$")]
    params: dict[Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")], bool | int | Number | Text | None]


class _Dataset(_Open):
    name: Annotated[str, Field(min_length=1, max_length=64)]
    version: Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]


class _Trust(_Open):
    verdict: Literal["trusted", "caution", "not_trusted"]
    reasons: Annotated[list[_Message], Field(min_length=1, max_length=40)]


class _Cost(_Open):
    seconds: Amount
    memory_mb: Amount


class _Holdout(_Open):
    cutoff: Day
    customers: Count
    buyers: Count


class _Signals(_Open):
    attributes: list[Attribute] = []
    review_themes: list[list[Text]] = []


class _Sampled(_Open):
    customers: Count
    events: Count
    fraction: Annotated[float, Field(gt=0, le=1)]
    kept_customers: Count
    kept_events: Count


class _Record(_Open):
    format: Literal[2]
    seal: Digest
    digest: Digest
    checksums: dict[str, Digest]
    model: Literal[MODEL_IDS]  # type: ignore[valid-type]
    dataset: _Dataset
    created: Annotated[str, Field(max_length=40)]
    code_version: Annotated[str, Field(max_length=40)]
    cutoff: Day
    horizon_days: HorizonDays
    currency: Annotated[str, Field(max_length=16)]
    config: dict[str, bool | int | Number | Text | None]
    metrics: Metrics
    baselines: dict[Annotated[str, Field(max_length=40)], Metrics]
    holdout: _Holdout | None
    evidence: Evidence | None = None
    signals: _Signals = _Signals()
    trust: _Trust
    warnings: Annotated[list[_Message], Field(max_length=100)]
    estimate: _Cost
    actual: _Cost
    untrained: bool = False
    sampled: _Sampled | None = None
    weights: Weights = {}


class _Table(_Strict):
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


class _Inputs(_Strict):
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
        _Record.model_validate_json(json.dumps(record))
    except ValidationError as error:
        field = ".".join(map(str, error.errors()[0]["loc"])) or "{}"
        raise Refused("import_field", member=member, field=field[:80]) from error
    checks = {"dataset.name": _name, "created": _times, "config": _config, "trust": _sentences, "evidence": _evidence}
    for field, check in checks.items():
        try:
            check(record)
        except (ClvError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise Refused("import_field", member=member, field=field) from error
    checked: dict[str, Any] = record
    return checked


def _name(record: Mapping[str, Any]) -> None:
    check_name(record["dataset"]["name"])


def _times(record: Mapping[str, Any]) -> None:
    datetime.fromisoformat(record["created"]).astimezone()


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
    if unknown := {item["code"].removeprefix("reason.") for item in record["trust"]["reasons"]} - set(REASONS):
        raise ValueError(str(unknown))


def _evidence(record: Mapping[str, Any]) -> None:
    """It gives a verdict whose reasons have a text in each language."""
    if record.get("evidence") is not None:
        for reason in judge(Evidence.from_json(record["evidence"])).reasons:
            for language in LANGUAGES:
                reason.text(language)
