"""A list for marketing is proposed a control group on its page, which one click declines; the file is what counts."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clv_core.collection.store import open_dataset
from clv_core.i18n import say_day, translate
from clv_core.strategy.campaigns import CampaignRequest, groups, list_campaigns, with_control
from clv_core.strategy.campaigns.proposal import PastSpending, propose_control
from clv_core.strategy.destinations import Ledger, add_destination, open_destination
from clv_core.strategy.segments import DEFAULT_SCHEME
from clv_core.workspace import Workspace
from pages.ui import confirmation
from tests.pages.conftest import OPEN, REACHABLE, control, do, enter_effects, keys_of, really, texts

pytestmark = pytest.mark.first(2)


def only_campaign(root: Path) -> tuple[str, set[str], set[str]]:
    """Return the name of the one campaign, who is on its list, and who is in the control group."""
    dataset = open_dataset(Workspace(root), "shop")
    [campaign] = list_campaigns(dataset)
    of = groups(dataset, campaign).groupby("group")["customer_id"].agg(set)
    return campaign.name, of["list"], of["control"]


def reached(root: Path, people: pd.DataFrame) -> set[str]:
    """Return whose addresses are in the file that was made last."""
    file = max((root / "exports").glob("*.csv"), key=lambda path: path.stat().st_mtime_ns)
    return set(pd.read_csv(file).iloc[:, 0].map(people.set_index("email")["customer_id"]))


def side(root: Path) -> dict[str, Any]:
    """Return the only side file."""
    [path] = (root / "exports").glob("*.csv.json")
    about: dict[str, Any] = json.loads(path.read_text())
    return about


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_proposed_control_group_is_left_out_of_the_list_and_of_the_next_platform(
    open_page: OPEN, reachable: REACHABLE, language: str
) -> None:
    root, people = reachable
    agreed = set(people.loc[people["consent"] == "yes", "customer_id"])
    app = do(open_page(root, "exports", lang=language), ("export_format", "klaviyo"))
    assert app.toggle(key="export_measured").value
    assert not list_campaigns(open_dataset(Workspace(root), "shop"))  # a proposal assigns nobody
    do(app, "export_make")
    assert not app.error
    name, listed, control = only_campaign(root)
    assert listed | control == agreed and min(len(listed), len(control)) > 0
    assert reached(root, people) == listed
    assert side(root)["settings"]["campaign"] == name and side(root)["left_out"]["control"] == len(control)
    start = open_dataset(Workspace(root), "shop").log_end
    assert translate("campaign.due", language, days=30, start=say_day(start, language)) in texts(app)
    do(app, ("export_format", "mailchimp"))
    sizes = {"listed": f"{len(listed):,}", "control": f"{len(control):,}"}
    begun = translate("campaign.continues", language, name=name, start="", **sizes)[:8]
    assert begun in texts(app)
    do(app, "export_make")
    assert len(list((root / "exports").glob("*.csv"))) == 2 and reached(root, people) == listed
    assert only_campaign(root) == (name, listed, control)


def test_one_click_declines_and_the_list_says_that_it_cannot_be_measured(open_page: OPEN, reachable: REACHABLE) -> None:
    root, people = reachable
    app = do(open_page(root, "exports", lang="en"), ("export_format", "klaviyo"), ("export_measured", False))
    assert translate("campaign.declined", "en") in texts(app)
    do(app, "export_make")
    assert "export_to_results" not in keys_of(app)
    assert reached(root, people) == set(people.loc[people["consent"] == "yes", "customer_id"])
    assert "cannot be measured" in side(root)["assumptions"][-1]["message"]
    assert not list_campaigns(open_dataset(Workspace(root), "shop"))


def test_a_push_for_marketing_leaves_the_control_group_out(open_page: OPEN, reachable: REACHABLE) -> None:
    root, people = reachable
    add_destination(Workspace(root), "lake", "bucket", f"file://{root}/lake")
    app = do(open_page(root, "exports", lang="en"), "push_check")
    assert not list_campaigns(open_dataset(Workspace(root), "shop"))
    do(app, "push_send")
    words = really(root, "push")
    assert any(word.startswith("--campaign=") for word in words)
    name, listed, control = only_campaign(root)
    assert set(pd.read_parquet(root / "lake" / "shop" / "scores.parquet")["customer_id"]) == listed
    assert translate("export.left_out.control", "en") in texts(app.run())


def test_before_a_push_it_is_asked_whether_control_customers_may_stay_where_they_are(
    open_page: OPEN, reachable: REACHABLE
) -> None:
    root, people = reachable
    workspace = Workspace(root)
    add_destination(workspace, "crm", "webhook", "https://crm.shop.example/clv", "env:CRM_SECRET")
    ledger = Ledger(workspace, open_destination(workspace, "crm"), "shop")
    ledger.accept({ledger.key(customer): "" for customer in people["customer_id"]})
    app = do(open_page(root, "exports", lang="en"), "push_send")
    asked = app.session_state[confirmation.OPEN]
    agreed, shown = int((people["consent"] == "yes").sum()), translate("pushing.control.sure", "en", customers=0)
    assert asked.question.startswith(shown.partition("0")[0]) and "“crm” has " in asked.consequence
    assert 0 < int(re.sub(r"\D", "", asked.question)) < agreed
    assert not list_campaigns(open_dataset(workspace, "shop"))


@pytest.mark.parametrize(("page", "key"), [("segments", "list"), ("strategy", "plan")])
def test_lists_of_other_pages_leave_it_out_too(open_page: OPEN, reachable: REACHABLE, page: str, key: str) -> None:
    root, people = reachable
    enter_effects(root)
    app = open_page(root, page, lang="en")
    app.session_state[f"{key}_lists_open"] = True
    app.run()
    assert app.toggle(key=f"{key}_measured").value
    assert control(app, f"{key}_campaign_").value.startswith({"list": "Everybody 20", "plan": "Plan 20"}[key])
    [counted] = re.findall(r"% of ([\d,]+) (?:as|are the) control group", texts(app))
    do(app, (f"{key}_format", "klaviyo"), f"{key}_platform")
    assert not app.error, [one.value for one in app.error]
    _, listed, held_out = only_campaign(root)
    assert reached(root, people) == listed and not listed & held_out
    assert counted == f"{len(listed | held_out):,}", "the list would hold nobody who did not agree"
    assert held_out <= set(people.loc[people["consent"] == "yes", "customer_id"])


@pytest.mark.parametrize(("page", "key", "name"), [("segments", "list", "Mail"), ("strategy", "plan", "Plan 20")])
def test_a_list_goes_on_with_the_campaign_of_the_same_list_alone(
    open_page: OPEN, reachable: REACHABLE, page: str, key: str, name: str
) -> None:
    root, people = reachable
    enter_effects(root)
    dataset = open_dataset(Workspace(root), "shop")
    everybody = {"scheme": str(DEFAULT_SCHEME), "segment": ""}
    with_control(dataset, CampaignRequest("Mail", dataset.log_end, 30, 0.1, everybody), people)
    app = open_page(root, page, lang="en")
    app.session_state[f"{key}_lists_open"] = True
    assert control(app.run(), f"{key}_campaign_").value.startswith(name)


def test_a_warehouse_and_a_spreadsheet_are_proposed_none(open_page: OPEN, reachable: REACHABLE) -> None:
    add_destination(Workspace(reachable[0]), "lake", "bucket", f"file://{reachable[0]}/lake", purpose="warehouse")
    app = open_page(reachable[0], "exports", lang="en")
    assert "push_measured" not in keys_of(app, "toggle") and not app.toggle(key="export_measured_table").value
    do(app, ("export_format", "meta_events"))
    assert not {"export_measured", "export_measured_table"} & keys_of(app, "toggle")


def test_what_a_control_group_shows_is_what_experiments_of_its_size_scatter_by() -> None:
    """Against 2,000 drawn experiments without an effect: a true one as large is found in 80 of 100."""
    rng = np.random.default_rng(4)
    before = rng.gamma(0.5, 100, 4000)
    outcome = 0.2 * before + rng.gamma(0.2, 60, 4000)
    past = PastSpending(before, outcome, np.ones(4000, int), 30)
    made = propose_control(past, np.ones(4000, int), 0.1)
    assert made.effect is not None
    theta = np.cov(before, outcome)[0, 1] / before.var()
    left = outcome - theta * (before - before.mean())
    draws = [rng.permutation(4000)[:400] for _ in range(2000)]
    differences = np.array([left[control].mean() - np.delete(left, control).mean() for control in draws])
    assert 0.77 < (np.abs(made.effect + differences) > 1.645 * differences.std()).mean() < 0.83
    few = propose_control(past, np.ones(40, int))
    assert (few.share, few.effect) == (0, None)
    shares = [propose_control(past, np.ones(size, int)).share for size in (100, 2000, 100_000)]
    assert shares == sorted(shares, reverse=True) and shares[0] * 100 >= 30
