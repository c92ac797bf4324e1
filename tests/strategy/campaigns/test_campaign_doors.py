"""No door through which a list of a campaign leaves lets anybody of its control group out: compare the files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clv_core import cli, pipeline
from clv_core.collection.store import open_dataset
from clv_core.collection.store.manifest import Roles
from clv_core.config import TrainConfig
from clv_core.deployment.registry import Registry
from clv_core.erasure import make_person_file
from clv_core.erasure.erase import erase
from clv_core.i18n import translate
from clv_core.jobs import NoProgress
from clv_core.preprocessing.add_customers import add_customers
from clv_core.strategy.audiences import CampaignList, Contacts, export_log, log_export
from clv_core.strategy.audiences.export import export
from clv_core.strategy.campaigns import (
    CampaignRequest,
    groups,
    notes_on,
    open_campaign,
    outcomes,
    preview_control,
)
from clv_core.strategy.destinations import Ledger, open_destination
from clv_core.upkeep import back_up, change_objections, prune, recover, rename
from clv_core.workspace import Workspace
from tests import servers
from tests.conftest import Clv
from tests.strategy.campaigns.conftest import SAMPLE
from tests.strategy.lists import SIDE

SPRING = ("--campaign", "Spring", "--control-share", "0.3")


class Crm(ThreadingHTTPServer):
    """Takes whom a push to a webhook brings, and gives nobody back."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Hook)
        self.customers = set[str]()


class Hook(BaseHTTPRequestHandler):
    server: Crm

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.customers |= {row["customer_id"] for row in body["customers"]}
        self.send_response(204)
        self.end_headers()

    def log_message(self, *words: Any) -> None:
        pass


@pytest.fixture
def people(workspace: Workspace, tmp_path: Path) -> pd.DataFrame:
    """The sample's customers with addresses: every fifth did not agree; the last ten share the first ten's numbers."""
    ids = sorted(pd.read_csv(SAMPLE, usecols=["customer_id"])["customer_id"].unique())
    count = len(ids)
    frame = pd.DataFrame(
        {
            "customer_id": ids,
            "email": [f"kunde{row}@example.org" for row in range(count)],
            "phone": [f"+49 30 65521{row % (count - 10):03}" for row in range(count)],
            "consent": ["no" if row % 5 == 3 else "yes" for row in range(count)],
        }
    )
    frame.to_csv(tmp_path / "people.csv", index=False)
    add_customers(workspace, "shop", tmp_path / "people.csv", Roles(), progress=NoProgress())
    return frame


@pytest.fixture
def send(clv: Clv, people: pd.DataFrame, tmp_path: Path) -> Iterator[Any]:
    """Export a list of the campaign in a format; return the ids in it and the answer."""
    by_address = people.set_index("email")["customer_id"]

    def made(name: str, *words: str, format: str = "csv", segment: str = "") -> tuple[set[str], dict[str, Any]]:
        out = tmp_path / f"{name}.csv"
        chosen = ("--segment", segment) if segment else ()
        answer = clv("export", "shop", "--model", "champion", "--format", format, *chosen, "--out", str(out), *words)
        rows = pd.read_csv(out, dtype=str)
        column = next(column for column in rows if column.lower() in ("customer_id", "email", "email address"))
        ids = rows[column] if column == "customer_id" else rows[column].map(by_address)
        assert ids.notna().all()
        return set(ids), answer

    yield made


def side(answer: dict[str, Any]) -> dict[str, Any]:
    return json.loads(Path(answer["side_file"]).read_text())


def control(workspace: Workspace, name: str = "shop") -> set[str]:
    rows = groups(open_dataset(workspace, name), "Spring")
    return set(rows.loc[rows["group"] == "control", "customer_id"])


def sharing(people: pd.DataFrame) -> set[str]:
    """Return who agreed and has a number that somebody else who did has too."""
    agreed = people[people["consent"] == "yes"]
    found = {*agreed.loc[agreed["phone"].duplicated(keep=False), "customer_id"]}
    assert len(found) > 10
    return found


def test_a_list_has_no_control_group_until_it_is_asked(send: Any, people: pd.DataFrame, workspace: Workspace) -> None:
    everybody, answer = send("all")
    assert everybody == set(people["customer_id"])
    assert "campaign" not in side(answer)["settings"]
    assert not (workspace.datasets / "shop" / "campaigns").exists()


def test_the_control_group_is_in_no_file_whatever_the_platform(
    send: Any, people: pd.DataFrame, workspace: Workspace
) -> None:
    agreed = set(people.loc[people["consent"] == "yes", "customer_id"])
    first, answer = send(
        "first", *SPRING, "--campaign-days", "21", "--campaign-cost", "0.5", "--campaign-margin", "0.4"
    )
    held = control(workspace)
    assert first == agreed - held
    assert 0.27 < len(held) / len(agreed) < 0.33
    refusing = len(people) - len(agreed)
    assert answer["left_out"] == {"no_consent": refusing, "control": len(held)}
    about = side(answer)
    assert about["settings"] | {"start": ""} == {
        **{"campaign": "Spring", "control_share": 0.3, "start": "", "window_days": 21},
    }
    assert about["left_out"]["control"] == len(held)
    assert "control group of “Spring” (30%) is left out" in about["assumptions"][-1]["message"]
    kept = {"first": first}
    for format in ("klaviyo", "mailchimp"):
        kept[format], answer = send(format, "--campaign", "Spring", format=format)
        assert answer["left_out"]["control"] > 0
    assert kept["klaviyo"] == kept["mailchimp"] == first
    assert control(workspace) == held
    campaign = open_campaign(open_dataset(workspace, "shop"), "Spring")
    assert [(sent.format, sent.customers, sent.file) for sent in campaign.sent] == [
        ("csv", len(first), "first.csv"),
        ("klaviyo", len(kept["klaviyo"]), "klaviyo.csv"),
        ("mailchimp", len(kept["mailchimp"]), "mailchimp.csv"),
    ]
    assert campaign.sent[0].control == len(held)
    assert campaign.sent[0].left_out == {"no_consent": refusing}
    assert (campaign.window_days, campaign.cost, campaign.margin_rate) == (21, 0.5, 0.4)
    assert export_log(workspace)[0].settings["campaign"] == "Spring"


def test_who_shares_a_contact_gets_the_list_and_is_in_neither_group(
    send: Any, people: pd.DataFrame, workspace: Workspace, clv: Clv
) -> None:
    pairs = sharing(people)
    first, answer = send("first", *SPRING)
    rows = groups(open_dataset(workspace, "shop"), "Spring").set_index("customer_id")["group"]
    assert set(rows.index[rows == "shared"]) == pairs <= first
    assert [note["params"] for note in answer["warnings"] if note["code"] == "campaign_shared"] == [
        {"customers": len(pairs)}
    ]
    [told] = clv("results", "shop")["campaigns"]
    assert told["left_out"]["shared"] == len(pairs)
    assert told["customers"] == len(first - pairs) and told["control"] == len(control(workspace))
    assert (send("unmeasured", "--campaign", "Autumn", "--control-share", "0")[0]) == first | control(workspace)
    autumn = groups(open_dataset(workspace, "shop"), "Autumn")["group"]
    assert set(autumn) == {"list"}, "where nothing is measured, nobody is left out of it"


def test_who_comes_later_and_shares_a_contact_with_the_control_group_does_not_get_it(
    send: Any, people: pd.DataFrame, workspace: Workspace, tmp_path: Path
) -> None:
    send("first", *SPRING, segment="1")
    rows = groups(open_dataset(workspace, "shop"), "Spring")
    held = sorted(control(workspace))
    late = sorted(set(people.loc[people["consent"] == "yes", "customer_id"]) - set(rows["customer_id"]))[:5]
    address = people.set_index("customer_id")["email"]
    people.loc[people["customer_id"].isin(late), "email"] = address[held[:5]].str.upper().to_numpy()
    people.to_csv(tmp_path / "people.csv", index=False)
    add_customers(workspace, "shop", tmp_path / "people.csv", Roles(), progress=NoProgress())
    again, answer = send("again", "--campaign", "Spring")
    assert not again & {*late, *held} and answer["left_out"]["control_contact"] == len(late)
    after = groups(open_dataset(workspace, "shop"), "Spring").set_index("customer_id")["group"]
    assert set(after[late]) == {"shared"} and set(after[held]) == {"control"}


def test_two_sessions_that_begin_a_campaign_at_once_agree_on_its_groups(
    people: pd.DataFrame, workspace: Workspace, tmp_path: Path
) -> None:
    dataset = open_dataset(workspace, "shop")
    reached = Contacts(people.drop(columns="phone"))
    campaign = CampaignList(dataset, CampaignRequest("Spring", date(2025, 1, 1), 30, 0.3))
    scored = pd.DataFrame({"customer_id": people["customer_id"], "predicted_clv": 1.0, "tier": 1})
    lists = {"a": scored[:1200], "b": scored[600:], "c": scored[::2]}

    def leave(name: str) -> set[str]:
        out = tmp_path / f"{name}.csv"
        written = export(lists[name], "csv", out, side=SIDE, contacts=reached, campaign=campaign)
        log_export(workspace, written, "csv", SIDE, campaign)
        return set(pd.read_csv(out, dtype=str)["customer_id"])

    with ThreadPoolExecutor(3) as pool:
        files = list(pool.map(leave, lists))
    agreed, held = set(people.loc[people["consent"] == "yes", "customer_id"]), control(workspace)
    for name, listed in zip(lists, files, strict=True):
        assert listed == agreed & set(lists[name]["customer_id"]) - held
    assert held == preview_control(dataset, campaign.request, scored[scored["customer_id"].isin(agreed)]).control
    assert sorted(sent.file for sent in open_campaign(dataset, "Spring").sent) == ["a.csv", "b.csv", "c.csv"]


def test_who_moves_between_tiers_or_comes_later_keeps_her_group(send: Any, clv: Clv, workspace: Workspace) -> None:
    send("top", *SPRING, segment="1")
    top = control(workspace)
    before = groups(open_dataset(workspace, "shop"), "Spring")
    send("all", "--campaign", "Spring")
    after = groups(open_dataset(workspace, "shop"), "Spring").set_index("customer_id")
    assert top <= control(workspace)
    assert after.loc[before["customer_id"]].reset_index().equals(before)
    again, _ = send("again", "--campaign", "Spring", "--scheme", "quantile:50", segment="2")
    assert not again & control(workspace)


def test_every_other_door_leaves_them_out_too(
    send: Any, clv: Clv, workspace: Workspace, tmp_path: Path, people: pd.DataFrame
) -> None:
    first, _ = send("first", *SPRING)
    held, of_campaign = control(workspace), ("--campaign", "Spring")
    shop = ("shop", "--model", "champion")
    answer = clv("segment", *shop, "--out", str(tmp_path / "segment.parquet"), *of_campaign)
    assert set(pd.read_parquet(tmp_path / "segment.parquet")["customer_id"]) == first
    assert answer["rows"] == len(first)
    offer = ("--budget", "100000", "--offer", "name=Mail,cost=0.01,effect=20%")
    clv("plan", *shop, *offer, "--out", str(tmp_path / "plan.csv"), *of_campaign)
    planned = pd.read_csv(tmp_path / "plan.csv")
    assert set(planned["customer_id"]) <= first and len(planned) > 100
    assert "group" not in planned
    clv("destinations", "add", "lake", "--kind", "bucket", "--address", f"file://{tmp_path}/lake")
    pushed = clv("push", *shop, "--to", "lake", *of_campaign)
    lake = pd.read_parquet(tmp_path / "lake" / "shop" / "scores.parquet")
    assert set(lake["customer_id"]) == first
    assert pushed["left_out"]["control"] == len(held)
    assert pushed["audience"] + sum(pushed["left_out"].values()) == len(people)
    campaign = open_campaign(open_dataset(workspace, "shop"), "Spring")
    assert [(sent.format, sent.destination) for sent in campaign.sent] == [
        *(("csv", ""), ("parquet", ""), ("csv", ""), ("bucket", "lake")),
    ]
    assert control(workspace) == held


def test_a_dry_run_and_a_list_that_is_too_small_assign_nobody(
    clv: Clv, workspace: Workspace, tmp_path: Path, people: pd.DataFrame
) -> None:
    clv("destinations", "add", "lake", "--kind", "bucket", "--address", f"file://{tmp_path}/lake")
    dry = clv("push", "shop", "--model", "champion", "--to", "lake", *SPRING, "--dry-run")
    assert dry["left_out"]["control"] > 0
    small = ("--format", "tiktok", "--out", str(tmp_path / "t.csv"), *SPRING)
    clv("export", "shop", "--model", "champion", *small, code=4)
    assert not list(workspace.datasets.glob("shop/campaigns/*/campaign.json"))


def test_a_control_group_that_a_platform_already_has_is_told_of(
    clv: Clv, people: pd.DataFrame, tmp_path: Path, workspace: Workspace
) -> None:
    add = ("destinations", "add", "crm", "--kind", "webhook", "--address", "https://crm.shop.example/clv")
    clv(*add, "--secret", "env:CRM_SECRET")
    ledger = Ledger(workspace, open_destination(workspace, "crm"), "shop")
    ledger.accept({ledger.key(customer): "" for customer in people["customer_id"][:500]})
    answer = clv("push", "shop", "--model", "champion", "--to", "crm", *SPRING, "--dry-run")
    (warning,) = [warning for warning in answer["warnings"] if warning["code"] == "push_control_stays"]
    agreed = people[people["consent"] == "yes"].rename(columns={"consent": "segment"})
    request = CampaignRequest("Spring", date(2025, 1, 1), 30, 0.3)
    held = preview_control(open_dataset(workspace, "shop"), request, agreed, sharing(people)).control
    assert warning["params"]["customers"] == len(held & {*people["customer_id"][:500]})


def test_those_of_the_control_group_whom_a_destination_cannot_take_back_are_said_and_stay_control(
    clv: Clv, people: pd.DataFrame, tmp_path: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM_SECRET", "whsec_c2VjcmV0")
    clv("destinations", "add", "lake", "--kind", "bucket", "--address", f"file://{tmp_path}/lake")
    push = ("push", "shop", "--model", "champion", "--to")
    with servers.serving(Crm()) as server:
        address = f"http://127.0.0.1:{server.server_port}/hook"
        clv("destinations", "add", "crm", "--kind", "webhook", "--address", address, "--secret", "env:CRM_SECRET")
        for name in ("crm", "lake"):
            clv(*push, name)
        added = clv(*push, "crm", *SPRING)
        replaced = clv(*push, "lake", "--campaign", "Spring")
    held = control(workspace)
    assert held and held <= server.customers
    assert not held & set(pd.read_parquet(tmp_path / "lake" / "shop" / "scores.parquet")["customer_id"])
    assert (added["control_there"], replaced["control_there"]) == (len(held), 0)
    dataset = open_dataset(workspace, "shop")
    assert open_campaign(dataset, "Spring").control_there == {"crm": len(held)}
    [found] = outcomes(workspace, dataset)
    [note] = [note for note in notes_on(found) if note.code == "results.note.control_there"]
    assert (note.params, found.control) == ({"name": "crm", "customers": len(held)}, len(held))


def test_words_that_make_no_campaign_are_refused(clv: Clv, workspace: Workspace, tmp_path: Path) -> None:
    out = ("export", "shop", "--model", "champion", "--format", "csv", "--out", str(tmp_path / "a.csv"))
    assert clv(*out, "--control-share", "0.1", code=2)["error"]["code"] == "campaign_name"
    assert clv(*out, "--campaign", "Spring", code=2)["error"]["code"] == "campaign_share"
    assert clv(*out, *SPRING, "--campaign-margin", "2", code=2)["error"]["code"] == "campaign_margin"
    assert clv(*out, *SPRING, "--campaign-cost", "-1", code=2)["error"]["code"] == "campaign_cost"
    assert clv(*out, *SPRING, "--campaign-days", "4000", code=2)["error"]["code"] == "campaign_days"
    clv("destinations", "add", "lake", "--kind", "bucket", "--address", f"file://{tmp_path}", "--purpose", "warehouse")
    push = ("push", "shop", "--model", "champion", "--to", "lake", *SPRING)
    assert clv(*push, code=2)["error"]["code"] == "campaign_warehouse"


def test_a_list_that_somebody_declined_to_measure_says_so(send: Any, workspace: Workspace) -> None:
    _, answer = send("all", "--campaign", "Spring", "--control-share", "0")
    assert "control" not in answer["left_out"]
    assert "cannot be measured" in side(answer)["assumptions"][-1]["message"]
    assert not open_campaign(open_dataset(workspace, "shop"), "Spring").is_measurable


def test_groups_stay_through_a_new_model_a_new_name_pruning_and_a_backup(
    send: Any, clv: Clv, workspace: Workspace, tmp_path: Path
) -> None:
    first, _ = send("first", *SPRING)
    held = control(workspace)
    config = TrainConfig(horizon_days=60, model="bgnbd", cutoffs=3, seed=2)
    bundle = pipeline.train(workspace, "shop", config, progress=NoProgress())
    version = Registry(workspace).find(bundle.id)
    assert version is not None
    Registry(workspace).promote("shop", version.number)
    assert send("second", "--campaign", "Spring")[0] == first
    prune(workspace, "shop", keep=1)
    back_up(workspace, tmp_path / "backup.zip", NoProgress())
    recover(tmp_path / "backup.zip", tmp_path / "recovered", NoProgress())
    recovered, out = Workspace(tmp_path / "recovered"), tmp_path / "third.csv"
    assert control(recovered) == held
    words = ["--model", "champion", "--format", "csv", "--campaign", "Spring", "--out", str(out)]
    assert cli.main(["export", "shop", *words, "--workspace", str(recovered.root)]) == 0
    assert set(pd.read_csv(out, dtype=str)["customer_id"]) == first
    rename(workspace, "shop", "store")
    assert control(workspace, "store") == held


def test_the_file_of_a_person_says_in_which_groups_she_is(send: Any, workspace: Workspace) -> None:
    send("first", *SPRING)
    by_group = groups(open_dataset(workspace, "shop"), "Spring").groupby("group")["customer_id"].min()
    assert set(by_group.index) == {"control", "list", "shared"}
    for group, customer in by_group.items():
        found = make_person_file(workspace, customer, NoProgress())
        [member] = found.to_json("en")["datasets"][0]["campaigns"]
        assert (member["campaign"], member["group"]) == ("Spring", group)
        said = translate(f"person.campaign.{group}", "zh", campaign="Spring", day=member["joined"])
        assert said in found.page("zh")


def test_a_schedule_whose_campaign_could_never_begin_is_refused(clv: Clv, workspace: Workspace, people: Any) -> None:
    step = "export shop --model champion --format csv --out /tmp/a.csv --campaign Spring"
    refused = clv("schedule", "add", "nightly", "--cron", "0 3 * * *", "--step", step, code=4)
    assert refused["error"]["code"] == "schedule_step_never"
    clv("schedule", "add", "nightly", "--cron", "0 3 * * *", "--step", f"{step} --control-share 0.1")


def test_the_erased_and_those_who_object_are_in_no_group(send: Any, workspace: Workspace, clv: Clv) -> None:
    first, _ = send("first", *SPRING)
    held = sorted(control(workspace))
    erase(workspace, [held[0]], progress=NoProgress())
    erase(workspace, [held[1]], dataset="shop", progress=NoProgress())
    change_objections(workspace, "add", [held[2]])
    stored = pd.read_parquet(workspace.datasets / "shop" / "campaigns" / "Spring" / "groups.parquet")
    assert not {*held[:3]} & set(stored["customer_id"])
    assert control(workspace) == {*held[3:]}
    again, answer = send("again", "--campaign", "Spring")
    assert again == first
    assert open_campaign(open_dataset(workspace, "shop"), "Spring").left_out["objected"] == 1
