"""What the record of a foreign bundle must say: the fields that pages, scores and the registry rely on.

Fields beyond these stay as they are; they are bounded by :mod:`.documents` and mean nothing to a version that does not
know them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationError

from clv_core.collection.customers.values import Attribute
from clv_core.config import MODEL_IDS, TrainConfig
from clv_core.deployment.exchange.fields import Amount, Count, Day, Number, Part, Text
from clv_core.deployment.record import FORMAT
from clv_core.errors import ClvError, Message, Refused
from clv_core.evaluation.evidence import Evidence
from clv_core.evaluation.trust import REASONS, judge
from clv_core.i18n import LANGUAGES
from clv_core.workspace import check_name

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Metrics = dict[Annotated[str, Field(max_length=40)], Number | None]


class _Part(Part):
    model_config = ConfigDict(extra="allow")


class _Said(_Part):
    code: Annotated[str, Field(pattern=r"^(reason|warning)\.[a-z0-9_]{1,60}$")]
    params: dict[Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")], bool | int | Number | Text | None]


class _Dataset(_Part):
    name: Annotated[str, Field(min_length=1, max_length=64)]
    version: Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]


class _Trust(_Part):
    verdict: Literal["trusted", "caution", "not_trusted"]
    reasons: Annotated[list[_Said], Field(min_length=1, max_length=40)]


class _Cost(_Part):
    seconds: Amount
    memory_mb: Amount


class _Holdout(_Part):
    cutoff: Day
    customers: Count
    buyers: Count


class _Signals(_Part):
    attributes: list[Attribute] = []
    review_themes: list[list[Text]] = []


class _Sampled(_Part):
    customers: Count
    events: Count
    fraction: Annotated[float, Field(gt=0, le=1)]
    kept_customers: Count
    kept_events: Count


class _Record(_Part):
    format: Literal[2]
    seal: Digest
    digest: Digest
    checksums: dict[str, Digest]
    model: Literal[MODEL_IDS]  # type: ignore[valid-type]
    dataset: _Dataset
    created: Annotated[str, Field(max_length=40)]
    code_version: Annotated[str, Field(max_length=40)]
    cutoff: Day
    horizon_days: Annotated[int, Field(ge=1, le=3650)]
    currency: Annotated[str, Field(max_length=16)]
    config: dict[str, bool | int | Number | Text | None]
    metrics: Metrics
    baselines: dict[Annotated[str, Field(max_length=40)], Metrics]
    holdout: _Holdout | None
    evidence: Evidence | None = None
    signals: _Signals = _Signals()
    trust: _Trust
    warnings: Annotated[list[_Said], Field(max_length=100)]
    estimate: _Cost
    actual: _Cost
    untrained: bool = False
    sampled: _Sampled | None = None


def check_record(record: Any, member: str) -> dict[str, Any]:
    """Return the record, checked.

    Args:
        record: what ``bundle.json`` says.
        member: its name.

    Raises:
        Refused: a field is missing, or says what it cannot say; the error names it.
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
    found: dict[str, Any] = record
    return found


def _name(record: Mapping[str, Any]) -> None:
    check_name(record["dataset"]["name"])


def _times(record: Mapping[str, Any]) -> None:
    datetime.fromisoformat(record["created"]).astimezone()


def _config(record: Mapping[str, Any]) -> None:
    """Settings are known, in their bounds, of their types, and say the same as the record."""
    config = TrainConfig.from_json(record["config"])
    if config.horizon_days != record["horizon_days"] or config.model != record["model"]:
        raise ValueError("another horizon or model")


def _sentences(record: Mapping[str, Any]) -> None:
    """Every reason and warning can be said in each language."""
    for item in [*record["trust"]["reasons"], *record["warnings"]]:
        for language in LANGUAGES:
            Message(item["code"], item["params"]).text(language)
    if unknown := {item["code"].removeprefix("reason.") for item in record["trust"]["reasons"]} - set(REASONS):
        raise ValueError(str(unknown))


def _evidence(record: Mapping[str, Any]) -> None:
    """A verdict can be made of it, and said in each language."""
    if record.get("evidence") is not None:
        for reason in judge(Evidence.from_json(record["evidence"])).reasons:
            for language in LANGUAGES:
                reason.text(language)
