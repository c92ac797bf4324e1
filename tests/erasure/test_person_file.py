"""What is held of one person: against queries of its own, for those who object, and once she is erased."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clv_core import audit, pipeline
from clv_core.collection.ingest import ingest
from clv_core.collection.privacy.card_log import note_card
from clv_core.collection.privacy.suppression_list import SuppressionList
from clv_core.collection.simulate import SimulationPlan, simulate
from clv_core.config import TrainConfig
from clv_core.deployment.saved_scores import Scored
from clv_core.deployment.score_explanations import explanation_folder
from clv_core.erasure import erase as erasing
from clv_core.erasure.person_file import NO_END, WITH_MODEL, PersonFile, make_person_file, write_person_file
from clv_core.errors import NotFound
from clv_core.i18n import LANGUAGES, catalogue
from clv_core.jobs import NoProgress
from clv_core.strategy.audiences.export import LOG
from clv_core.strategy.destinations.push import Ledger
from clv_core.strategy.destinations.saved_destinations import add_destination
from clv_core.strategy.explanation_files import explain
from clv_core.strategy.segments.saved_segments import put_by_hand
from clv_core.upkeep.objections import change_objections
from clv_core.upkeep.retention import Retention, save_retention
from clv_core.workspace import Workspace

CUSTOMERS = 300
KEPT = NoProgress()


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """A small log in which ids are long enough to be nothing else, and products have names."""
    folder = tmp_path_factory.mktemp("log")
    simulate("btyd", SimulationPlan(CUSTOMERS, 540, 1, 90)).write(folder)
    frame = pd.read_csv(folder / "events.csv", dtype=str)
    frame["customer_id"] = "person-of-the-shop-" + frame["customer_id"]
    return frame.assign(product_id=[f"thing {number % 7}" for number in range(len(frame))], note="n")


@pytest.fixture(scope="module")
def person(log: pd.DataFrame) -> str:
    """The customer of most rows."""
    return str(log["customer_id"].value_counts().index[0])


def stored(log: pd.DataFrame, folder: Path, **settings: Any) -> Workspace:
    file, workspace = folder / "log.csv", Workspace(folder / "workspace")
    log.to_csv(file, index=False)
    ingest(workspace, file, "shop", currency="EUR", **settings)
    return workspace


@pytest.fixture
def scored(log: pd.DataFrame, tmp_path: Path) -> Scored:
    workspace = stored(log, tmp_path)
    config = TrainConfig(horizon_days=90, model="bgnbd", cutoffs=2)
    model = pipeline.train(workspace, "shop", config, progress=KEPT).id
    opened = Scored.open(workspace, "shop", model)
    opened.scores(KEPT)
    return opened


def told_of(workspace: Workspace, person: str, language: str = "en") -> dict[str, Any]:
    told: dict[str, Any] = json.loads(json.dumps(make_person_file(workspace, person, KEPT).to_json(language)))
    return told


@pytest.mark.parametrize(
    ("settings", "zone"),
    [({}, "UTC"), ({"timezone": "Asia/Shanghai"}, "Asia/Shanghai"), ({"pseudonymise": True}, "UTC")],
)
def test_events_are_those_of_the_file_in_the_time_of_the_log(
    log: pd.DataFrame, person: str, tmp_path: Path, settings: dict[str, Any], zone: str
) -> None:
    """The file's times are of the log's zone; a pseudonymised log is asked by the readable id."""
    workspace = stored(log, tmp_path, **settings)
    (held,) = told_of(workspace, person)["datasets"]
    mine = log[log["customer_id"].eq(person)]
    expected = sorted(
        zip(pd.to_datetime(mine["event_time"]), mine["amount"].astype(float), mine["product_id"], strict=True)
    )
    events = [(pd.Timestamp(one["event_time"]), one["amount"], one["product_id"]) for one in held["events"]]
    assert len(events) > 5 and sorted(events) == expected and held["timezone"] == zone
    assert {one["note"] for one in held["events"]} == {"n"}
    assert [source["file"] for source in held["came_from"]] == ["log.csv"]
    assert {one["goes"] for one in held["events"]} == {NO_END}


def test_features_scores_tier_and_segment_are_hers(scored: Scored, log: pd.DataFrame, person: str) -> None:
    put_by_hand(scored.dataset, "hands", "friends", person)
    explain(scored, explanation_folder(scored), sample=CUSTOMERS, permutations=1, progress=KEPT)
    (held,) = told_of(scored.workspace, person)["datasets"]
    mine = log[log["customer_id"].eq(person)]
    features = {one["feature"]: one["value"] for one in held["features"]}
    assert features["net_value"] == pytest.approx(mine["amount"].astype(float).sum())
    assert features["purchase_days"] == len({str(day) for day in pd.to_datetime(mine["event_time"]).dt.date})
    scores = scored.scores(KEPT)
    row = scores[scores["customer_id"].eq(person)].to_dict("records")[0]
    (score,) = held["scores"]
    for name in ("predicted_clv", "clv_p10", "clv_p90"):
        assert score[name] == pytest.approx(row[name])
    assert score["goes"] == WITH_MODEL and 1 <= score["tier"] <= 4 and len(score["reasons"]) == 2
    assert [(one["rules"], one["segment"], one["by_hand"]) for one in held["segments"]] == [("hands", "friends", True)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_holds_her_words_and_no_key(scored: Scored, person: str, language: str) -> None:
    put_by_hand(scored.dataset, "hands", "friends", person)
    note_card(scored.workspace, "shop", scored.model.id, person)
    SuppressionList.of(scored.workspace).add([person])
    page = make_person_file(scored.workspace, person, KEPT).page(language)
    cells = set(re.findall(r">([^<>]+)<", page))
    assert not cells & catalogue(language).keys() and not [cell for cell in cells if cell.startswith("person.")]
    keys = ("event.purchase", "person.suppressed", "person.views", "person.goes.no_end", "person.column.product")
    assert all(catalogue(language)[key] in cells for key in keys)
    assert person in page and "thing 3" in page and "friends" in page
    assert "{" not in re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)


def test_of_one_who_objected_data_are_told_and_no_scores(scored: Scored, person: str) -> None:
    change_objections(scored.workspace, "add", [person])
    told = told_of(scored.workspace, person)
    (held,) = told["datasets"]
    assert told["objected"] and held["events"] and not told["do_not_contact"]
    assert (held["features"], held["scores"], held["segments"]) == ([], [], [])


def test_lists_and_pushes_are_found_and_what_nobody_can_tell_is_said(scored: Scored, person: str) -> None:
    workspace, folder = scored.workspace, scored.workspace.root.parent
    at = ("--workspace", str(workspace.root))
    about = ("shop", "--model", scored.model.id, *at)
    for path in (workspace.exports / "here.csv", folder / "elsewhere.csv", folder / "gone.csv"):
        assert run("export", *about, "--format", "csv", "--out", str(path)) == 0
    (folder / "gone.csv").unlink()
    destination = add_destination(workspace, "crm", "webhook", "https://crm.example/hook", "env:CRM_KEY")
    Ledger(workspace, destination, "shop").accept({Ledger(workspace, destination, "shop").key(person): "digest"})
    told = told_of(workspace, person)
    assert {Path(one["file"]).name: len(one["rows"]) for one in told["exports"]} == {"here.csv": 1, "elsewhere.csv": 1}
    assert all(one["rows"][0]["customer_id"] == person for one in told["exports"])
    assert [(one["destination"], one["dataset"]) for one in told["pushes"]] == [("crm", "shop")]
    assert [one["customers"] for one in told["lists_without_a_file"]] == [CUSTOMERS]
    assert {"kind": "export", "name": str(folder / "elsewhere.csv"), "goes": NO_END} in told["places"]
    other = told_of(workspace, str(scored.scores(KEPT)["customer_id"].iloc[1]))
    assert other["pushes"] == [] and len(other["exports"]) == 2


def test_the_group_of_an_experiment_is_told(scored: Scored, person: str) -> None:
    path = scored.workspace.exports / "draw.csv"
    at = ("--workspace", str(scored.workspace.root))
    about = ("shop", "--model", scored.model.id, "--budget", "5000", "--offer", "name=Voucher,cost=2,effect=20%", *at)
    assert run("plan", *about, "--control-share", "0.5", "--start", "2030-01-01", "--out", str(path)) == 0
    rows = pd.read_csv(path, encoding="utf-8-sig", dtype=str).set_index("customer_id")
    inside = str(rows.index[0])
    (entry,) = (one for one in told_of(scored.workspace, inside)["exports"] if one["file"] == str(path))
    assert entry["groups"] == [rows.loc[inside, "group"]]


def run(*words: str) -> int:
    from clv_core import cli

    return cli.main([*words])


def test_what_a_search_finds_elsewhere_is_named(scored: Scored, person: str) -> None:
    (scored.workspace.folder("plans") / "notes.txt").write_text(f"call {person} back")
    names = [place["name"] for place in told_of(scored.workspace, person)["places"]]
    assert "plans/notes.txt" in names
    assert str(scored.scores_path.relative_to(scored.workspace.root)) in names


def test_clocks_say_when_it_goes(log: pd.DataFrame, person: str, tmp_path: Path) -> None:
    workspace = stored(log, tmp_path)
    save_retention(workspace, Retention(events=10))
    (held,) = told_of(workspace, person)["datasets"]
    for event in held["events"]:
        due = pd.Timestamp(event["event_time"]).normalize() + pd.Timedelta(days=10)
        assert event["goes"] == due.date().isoformat()


def test_the_command_writes_it_and_no_log_names_her(scored: Scored, person: str, tmp_path: Path) -> None:
    workspace, out = scored.workspace, tmp_path / "out"
    assert run("person", "export", person, "--out", str(out), "--workspace", str(workspace.root)) == 0
    files = sorted(path.suffix for path in out.iterdir())
    assert files == [".html"] * len(LANGUAGES) + [".json"]
    assert not any(person in path.name for path in out.iterdir())
    (told,) = (json.loads(path.read_text()) for path in out.glob("*.json"))
    assert told["person"] == person
    latest, export = audit.lines(workspace)[:2]
    assert (latest["action"], export["action"], export["format"]) == ("person", "export", "person")
    note_card(workspace, "shop", "", person)
    assert audit.lines(workspace)[0]["card"] == latest["card"]  # the pseudonym by which views of her card are noted
    assert person not in (workspace.root / "audit" / "log.jsonl").read_text()
    assert person not in (workspace.exports / LOG).read_text()
    written = {entry["file"] for entry in told_of(workspace, person)["exports"]}
    assert written == {str(path) for path in out.iterdir()}  # so that an erasure finds them


def test_once_she_is_erased_nothing_is_held_but_what_the_certificate_says(scored: Scored, person: str) -> None:
    write_person_file(found(scored, person), scored.workspace.exports, list(LANGUAGES), "en")
    done = erasing.erase(scored.workspace, [person], progress=KEPT)
    assert done.remains == [] and len(done.exports) == 1 + len(LANGUAGES)
    with pytest.raises(NotFound) as raised:
        found(scored, person)
    assert raised.value.code == "person_erased" and raised.value.params["certificates"] == [done.id]
    with pytest.raises(NotFound) as raised:
        found(scored, "nobody-of-this-name-1")
    assert raised.value.code == "person_unknown"


def test_what_an_erasure_left_is_told_with_its_certificate(scored: Scored, person: str, tmp_path: Path) -> None:
    files = write_person_file(found(scored, person), tmp_path / "elsewhere", list(LANGUAGES), "en")
    done = erasing.erase(scored.workspace, [person], progress=KEPT)
    told = told_of(scored.workspace, person)
    assert told["datasets"] == [] and told["erasures"] == [done.id]
    remains = sorted(rest.name for rest in done.remains)
    assert sorted(place["name"] for place in told["places"]) == remains == sorted(map(str, files))
    assert done.id in found(scored, person).page("en")


def found(scored: Scored, person: str) -> PersonFile:
    return make_person_file(scored.workspace, person, KEPT)
