"""A model's record is read as it was written, or refused by the field that is wrong."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from clv_core.config import TrainConfig
from clv_core.deployment.bundle import RECORD, read_record, write_record
from clv_core.deployment.model_record import ModelRecord
from clv_core.errors import Message, Refused
from clv_core.evaluation.evidence import Evidence
from clv_core.evaluation.membership import Memory
from clv_core.records import BadField
from tests.records import HORIZON, model_record, values

MEMORY = {"auc": 0.5, "low": 0.4, "high": 0.6, "tpr_at_1pct": None, "members": 900, "nonmembers": 90}


def test_what_a_model_remembers_is_written_where_it_was_tried_and_earlier_records_open_without() -> None:
    tried = model_record(memory=MEMORY)
    assert tried.memory == Memory(0.5, 0.4, 0.6, None, 900, 90) and tried.to_json()["memory"] == MEMORY
    assert ModelRecord.from_json(tried.to_json()) == tried
    earlier = ModelRecord.from_json(values(format=3, seal="0" * 64))
    assert earlier.memory is None and "memory" not in earlier.to_json()


def test_fields_have_their_types() -> None:
    record = model_record(holdout={"cutoff": "2025-10-02", "customers": 9, "buyers": 3})
    assert record.cutoff == date(2025, 12, 31) and record.holdout is not None
    assert record.holdout.cutoff == date(2025, 10, 2) and record.holdout.train_windows == 0
    assert record.train_config == TrainConfig(horizon_days=HORIZON, model="naive", seed=1)
    assert record.trust.reasons == (Message("reason.unvalidated", {"horizon": HORIZON}),)
    assert ModelRecord.from_json(record.to_json()) == record


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("surprise", {"surprise": 1}),
        ("dataset.owner", {"dataset": {"name": "shop", "version": "0123456789ab", "owner": "x"}}),
        ("evidence.later", {"evidence": {"horizon_days": HORIZON, "later": None}}),
        ("trust.reasons.0.says", {"trust": {"verdict": "caution", "reasons": [{"code": "reason.x", "says": "y"}]}}),
        ("horizon_days", {"horizon_days": True}),
        ("horizon_days", {"horizon_days": "90"}),
        ("cutoff", {"cutoff": "2025-12-31T00:00:00"}),
        ("cutoff", {"cutoff": 1_767_139_200}),
        ("created", {"created": "yesterday"}),
        ("untrained", {"untrained": 1}),
        ("metrics", {"metrics": {"auc": 1.5}}),
        ("metrics", {"metrics": {"luck": 0.5}}),
        ("baselines.bgnbd", {"baselines": {"bgnbd": {"mae": -1.0}}}),
        ("actual.seconds", {"actual": {"seconds": -1.0, "memory_mb": 1.0}}),
        ("weights.mlp.[key]", {"weights": {"mlp": 1.0}}),
        ("memory.auc", {"memory": {**MEMORY, "auc": 1.5}}),
        ("memory.members", {"memory": {**MEMORY, "members": -1}}),
    ],
)
def test_what_no_record_has_is_refused_by_its_place(field: str, changed: dict[str, Any]) -> None:
    with pytest.raises(BadField) as error:
        model_record(**changed)
    assert error.value.field == field


def test_every_field_without_a_default_is_needed() -> None:
    later = {"evidence", "signals", "digest"}  # those of the rest that came later are left out by hand
    for name in values():
        given = {key: value for key, value in values().items() if key != name}
        if name in later:
            assert ModelRecord.from_json(given).model == "naive"
        else:
            with pytest.raises(BadField, match=name):
                ModelRecord.from_json(given)


def test_another_currency_is_that_of_every_amount() -> None:
    record = model_record(
        evidence=Evidence(HORIZON, currency="EUR").to_json(),
        trust={
            "verdict": "caution",
            "reasons": [{"code": "reason.tenths_off", "params": {"off": 0.5, "currency": "EUR"}}],
        },
        warnings=[{"code": "warning.x", "params": {"currency": "EUR"}}, {"code": "warning.y", "params": {"days": 3}}],
    )
    labelled = record.labelled("CHF")
    assert "EUR" not in str(labelled.to_json()) and str(labelled.to_json()).count("CHF") == 4
    assert labelled.warnings[1] == record.warnings[1] and labelled.labelled("EUR") == record


def test_a_record_that_was_not_written_since_is_read_once(tmp_path: Path) -> None:
    record = model_record()
    write_record(tmp_path, record)
    ago = time.time() - 60
    os.utime(tmp_path / RECORD, (ago, ago))
    assert read_record(tmp_path) is read_record(tmp_path) == record
    write_record(tmp_path, replace(record, currency="CHF"))
    assert read_record(tmp_path).currency == "CHF"


def test_a_byte_that_was_changed_is_found_in_a_record_that_was_read_before(tmp_path: Path) -> None:
    write_record(tmp_path, model_record())
    assert read_record(tmp_path).currency == "EUR"
    text = (tmp_path / RECORD).read_text()
    (tmp_path / RECORD).write_text(text.replace('"EUR"', '"CHF"'))
    with pytest.raises(Refused, match=RECORD):
        read_record(tmp_path)
