"""What the JSON files of an imported bundle may hold: the record, the model's state, the reference for monitoring."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from clv_core.deployment.model_record import FIRST_SEALED, FORMAT, ModelRecord, Weights
from clv_core.errors import ClvError, Message, Refused
from clv_core.evaluation import judge, verdict_of
from clv_core.features import STEP_CODES, STEP_VALUES
from clv_core.i18n import LANGUAGES
from clv_core.model import STEP_CHANNELS
from clv_core.preprocessing import CategoryEncoder, NumberEncoder, ReviewEncoder
from clv_core.records import MAX_NUMBER, Amount, BadField, Count, Day, HorizonDays, Number
from clv_core.workspace import check_name

MAX_TEXT: Final = 200
"""Letters of any text of a record, as of a column's name."""
MAX_ITEMS: Final = 2_000
"""Of a list or an object, as columns of a file."""
HIDDEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, bidirectional overrides and isolates, and lone surrogates; other invisible characters are part of
words and emoji."""
OWN_TEXTS: Final = re.compile(r"signals\.(attributes\.\d+\.(name|dated_by)|review_themes\.\d+\.\d+)")
"""Fields with texts of the dataset's own: names of columns and pieces of reviews, which may hold ``<``."""
TEXTS: Final = {
    "currency": re.compile(r"[^<>]{0,16}"),
    "origin": re.compile(r"\d{4}-\d{2}-\d{2}"),
    "since": re.compile(r"\d{4}-\d{2}-\d{2}"),
    "code": re.compile(r"[a-z_]{1,60}"),
    "names": re.compile(r"[^<>]{1,200}"),
}
"""Text parameters of reasons and warnings, with their patterns; all others are numbers."""
MAX_PARAMS: Final = 20
"""Of a reason or a warning; those of the catalogue have at most six."""
Size = Annotated[float, Field(ge=1 / MAX_NUMBER)]


class Strict(BaseModel):
    """An object whose values are exactly of their types: a text is no number, a number no boolean."""

    model_config = ConfigDict(strict=True)


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
        for encoder in self.encoders:
            if isinstance(encoder, NumberEncoder) and not (encoder.unit > 0 and encoder.spread > 0):
                raise ValueError("a size of 0")
            if not isinstance(encoder, ReviewEncoder):
                continue
            if {*map(len, (encoder.weights, *encoder.themes))} != {len(encoder.ngrams)}:
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
    trees: _Trees | None = None
    money: Size
    never_value: Amount
    weights: Weights

    @model_validator(mode="after")
    def _all(self) -> Self:
        """Every member counts something, or nothing.

        Raises:
            ValueError: one is missing.
        """
        if len(self.weights) != (3 if self.trees is None else 4):
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
    longest_silence: Annotated[float, Field(ge=0)] | None = None
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
        for booster in (self.value, self.chance):
            if booster != "":
                yield booster if isinstance(booster, str) else booster.trees, self.columns
        if self.simple is not None and self.simple.trees is not None:
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


def check_record(values: Any, member: str) -> ModelRecord:
    """Return the record, checked.

    Args:
        values: of ``bundle.json``.
        member: its name.

    Raises:
        Refused: a field is missing or has no valid value; the error names it. Or a later version wrote it.
    """
    try:
        if not isinstance(values, dict):
            raise BadField("{}")
        record = ModelRecord.from_json(values)
        if values.get("format") not in range(FIRST_SEALED, FORMAT + 1):
            raise BadField("format")
        for field in check_values(values):
            raise BadField(field)
        if not all("params" in message for message in [*values["trust"]["reasons"], *values["warnings"]]):
            raise BadField("params")
        for field, check in CHECKS.items():
            try:
                check(record)
            except BadField:
                raise
            except (ClvError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
                raise BadField(field) from error
    except BadField as error:
        raise Refused("import_field", member=member, field=_shown(error.field)) from error
    return record


def _shown(field: str) -> str:
    """Return a field's name as a refusal repeats it: its first letters, without those that are not shown."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in field[:80])


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
        for key, item in value.items():
            place = f"{field}.{key}" if field else key
            if _is_plain(key):
                yield from check_values(item, place)
            else:
                yield place
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from check_values(item, f"{field}.{number}")


def _is_plain(text: str, *, markup: bool = False) -> bool:
    if len(text) > MAX_TEXT or (not markup and re.search("[<>]", text)):
        return False
    return not HIDDEN.search(text)


def _name(record: ModelRecord) -> None:
    check_name(record.dataset.name)


def _config(record: ModelRecord) -> None:
    """Settings exist, are within their bounds, and agree with the record."""
    config = record.train_config
    if config.horizon_days != record.horizon_days or config.model != record.model:
        raise ValueError("another horizon or model")


def _trust(record: ModelRecord) -> None:
    """The verdict is that of its reasons, and every one has a text in each language."""
    _messages("trust.reasons", "reason", record.trust.reasons)
    if record.trust.verdict != verdict_of(reason.code.removeprefix("reason.") for reason in record.trust.reasons):
        raise ValueError("a verdict against its reasons")


def _warnings(record: ModelRecord) -> None:
    _messages("warnings", "warning", record.warnings)


def _messages(place: str, kind: str, messages: Sequence[Message]) -> None:
    """Each is of its kind, has a text in every language, and its parameters are of theirs."""
    for number, message in enumerate(messages):
        if not re.fullmatch(rf"{kind}\.[a-z0-9_]{{1,60}}", message.code):
            raise BadField(f"{place}.{number}.code")
        valid_params = {name: _is_param(name, value) for name, value in message.params.items()}
        if len(valid_params) > MAX_PARAMS or not all(valid_params.values()):
            raise BadField(f"{place}.{number}.params")
        for language in LANGUAGES:
            message.text(language)


def _is_param(name: str, value: Any) -> bool:
    """Say whether a message may have a parameter: a text that :data:`TEXTS` describes, else a number."""
    if name in TEXTS:
        return isinstance(value, str) and TEXTS[name].fullmatch(value) is not None
    return type(value) in (int, float) and re.fullmatch("[a-z_]{1,40}", name) is not None


def _evidence(record: ModelRecord) -> None:
    """It is of the record's horizon, and gives a verdict whose reasons have a text in each language."""
    if record.evidence is not None:
        if record.evidence.horizon_days != record.horizon_days:
            raise ValueError("another horizon")
        for reason in judge(record.evidence).reasons:
            for language in LANGUAGES:
                reason.text(language)


CHECKS: Final[dict[str, Callable[[ModelRecord], None]]] = {
    "dataset.name": _name,
    "config": _config,
    "trust": _trust,
    "warnings": _warnings,
    "evidence": _evidence,
}
"""Checks of a record from elsewhere beyond its fields' types and ranges, by the field that is refused."""
