"""Hiding what decides moves predictions more than hiding what does not; a made-up explanation is found out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from clv_core.evaluation.explain.checks import Faithfulness, faithfulness
from clv_core.evaluation.explain.explanation import Explanation, ExplanationTask, explain
from clv_core.evaluation.explain.parts import background_rows, sample_rows
from clv_core.features.snapshot import Snapshot, concat
from clv_core.jobs import NoProgress
from tests.evaluation.explain.conftest import planted


def explained(snapshot: Snapshot) -> tuple[np.ndarray, np.ndarray, dict[str, Explanation]]:
    predicted = planted(snapshot)
    rows = sample_rows(predicted, 1, 80)
    return (
        predicted,
        rows,
        explain(ExplanationTask(planted, snapshot, predicted, rows), permutations=1, progress=NoProgress()),
    )


def test_the_reasons_of_a_planted_model_are_its_own(snapshot: Snapshot) -> None:
    predicted, rows, answers = explained(snapshot)
    found = faithfulness(ExplanationTask(planted, snapshot, predicted, rows), answers)["predicted_clv"]
    assert found.passed and found.hidden == (1,) and found.customers == 80
    assert all(strongest > 1.2 * chance for strongest, chance in zip(found.strongest, found.chance, strict=True))
    assert Faithfulness.from_json(found.to_json()) == found


def test_one_hidden_part_moves_the_prediction_as_worked_out_by_hand(snapshot: Snapshot) -> None:
    predicted, rows, answers = explained(snapshot)
    found = faithfulness(ExplanationTask(planted, snapshot, predicted, rows), answers)["predicted_clv"]
    explanation = answers["predicted_clv"]
    compared = snapshot.take(background_rows(predicted, 1))
    columns = {part: number for number, part in enumerate(explanation.parts)}
    of_part = {"recent_spend": ["net_value_90d"], "actions": ["views_30d", "carts_90d", "events"], "age": ["tenure"]}
    moves = []
    for place, row in enumerate(rows):
        strongest = explanation.parts[int(np.abs(explanation.values[place]).argmax())]
        assert strongest in of_part and columns[strongest] >= 0
        copies = concat([snapshot.take(np.array([row]))] * len(compared))
        theirs = {name: compared.features[name].to_numpy() for name in of_part[strongest]}
        features = copies.features.assign(**theirs)
        moves.append(abs(planted(replace(copies, table=features)).mean() - predicted[row]))
    assert np.isclose(found.strongest[0], np.mean(moves), rtol=1e-9)


def test_an_explanation_that_names_the_wrong_parts_fails(snapshot: Snapshot) -> None:
    predicted, rows, answers = explained(snapshot)
    own = answers["predicted_clv"]
    strength = np.abs(own.values)
    upside_down = replace(own, values=np.where(strength > 0, 1 / (strength + 1e-3), 0.0))
    found = faithfulness(ExplanationTask(planted, snapshot, predicted, rows), {"predicted_clv": upside_down})[
        "predicted_clv"
    ]
    assert found.passed is False and found.strongest[0] < found.chance[0]


def test_with_a_single_part_there_is_nothing_to_compare(snapshot: Snapshot) -> None:
    def alone(some: Snapshot) -> np.ndarray:
        return np.asarray(some.features["tenure"].to_numpy(np.float64) + 1)

    predicted = alone(snapshot)
    rows = sample_rows(predicted, 1, 20)
    answers = explain(ExplanationTask(alone, snapshot, predicted, rows), permutations=1, progress=NoProgress())
    assert faithfulness(ExplanationTask(alone, snapshot, predicted, rows), answers)["predicted_clv"].passed is None
