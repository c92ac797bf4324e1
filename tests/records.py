"""Records of models by hand: that of a training that was not measured, with what a test is about put in its place."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from clv_core.config import TrainConfig
from clv_core.deployment.model_record import ModelRecord
from clv_core.evaluation.evidence import Evidence
from clv_core.evaluation.trust import judge

HORIZON = 90


def values(**changed: Any) -> dict[str, Any]:
    """Return a record's JSON."""
    cost = {"seconds": 1.0, "memory_mb": 100.0}
    return {
        "model": "naive",
        "dataset": {"name": "shop", "version": "0123456789ab"},
        "created": "2026-01-01T00:00:00+00:00",
        "code_version": "0.1.0",
        "cutoff": "2025-12-31",
        "horizon_days": HORIZON,
        "currency": "EUR",
        "config": TrainConfig(horizon_days=HORIZON, model="naive", seed=1).to_json(),
        "metrics": {},
        "baselines": {},
        "holdout": None,
        "evidence": None,
        "trust": {"verdict": "caution", "reasons": [{"code": "reason.unvalidated", "params": {"horizon": HORIZON}}]},
        "signals": {},
        "warnings": [],
        "estimate": cost,
        "actual": cost,
        "digest": "0" * 64,
        **changed,
    }


def model_record(**changed: Any) -> ModelRecord:
    """Return the record of :func:`values`."""
    return ModelRecord.from_json(values(**changed))


def judged(record: ModelRecord, evidence: Evidence) -> ModelRecord:
    """Return a record with other evidence, and the verdict that it gives."""
    return replace(record, evidence=evidence, trust=judge(evidence))


def address(record: Mapping[str, Any], sums: Mapping[str, str]) -> str:
    """Return the content address that a record's JSON claims with files of these checksums."""
    about = {key: record.get(key) for key in ("model", "code_version", "cutoff", "horizon_days", "config")}
    about |= {"data": record["dataset"]["version"], "files": dict(sums)}
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()
