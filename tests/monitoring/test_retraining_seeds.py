"""A challenger that came out better is trained again: what is luck of a start is told from what is better."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from clv_core.config import TrainConfig
from clv_core.errors import Message
from clv_core.i18n import LANGUAGES
from clv_core.jobs import NoProgress
from clv_core.monitoring import retraining, retraining_seeds
from clv_core.monitoring.retraining import CHALLENGER, CHAMPION, PROMOTED, STAYS, Outcome
from clv_core.workspace import Workspace
from tests.records import model_record

CUSTOMERS, ORIGIN = 400, "2024-05-01"
CONFIG = TrainConfig(horizon_days=60, model="hybrid", seed=5, ensemble=2)
WHY = Message("retrain.promoted", {"origin": ORIGIN, "customers": CUSTOMERS})
BETTER = Outcome(PROMOTED, "old", "new", WHY, ORIGIN, CUSTOMERS)


def predictions(model: str, lean: float) -> pd.DataFrame:
    """Return predictions that are the truth but for what leans on a trait of the customers."""
    rng = np.random.default_rng(11)
    truth, trait = rng.lognormal(2, 1, CUSTOMERS), rng.normal(size=CUSTOMERS)
    fixed = dict.fromkeys(("p_purchase", "clv_p10", "clv_p50", "clv_p90"), 0.5)
    about = {"customer_id": np.arange(CUSTOMERS).astype(str), "actual": truth, "origin": ORIGIN, **fixed}
    return pd.DataFrame({**about, "predicted_clv": truth * np.exp(lean * trait), "model": model})


def confirm(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, leans: tuple[float, float], config: TrainConfig = CONFIG
) -> tuple[Outcome, list[int]]:
    """Confirm a challenger that leans by .05 beside a champion's .3, and by ``leans`` from its further starts."""
    seeds, left = [], iter(leans)

    def run_origin(_: object, origin: date, own: TrainConfig, models: list[str], *__: object) -> Any:
        assert (origin.isoformat(), models) == (ORIGIN, ["hybrid"])
        seeds.append(own.seed)
        return SimpleNamespace(predictions=predictions("hybrid", next(left)))

    rows = pd.concat([predictions(CHAMPION, 0.3), predictions(CHALLENGER, 0.05)], ignore_index=True)
    monkeypatch.setattr(retraining_seeds, "run_origin", run_origin)
    monkeypatch.setattr(retraining_seeds, "open_log", lambda *_, **__: None)
    monkeypatch.setattr(retraining_seeds, "predicted_by_both", lambda *_: rows)
    dataset: Any = SimpleNamespace(name="shop", manifest=SimpleNamespace(version="v"))
    bundle: Any = SimpleNamespace(id="new", record=model_record(config=config.to_json()))
    return retraining_seeds.confirm_over_seeds(workspace, BETTER, dataset, bundle, bundle, NoProgress()), seeds


def test_one_that_is_better_from_every_start_is_promoted(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    found, seeds = confirm(Workspace(tmp_path), monkeypatch, (0.06, 0.04))
    assert (found.outcome, found.starts, found.why) == (PROMOTED, 3, WHY)
    assert seeds == [7, 9]  # no network of one start is one of another
    truth = predictions("", 0.0)["predicted_clv"]
    off = [np.sqrt(((predictions("", lean)["predicted_clv"] - truth) ** 2).mean()) for lean in (0.3, 0.05, 0.06, 0.04)]
    rmse = next(one for one in found.figures if one.metric == "rmse")
    assert (rmse.champion, rmse.challenger) == pytest.approx((off[0], np.mean(off[1:])))
    assert rmse.advantage.value == pytest.approx(off[0] - np.mean(off[1:])) and rmse.advantage.low > 0


def test_one_that_was_lucky_with_its_start_is_not(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = confirm(Workspace(tmp_path), monkeypatch, (0.32, 0.28))
    assert (found.outcome, found.why.code) == (STAYS, "retrain.start")
    for language in LANGUAGES:
        assert "{" not in found.why.text(language) and "3" in found.why.text(language)
    assert list((tmp_path / "runs").iterdir()) == []


def test_nothing_is_trained_again_that_stays_or_has_no_start(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    found, seeds = confirm(Workspace(tmp_path), monkeypatch, (), TrainConfig(horizon_days=60, model="bgnbd"))
    assert (found, seeds) == (BETTER, [])


@pytest.mark.parametrize(
    ("model", "other", "code"),
    [("bgnbd", "bgnbd", "nothing_learned"), ("lightgbm", "lightgbm", "equal"), ("bgnbd", "naive", "equal")],
)
def test_of_a_model_that_learns_nothing_is_said_why_nothing_changed(
    monkeypatch: pytest.MonkeyPatch, model: str, other: str, code: str
) -> None:
    rows = pd.concat([predictions(name, 0.1) for name in (CHAMPION, CHALLENGER)], ignore_index=True)
    monkeypatch.setattr(retraining, "predicted_by_both", lambda *_: rows)
    one, two = (
        SimpleNamespace(id=at, record=SimpleNamespace(model=name), has_holdout=True)
        for at, name in (("old", model), ("new", other))
    )
    dataset, champion, challenger = cast("tuple[Any, Any, Any]", (None, one, two))
    found = retraining.compare(dataset, champion, challenger, NoProgress())
    assert (found.outcome, found.why.code) == (STAYS, f"retrain.{code}")
    assert all("{" not in found.why.text(language) for language in LANGUAGES)
