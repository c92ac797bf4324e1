"""Values under other terms, customer by customer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from clv_core.columns import CUSTOMER_ID
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.saved_scores import Scored, score
from clv_core.deployment.terms import Terms
from clv_core.errors import Refused
from clv_core.jobs import NoProgress
from clv_core.strategy.segments import DEFAULT_SCHEME, VALUE, load_scored_customers
from clv_core.workspace import Workspace

TERMS = Terms(180, discount_rate=0.1)


def test_each_customer_gets_her_own_value_in_whatever_order(small_workspace: Workspace, small_bundle: Bundle) -> None:
    scored = Scored.open(small_workspace, "shop", small_bundle.id, terms=TERMS)
    frame = score(scored, progress=NoProgress())
    said = frame.set_index(CUSTOMER_ID)[VALUE]
    people = pd.DataFrame({CUSTOMER_ID: said.index, VALUE: -1.0, "tier": 1}).sample(frac=0.5, random_state=1)
    found = scored.at_terms(people, NoProgress())
    assert list(found[CUSTOMER_ID]) == list(people[CUSTOMER_ID]) and set(found["tier"]) == {1}
    assert np.array_equal(found[VALUE], [said[one] for one in people[CUSTOMER_ID]])


def test_tiers_go_by_the_trained_horizon_whatever_the_terms(small_workspace: Workspace, small_bundle: Bundle) -> None:
    scored = Scored.open(small_workspace, "shop", small_bundle.id, terms=TERMS)
    listed = load_scored_customers(scored, DEFAULT_SCHEME, progress=NoProgress()).frame.set_index(CUSTOMER_ID)
    trained = scored.trained.scores(NoProgress()).set_index(CUSTOMER_ID)[VALUE]
    assert scored.trained.is_trained and not scored.is_trained and scored.scores_path != scored.trained.scores_path
    assert listed[VALUE].equals(trained[listed.index]) and not listed[VALUE].equals(
        scored.scores(NoProgress()).set_index(CUSTOMER_ID)[VALUE][listed.index]
    )


def test_whoever_has_no_value_any_more_does_not_get_another_s(small_workspace: Workspace, small_bundle: Bundle) -> None:
    people = pd.DataFrame({CUSTOMER_ID: ["gone"], VALUE: 1.0})
    with pytest.raises(Refused) as refused:
        Scored.open(small_workspace, "shop", small_bundle.id, terms=TERMS).at_terms(people, NoProgress())
    assert (refused.value.code, refused.value.params["missing"]) == ("scores_changed", 1)
