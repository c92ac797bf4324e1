"""Who was in a campaign goes when it is long due; what it brought stays, to the last digit."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from clv_core import audit
from clv_core.collection.ingest import ingest
from clv_core.collection.store import Dataset, open_dataset
from clv_core.erasure import make_person_file
from clv_core.errors import Refused
from clv_core.jobs import NoProgress
from clv_core.strategy.campaigns import (
    CampaignRequest,
    Outcome,
    campaigns_of,
    groups,
    groups_ends,
    outcome_json,
    outcomes,
    with_control,
)
from clv_core.strategy.campaigns.campaign import FOLDER
from clv_core.strategy.campaigns.stored_outcome import remove_groups
from clv_core.upkeep import Due, expire, load_retention, plan_retention, save_retention
from clv_core.upkeep.retention import Retention
from clv_core.workspace import Workspace
from tests.strategy.campaigns.test_outcome import CUSTOMERS, IDS, LOG, START


@pytest.fixture
def shop(tmp_path: Path) -> Dataset:
    """The log of the tests of outcomes, 40 days behind the start of a campaign."""
    LOG.to_csv(tmp_path / "log.csv", index=False)
    workspace = Workspace(tmp_path / "workspace")
    ingest(workspace, tmp_path / "log.csv", "shop", currency="EUR")
    return open_dataset(workspace, "shop")


def begin(dataset: Dataset, name: str = "Summer", after: int = 0, share: float = 0.4) -> CampaignRequest:
    request = CampaignRequest(name, START + timedelta(days=after), 30, share, {"scheme": "quantile"}, 0.5, 0.4)
    segments = ["1" if number < 200 else "2" for number in range(CUSTOMERS)]
    with_control(dataset, request, pd.DataFrame({"customer_id": IDS, "segment": segments}))
    return request


def workspace_of(dataset: Dataset) -> Workspace:
    return Workspace(dataset.folder.parents[2])


def due(workspace: Workspace) -> Due:
    return {one.kind: one for one in plan_retention(workspace)}["campaigns"]


def as_json(found: list[Outcome]) -> list[str]:
    return [json.dumps(outcome_json(outcome, "EUR"), sort_keys=True) for outcome in found]


def test_groups_go_so_many_days_after_the_due_date_and_the_outcome_stays(shop: Dataset) -> None:
    workspace, request = workspace_of(shop), begin(shop)
    before = outcomes(workspace, shop)
    assert before[0].uplift is not None and len(before[0].by_segment) == 2
    age = (date.today() - date(2024, 7, 31)).days
    assert due(workspace).due == 0, "nothing goes by itself"
    save_retention(workspace, Retention(campaigns=age + 9))
    assert (due(workspace).due, due(workspace).next[:10]) == (0, (date(2024, 7, 31) + timedelta(age + 9)).isoformat())
    held = make_person_file(workspace, IDS[3], NoProgress()).facts["datasets"][0]["campaigns"]
    assert [member["goes"] for member in held] == [due(workspace).next[:10]]
    save_retention(workspace, load_retention(workspace).with_days({"campaigns": age - 9}))
    plan = due(workspace)
    assert (plan.items, plan.due, plan.oldest[:10]) == (CUSTOMERS, CUSTOMERS, "2024-07-31")
    assert [note.code for note in plan.notes] == ["retention.note.campaigns"]
    expire(workspace, NoProgress())
    assert as_json(outcomes(workspace, shop)) == as_json(before)
    folder = shop.folder.parent / FOLDER / "Summer"
    assert sorted(path.name for path in folder.iterdir()) == ["campaign.json", "outcome.json"]
    texts = b"".join(path.read_bytes() for path in folder.iterdir())
    assert not [customer for customer in IDS if customer.encode() in texts]
    assert groups(shop, "Summer").empty and campaigns_of(shop, IDS[3]) == [] and groups_ends(shop) == []
    noted = next(line for line in audit.lines(workspace) if line["action"] == "expire")
    assert (noted["kind"], noted["rows"], noted["outcome"]) == ("campaigns", CUSTOMERS, "done")
    with pytest.raises(Refused, match="removed by retention"):
        with_control(shop, request, pd.DataFrame({"customer_id": IDS}))


def test_groups_stay_while_the_log_does_not_reach_the_due_date_of_theirs_or_of_one_beside_them(shop: Dataset) -> None:
    workspace = workspace_of(shop)
    begin(shop)
    begin(shop, "Later", after=20)  # due on 20 August, the log ends on 10 August
    save_retention(workspace, Retention(campaigns=1))
    plan = due(workspace)
    assert (plan.items, plan.due) == (2 * CUSTOMERS, 0)
    assert [(note.code, note.params["n"]) for note in plan.notes] == [("retention.note.campaigns_kept", 2)]
    expire(workspace, NoProgress())
    assert len(groups(shop, "Summer")) == len(groups(shop, "Later")) == CUSTOMERS


def test_one_that_is_told_apart_from_another_says_the_same_when_the_others_groups_are_gone(shop: Dataset) -> None:
    workspace = workspace_of(shop)
    begin(shop)
    begin(shop, "Beside", after=5)
    before = outcomes(workspace, shop)
    assert [outcome.told_apart for outcome in before] == [("Summer",), ("Beside",)]
    remove_groups(workspace, shop, "Summer")
    assert len(groups(shop, "Beside")) == CUSTOMERS
    assert as_json(outcomes(workspace, shop)) == as_json(before)


def test_what_it_brought_is_written_before_the_events_go_by_which_it_was_measured(shop: Dataset) -> None:
    workspace = workspace_of(shop)
    begin(shop)
    before = outcomes(workspace, shop)
    save_retention(workspace, Retention(events=(date.today() - START).days - 15))
    expire(workspace, NoProgress())
    after = open_dataset(workspace, "shop")
    assert after.log_start > START and len(groups(after, "Summer")) == CUSTOMERS
    assert as_json(outcomes(workspace, after)) == as_json(before)
