"""Who is once in a group of a campaign stays there, whatever happens to the list, the dataset or its models."""

from __future__ import annotations

import subprocess
import sys
from datetime import date

import pandas as pd
import pytest

from clv_core.collection.store import open_dataset
from clv_core.errors import NotFound, Refused, UsageError
from clv_core.strategy.campaigns import (
    CampaignRequest,
    Sending,
    campaigns_of,
    forget_customers,
    groups,
    list_campaigns,
    note_sent,
    open_campaign,
    preview_control,
    with_control,
)
from clv_core.strategy.campaigns.campaign import FOLDER
from clv_core.workspace import Workspace

PEOPLE = pd.DataFrame(
    {
        "customer_id": [f"c{number}" for number in range(400)],
        "predicted_clv": [float(number) for number in range(400)],
        "tier": [1 + number // 100 for number in range(400)],
    }
)


def request(share: float | None = 0.25, day: str = "2025-01-01", name: str = "Spring") -> CampaignRequest:
    return CampaignRequest(name, date.fromisoformat(day), 30, share, {"scheme": "quantile:10,30,60"}, 0.5, 0.4)


def test_a_customer_stays_in_the_group_of_the_first_list(workspace: Workspace) -> None:
    dataset = open_dataset(workspace, "shop")
    first = with_control(dataset, request(), PEOPLE[:200])
    assert len(first.groups) == 200
    assert 25 < len(first.control) < 75  # a quarter, give or take four standard deviations
    moved = PEOPLE.assign(tier=4, predicted_clv=-1.0)[::-1]
    second = with_control(dataset, request(None, "2025-02-01"), moved)
    assert list(second.groups["customer_id"]) == list(moved["customer_id"])
    assert first.control == second.control & set(PEOPLE["customer_id"][:200])
    known = groups(dataset, "Spring").set_index("customer_id")
    assert known["joined"].value_counts().to_dict() == {"2025-01-01": 200, "2025-02-01": 200}
    assert known.loc["c150", ["segment", "predicted_clv"]].tolist() == ["2", 150.0]
    assert known.loc["c350", ["segment", "predicted_clv"]].tolist() == ["4", -1.0]


def test_the_group_depends_on_nothing_but_the_customer_and_the_campaign(workspace: Workspace) -> None:
    dataset = open_dataset(workspace, "shop")
    seen = preview_control(dataset, request(), PEOPLE)
    assert list_campaigns(dataset) == []
    with_control(dataset, request(), PEOPLE[300:])
    with_control(dataset, request(None), PEOPLE[100:200])
    assert with_control(dataset, request(None), PEOPLE).control == seen.control
    assert with_control(dataset, request(name="Autumn"), PEOPLE).control != seen.control


def test_what_was_asked_and_sent_is_on_record(workspace: Workspace) -> None:
    dataset = open_dataset(workspace, "shop")
    with_control(dataset, request(), PEOPLE)
    sending = Sending("csv", "", "2025-01-01", "spring.csv", "m1", 290, 110, {"no_consent": 7})
    noted = note_sent(dataset, "Spring", sending)
    assert noted == open_campaign(dataset, "Spring") == list_campaigns(dataset)[0]
    assert (noted.started, noted.window_days, noted.share, noted.cost, noted.margin_rate) == (
        *("2025-01-01", 30, 0.25),
        *(0.5, 0.4),
    )
    assert noted.sent == (sending,)
    assert noted.left_out == {"no_consent": 7}
    assert noted.is_measurable
    assert campaigns_of(dataset, "c7")[0].joined == "2025-01-01"
    assert campaigns_of(dataset, "nobody") == []


def test_a_campaign_that_somebody_declined_to_measure_has_no_control_group(workspace: Workspace) -> None:
    dataset = open_dataset(workspace, "shop")
    made = with_control(dataset, request(0.0), PEOPLE)
    assert not made.campaign.is_measurable
    assert made.control == frozenset()
    assert set(made.groups["group"]) == {"list"}


def test_a_share_is_settled_once(workspace: Workspace) -> None:
    dataset = open_dataset(workspace, "shop")
    with pytest.raises(UsageError, match="control group, 0 for none"):
        with_control(dataset, request(None), PEOPLE)
    with pytest.raises(NotFound, match="not found"):
        open_campaign(dataset, "Spring")
    with_control(dataset, request(0.25), PEOPLE)
    with pytest.raises(Refused, match="25%, not 10%"):
        with_control(dataset, request(0.1), PEOPLE)
    for share in (1.0, -0.1):
        with pytest.raises(UsageError, match="leaves a group empty"):
            request(share)
    with pytest.raises(Refused, match="elsewhere"):
        request(name="../elsewhere")


def test_who_objects_leaves_the_groups_and_comes_back_into_the_same(workspace: Workspace) -> None:
    dataset = open_dataset(workspace, "shop")
    control = with_control(dataset, request(), PEOPLE).control
    gone = {*sorted(control)[:3], "c1"}
    assert forget_customers(dataset, gone) == len(gone)
    assert not gone & set(groups(dataset, "Spring")["customer_id"])
    assert with_control(dataset, request(None), PEOPLE).control == control


PROCESS = """
import sys
from datetime import date
from pathlib import Path
import pandas as pd
from clv_core.collection.store import open_dataset
from clv_core.strategy.campaigns import CampaignRequest, with_control
from clv_core.workspace import Workspace
first = int(sys.argv[2])
for begin in range(first, first + 200, 20):
    ids = [f"c{number}" for number in range(begin, begin + 40)]
    people = pd.DataFrame({"customer_id": ids, "predicted_clv": 1.0})
    dataset = open_dataset(Workspace(Path(sys.argv[1])), "shop")
    with_control(dataset, CampaignRequest("Spring", date(2025, 1, 1), 30, 0.25), people)
"""


def test_two_processes_at_once_lose_nobody(workspace: Workspace) -> None:
    dataset = open_dataset(workspace, "shop")
    alone = preview_control(dataset, request(), PEOPLE).control
    runs = [subprocess.Popen([sys.executable, "-c", PROCESS, str(workspace.root), str(at)]) for at in (0, 180)]
    assert [run.wait() for run in runs] == [0, 0]
    rows = groups(dataset, "Spring")
    assert sorted(rows["customer_id"]) == sorted(PEOPLE["customer_id"])
    assert set(rows.loc[rows["group"] == "control", "customer_id"]) == alone
    assert [path.name for path in sorted((dataset.folder.parent / FOLDER / "Spring").iterdir())] == [
        "campaign.json",
        "groups.parquet",
    ]
