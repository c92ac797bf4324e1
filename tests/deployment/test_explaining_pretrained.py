"""Explanations of models that read a customer's whole past add up to what they predict."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from clv_core import pipeline
from clv_core.deployment.saved_scores import Scored
from clv_core.deployment.score_explanations import explain_scores
from clv_core.deployment.zero_shot import zero_shot
from clv_core.evaluation.explain.explanation import TOLERANCE
from clv_core.features.duckdb_engine import Engine
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace
from tests.conftest import SMALL, own_copy


@pytest.fixture
def workspace(small_workspace: Workspace, tmp_path: Path) -> Workspace:
    return own_copy(small_workspace, tmp_path)


@pytest.mark.examples(1)
@pytest.mark.parametrize("model", ["instant", "instant_tuned", "blend"])
def test_the_parts_of_a_prediction_add_up_to_it(workspace: Workspace, model: str) -> None:
    config = replace(SMALL, model=model, steps=10, max_steps_back=6)
    bundle = pipeline.train(workspace, "shop", config, progress=NoProgress())
    scored = Scored.open(workspace, "shop", bundle.id)
    found = explain_scores(scored, sample=12, permutations=1, progress=NoProgress()).value
    scores = scored.scores(NoProgress())
    known = scores.set_index("customer_id")["predicted_clv"].reindex(list(found.customer_ids))
    assert found.predicted == pytest.approx(known.to_numpy(), rel=1e-6)
    assert found.residual < TOLERANCE
    timing = found.importance().set_index("part")["mean_abs"]
    assert timing["timing"] > 0, "when customers came decides what they are worth"


def test_a_log_that_was_explained_is_let_go_of(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    scored = zero_shot(workspace, "shop", progress=NoProgress()).scored
    engines: list[Engine] = []
    made = Engine.__init__

    def noted(self: Engine, *words: int) -> None:
        made(self, *words)
        engines.append(self)

    monkeypatch.setattr(Engine, "__init__", noted)
    explain_scores(scored, sample=3, permutations=1, progress=NoProgress())
    assert engines and not any(engine._finalizer.alive for engine in engines)
