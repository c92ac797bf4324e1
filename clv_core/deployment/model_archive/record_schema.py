"""A model's record (``bundle.json``) as types: every field has a type, a range and a length.

An archive's record is checked against :class:`ModelRecord`; the program's own records fit it. A later version may have
fields that are not here. They are kept, and nothing reads them: :func:`check_values` bounds what they hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from clv_core.config import MODEL_IDS
from clv_core.deployment.bundle import FILES
from clv_core.evaluation import METRICS, REASONS

MAX_NUMBER: Final = 1e18
"""Of any number in a record or a model's state; its square is still a float32."""
MAX_TEXT: Final = 200
"""Letters of any text of a record, as of a column's name."""
MAX_ITEMS: Final = 2_000
"""Of a list or an object, as columns of a file."""
HIDDEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, those that turn the direction of what stands around them, and halves of characters; other
invisible ones are part of words and emoji."""
OWN_TEXTS: Final = re.compile(r"signals\.(attributes\.\d+\.(name|dated_by)|review_themes\.\d+\.\d+)")
"""Fields with texts of the dataset's own: names of columns and pieces of reviews, which may hold ``<``."""
TEXTS: Final = {
    "currency": re.compile(r"[^<>]{0,16}"),
    "origin": re.compile(r"\d{4}-\d{2}-\d{2}"),
    "since": re.compile(r"\d{4}-\d{2}-\d{2}"),
    "code": re.compile(r"[a-z_]{1,60}"),
    "names": re.compile(r"[^<>]{1,200}"),
}
"""Parameters of reasons and warnings that are texts, and what they look like; all others are numbers."""
SIGNED: Final = ("bias", "gini", "spearman", "capture10")
"""Metrics that may be negative."""
SHARES: Final = (
    *("auc", "brier", "accuracy", "precision", "recall", "f1", "coverage80", "coverage80_top"),
    *("pit10", "pit50", "pit90"),
)
"""Metrics between 0 and 1."""


def check_values(value: Any, field: str = "") -> Iterator[str]:
    """Yield the place of each value of a record that no record holds, whatever its field is called.

    A text is at most :data:`MAX_TEXT` letters without control characters, changes of direction and, outside of
    :data:`OWN_TEXTS`, angle brackets; a number is at most :data:`MAX_NUMBER`; a list or an
    object has at most :data:`MAX_ITEMS` items.
    """
    if isinstance(value, str):
        if not _is_plain(value, markup=OWN_TEXTS.fullmatch(field) is not None):
            yield field
    elif isinstance(value, (int, float)):
        if not abs(value) <= MAX_NUMBER:
            yield field
    elif isinstance(value, dict | list) and len(value) > MAX_ITEMS:
        yield field
    elif isinstance(value, dict):
        for key, one in value.items():
            place = f"{field}.{key}" if field else key
            if _is_plain(key):
                yield from check_values(one, place)
            else:
                yield place
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from check_values(one, f"{field}.{number}")


def _is_plain(text: str, *, markup: bool = False) -> bool:
    if len(text) > MAX_TEXT or (not markup and re.search("[<>]", text)):
        return False
    return not HIDDEN.search(text)


def _time(text: str) -> str:
    datetime.fromisoformat(text).astimezone()
    return text


Text = Annotated[str, Field(max_length=MAX_TEXT)]
Number = Annotated[float, Field(ge=-MAX_NUMBER, le=MAX_NUMBER, allow_inf_nan=False)]
Amount = Annotated[float, Field(ge=0, le=MAX_NUMBER, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0, le=10**12)]
"""Of customers, events or days: more than the earth has people."""
Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$"), AfterValidator(date.fromisoformat)]
Time = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}[\d.:Z+-]{0,16}$"), AfterValidator(_time)]
HorizonDays = Annotated[int, Field(ge=1, le=3650)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Currency = Annotated[str, Field(max_length=16)]
Identifier = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$")]
Model = Literal[MODEL_IDS]  # type: ignore[valid-type]
Weights = dict[Literal["hybrid", "instant_tuned", "lightgbm", "bgnbd"], Share]


def _metrics(values: dict[str, float | None]) -> dict[str, float | None]:
    if unknown := values.keys() - METRICS.keys():
        raise ValueError(f"no metric {unknown}")
    for name, value in values.items():
        least, most = -MAX_NUMBER if name in SIGNED else 0.0, 1.0 if name in SHARES else MAX_NUMBER
        if value is not None and not least <= value <= most:
            raise ValueError(f"{name} out of its range")
    return values


def _params(values: dict[str, Any]) -> dict[str, Any]:
    for name, value in values.items():
        text = TEXTS.get(name)
        if isinstance(value, str) != (text is not None) or (text is not None and not text.fullmatch(value)):
            raise ValueError(f"{name} of another kind")
    return values


Metrics = Annotated[dict[Identifier, Number | None], AfterValidator(_metrics)]


class Strict(BaseModel):
    """An object whose values are exactly of their types: a text is no number, a number no boolean."""

    model_config = ConfigDict(strict=True)


class Open(Strict):
    """An object that may have further fields, of a later version."""

    model_config = ConfigDict(extra="allow")


class CodedMessage(Open):
    """A reason or a warning: a sentence of the catalogues and what fills it."""

    code: Annotated[str, Field(pattern=r"^(reason|warning)\.[a-z0-9_]{1,60}$")]
    params: Annotated[
        dict[Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")], int | Number | Text],
        Field(max_length=20),
        AfterValidator(_params),
    ]


class DatasetName(Open):
    """What it was trained on."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    version: Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]


class TrustRecord(Open):
    """The verdict; what it is follows from its reasons."""

    verdict: Literal["trusted", "caution", "not_trusted"]
    reasons: Annotated[list[CodedMessage], Field(min_length=1, max_length=40)]

    @model_validator(mode="after")
    def _follows(self) -> Self:
        """The verdict is that of its strongest reason (:data:`clv_core.evaluation.trust.REASONS`).

        Raises:
            ValueError: it is not, or there is no such reason.
        """
        codes = [reason.code.removeprefix("reason.") for reason in self.reasons]
        if unknown := set(codes) - set(REASONS):
            raise ValueError(str(unknown))
        kinds = {REASONS[code] for code in codes}
        if self.verdict != ("not_trusted" if "refuses" in kinds else "caution" if "cautions" in kinds else "trusted"):
            raise ValueError("a verdict against its reasons")
        return self


class CostRecord(Open):
    """What training costs."""

    seconds: Amount
    memory_mb: Amount


class HoldoutRecord(Open):
    """Where it was measured."""

    cutoff: Day
    customers: Count
    buyers: Count
    train_windows: Count = 0


class EstimateRecord(Open):
    """A figure with its interval (:class:`clv_core.evaluation.bootstrap.Estimate`)."""

    value: Number
    low: Number
    high: Number


class IntervalsRecord(Open):
    """How outcomes lie in the intervals (:class:`clv_core.evaluation.calibration.Intervals`)."""

    buyers: Count
    outside: Share
    outside_right: Share
    outside_noise: Amount
    above: Share
    above_right: Share
    above_noise: Amount
    over: Amount
    customers: Count
    pit10: Share
    pit50: Share
    pit90: Share


class GroupsRecord(Open):
    """How groups came out (:class:`clv_core.evaluation.calibration.Groups`)."""

    buyers_expected: Amount
    buyers_noise: Amount
    tenths_off: Amount
    worst: Annotated[int, Field(ge=0, le=10)]
    worst_predicted: Number
    worst_actual: Number


class HeldRecord(Open):
    """The latest complete origin (:class:`clv_core.evaluation.evidence.Held`)."""

    origin: Day
    customers: Count
    buyers: Count
    predicted_total: Number
    actual_total: Number
    gini: EstimateRecord | None
    inside: Annotated[float, Field(ge=-1, le=1)]
    over_reference: EstimateRecord | None = None
    intervals: IntervalsRecord | None = None
    groups: GroupsRecord | None = None


class LogRecord(Open):
    """Sizes of the log (:class:`clv_core.evaluation.evidence.LogFacts`)."""

    days: Count
    customers: Count
    buyers: Count
    loyal: Count
    quiet_days: Count
    top_share: Share = 0.0


class ChangeRecord(Open):
    """A break of customers' behaviour (:class:`clv_core.evaluation.change.Change`)."""

    since: Day
    days: Count
    purchases: Amount
    order_value: Amount
    purchases_changed: bool
    order_value_changed: bool
    earlier: Count


class RollingRecord(Open):
    """Earlier origins (:class:`clv_core.evaluation.evidence.Rolling`)."""

    origins: Count
    level_off: Count
    below_reference: Count
    over_reference: EstimateRecord | None = None
    overlap: Share | None = None


class EvidenceRecord(Open):
    """What the verdict is made from (:class:`clv_core.evaluation.evidence.Evidence`)."""

    horizon_days: HorizonDays
    held: HeldRecord | None = None
    log: LogRecord | None = None
    change: ChangeRecord | None = None
    rolling: RollingRecord | None = None
    untrained: bool = False
    currency: Currency = ""


class AttributeRecord(Open):
    """A column of customers (:class:`clv_core.collection.customers.attributes.Attribute`)."""

    name: Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]
    kind: Literal["number", "text"]
    dated_by: Text | None = None


class SignalsRecord(Open):
    """The dataset's own columns that it reads."""

    attributes: Annotated[list[AttributeRecord], Field(max_length=MAX_ITEMS)] = []
    review_themes: Annotated[list[Annotated[list[Text], Field(max_length=64)]], Field(max_length=64)] = []


class SampledRecord(Open):
    """The sample that it was trained on."""

    customers: Count
    events: Count
    fraction: Annotated[float, Field(gt=0, le=1)]
    kept_customers: Count
    kept_events: Count


class ModelRecord(Open):
    """The record of a model."""

    format: Literal[2]
    seal: Digest
    digest: Digest
    checksums: dict[Literal[FILES], Digest]  # type: ignore[valid-type]
    model: Model
    dataset: DatasetName
    created: Time
    code_version: Annotated[str, Field(pattern=r"^\d[0-9A-Za-z.+-]{0,39}$")]
    cutoff: Day
    horizon_days: HorizonDays
    currency: Currency
    config: dict[Identifier, bool | int | Number | Text | None]
    metrics: Metrics
    baselines: dict[Model, Metrics]
    holdout: HoldoutRecord | None
    evidence: EvidenceRecord | None = None
    signals: SignalsRecord = SignalsRecord()
    trust: TrustRecord
    warnings: Annotated[list[CodedMessage], Field(max_length=100)]
    estimate: CostRecord
    actual: CostRecord
    untrained: bool = False
    sampled: SampledRecord | None = None
    weights: Weights = {}
