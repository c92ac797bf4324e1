"""A list, its control group, next month's log, and what the list brought: through the browser, in both languages.

Every second customer of the list buys once more than the log says: an effect that the page has to find. What it shows
is held against a regression by least squares over the files themselves.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pytest

from clv_core import pipeline
from clv_core.collection.ingest import ingest
from clv_core.collection.store import open_dataset
from clv_core.collection.store.manifest import Roles
from clv_core.config import TrainConfig
from clv_core.deployment.saved_scores import Scored, score
from clv_core.i18n import LANGUAGES, say_count, say_day, say_money, translate
from clv_core.jobs import NoProgress
from clv_core.preprocessing.add_customers import add_customers
from clv_core.strategy.campaigns import CONTROL, GROUP, groups, list_campaigns
from clv_core.workspace import Workspace
from tests.e2e.conftest import ROOT, serving, window
from tests.e2e.studio import Studio

pytestmark = pytest.mark.timeout(900)

EVENTS: Final = pd.read_csv(ROOT / "tests" / "sample.csv", dtype=str)
START, HALF, DUE = "2024-12-01", "2024-12-16", "2024-12-31"
"""The list is made of the log before the first; the result is due once the log has all days before the last."""
SPENT_MORE: Final = 30.0
"""By every second customer of the list, EUR."""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A shop until :data:`START`, with its model, and addresses of all customers, two in three of whom agreed."""
    workspace = Workspace(tmp_path / "workspace")
    ids = sorted(set(EVENTS["customer_id"]))
    people = pd.DataFrame({"customer_id": ids, "email": [f"{customer}@shop.example" for customer in ids]})
    people["consent"] = np.where(np.arange(len(ids)) % 3, "yes", "no")
    people.to_csv(tmp_path / "people.csv", index=False)
    ingest(workspace, save(EVENTS[EVENTS["event_time"] < START], tmp_path / "log.csv"), "shop", currency="EUR")
    config = TrainConfig(horizon_days=90, model="bgnbd", cutoffs=3)
    bundle = pipeline.train(workspace, "shop", config, progress=NoProgress())
    add_customers(workspace, "shop", tmp_path / "people.csv", Roles(), progress=NoProgress())
    score(Scored.open(workspace, "shop", bundle.id), progress=NoProgress())
    return workspace


@pytest.fixture
def studio(chromium: str, workspace: Workspace) -> Iterator[Studio]:
    """The app over that shop, in a browser window."""
    with serving(workspace.root) as address, window(chromium, address, locale="en-GB", accept_downloads=True) as studio:
        yield studio


def test_a_list_measures_itself_once_next_months_log_is_there(
    studio: Studio, workspace: Workspace, tmp_path: Path
) -> None:
    listed = make_list(studio, tmp_path)
    name, members = check_groups(workspace, listed)
    studio.click(translate("campaign.to_results", "en"))
    is_not_due(studio, "waiting", name)
    goes_on(studio, name, members)
    log = next_month(listed)
    collect_at_night(workspace, save(log[log["event_time"] < HALF], tmp_path / "half.csv"))
    is_not_due(studio, "early", name, gained(members, log[log["event_time"] < HALF]))
    collect_by_hand(studio, save(log[log["event_time"] >= HALF], tmp_path / "rest.csv"))
    is_due(studio, name, members, gained(members, log))
    assert studio.outside == []


def make_list(studio: Studio, folder: Path) -> list[str]:
    """Make a list for Klaviyo with the control group that is proposed; return the customers in the file."""
    studio.open("exports", lang="en", dataset="shop")
    choose_format(studio, "en")
    studio.click(translate("exporting.make", "en"))
    studio.shows(translate("campaign.due", "en", days=30, start=say_day(START, "en")))
    with studio.page.expect_download() as download:
        studio.click(translate("exporting.download", "en"))
    download.value.save_as(folder / "list.csv")
    studio.picture("campaign-list_en")
    return list(pd.read_csv(folder / "list.csv")["customer_id"])


def choose_format(studio: Studio, lang: str) -> None:
    studio.page.get_by_role("combobox", name=translate("exporting.format", lang)).click()
    studio.page.get_by_role("option", name=translate("export.klaviyo", lang)).click()
    studio.wait_for(translate("campaign.measure", lang))


def check_groups(workspace: Workspace, listed: list[str]) -> tuple[str, pd.DataFrame]:
    """Hold the file against the stored groups: who agreed is in one of both, and nobody of the control group in it."""
    dataset = open_dataset(workspace, "shop")
    [campaign] = list_campaigns(dataset)
    members = groups(dataset, campaign)
    control = set(members.loc[members[GROUP] == CONTROL, "customer_id"])
    people = pd.read_csv(workspace.root.parent / "people.csv")
    agreed = set(people.loc[people["consent"] == "yes", "customer_id"])
    assert len(listed) == len(set(listed)) and not control & set(listed)
    assert control | set(listed) == agreed & set(EVENTS.loc[EVENTS["event_time"] < START, "customer_id"])
    assert (campaign.share, campaign.started) == (0.2, START)
    assert len(control) == pytest.approx(0.2 * len(members), abs=4 * (0.16 * len(members)) ** 0.5)
    return campaign.name, members


def goes_on(studio: Studio, name: str, members: pd.DataFrame) -> None:
    """In the other language the page of lists goes on with the campaign, with the same groups."""
    studio.open("exports", lang="zh", dataset="shop")
    choose_format(studio, "zh")
    sizes = members[GROUP].value_counts()
    about = {"control": say_count(sizes[CONTROL], "zh"), "listed": say_count(sizes.drop(CONTROL).sum(), "zh")}
    studio.shows(translate("campaign.continues", "zh", name=name, start=say_day(START, "zh"), **about))
    studio.picture("campaign-list_zh")


def next_month(listed: list[str]) -> pd.DataFrame:
    """Return the log from :data:`START` on, in which every second customer of the list buys once more."""
    log = EVENTS[(EVENTS["event_time"] >= START) & (EVENTS["event_time"] < DUE)]
    orders = {"event_type": "purchase", "amount": str(SPENT_MORE), "product_id": "P001", "quantity": "1"}
    more = pd.DataFrame({"customer_id": listed[::2], "event_time": "2024-12-10 12:00:00", **orders})
    return pd.concat([log, more.assign(order_id="N" + more["customer_id"])]).sort_values("event_time")


def gained(members: pd.DataFrame, log: pd.DataFrame) -> float:
    """Return what the list brought with the log so far, EUR: least squares on the group and what was known before."""
    spent = [
        rows[rows["event_type"].isin(["purchase", "return"])].astype({"amount": float}).groupby("customer_id")["amount"]
        for rows in (log, EVENTS[EVENTS["event_time"].between("2023-12-02", START)])
    ]
    outcome, before = (sums.sum().reindex(members["customer_id"], fill_value=0.0).to_numpy() for sums in spent)
    is_listed = (members[GROUP] != CONTROL).to_numpy(float)
    known = np.column_stack([np.ones(len(members)), is_listed, before, members["predicted_clv"]])
    effect = float(np.linalg.lstsq(known, outcome, rcond=None)[0][1])
    assert effect == pytest.approx(SPENT_MORE / 2, abs=3), "as planted, but for what the groups spend by chance"
    return effect * float(is_listed.sum())


def is_not_due(studio: Studio, state: str, name: str, gain: float = 0.0) -> None:
    """Before the window has passed the page says "not yet" with the date when it is due, in both languages."""
    for lang in LANGUAGES:
        studio.open("results", lang=lang, dataset="shop")
        due = say_day(DUE, lang)
        studio.shows(translate("results.headline.waiting", lang, campaigns=1, due=due))
        said = translate(f"results.said.{state}", lang, name=name, due=due, **amounts(gain, lang))
        for part in said.split("…"):
            studio.shows(part)
        studio.picture(f"campaign-{state}_{lang}")


def collect_at_night(workspace: Workspace, file: Path) -> None:
    """Add a file as a nightly job does."""
    words = ["ingest", str(file), "--name", "shop", "--append", "--workspace", str(workspace.root)]
    subprocess.run([sys.executable, "-m", "clv_core", *words], cwd=ROOT, check=True, capture_output=True)


def collect_by_hand(studio: Studio, file: Path) -> None:
    studio.open("datasets", lang="en", dataset="shop")
    studio.click(translate("datasets.add_file", "en"))
    studio.page.set_input_files("input[type=file]", str(file))
    studio.wait_for("Dataset to add to")
    studio.click("Add to the dataset")
    studio.wait_for("0 of them already in the dataset")


def is_due(studio: Studio, name: str, members: pd.DataFrame, gain: float) -> None:
    """The page says that the list paid, how much it brought as the regression has it, and whom to write to next."""
    for lang in LANGUAGES:
        studio.open("results", lang=lang, dataset="shop")
        for key in ("results.headline", "results.said.pays"):
            studio.shows(translate(key, lang, name=name, campaigns=1, **amounts(gain, lang)).split("…")[0])
        studio.shows(translate("results.customers", lang, customers=len(members)))
        studio.finish()
        studio.shows(translate("results.next.learned", lang, campaigns=name, days=30))
        studio.picture(f"campaign-due_{lang}")


def amounts(gain: float, lang: str) -> dict[str, str]:
    """Return a gain as a sentence has it, and for the ends of its interval a mark to part the sentence at."""
    return {"gain": say_money(gain, "EUR", lang), "low": "…", "high": "…"}


def save(rows: pd.DataFrame, path: Path) -> Path:
    rows.to_csv(path, index=False)
    return path
