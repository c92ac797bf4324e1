"""Customers erased: searched for in everything that was made of their log, by a searcher of its own."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import random
import shutil
import string
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import xlsxwriter

from clv_core import audit, cli, pipeline
from clv_core.collection.ingest import ingest
from clv_core.collection.simulate import SimulationPlan, simulate
from clv_core.collection.store.version_store import list_datasets, open_dataset, versions
from clv_core.config import TrainConfig
from clv_core.deployment.api.service import LatestScores
from clv_core.deployment.registry import Registry
from clv_core.deployment.registry.version import Version
from clv_core.deployment.saved_scores import Scored
from clv_core.erasure import erase as erasing
from clv_core.erasure.certificate import Certificate, Remains, certificates, salted
from clv_core.erasure.data_subjects import DataSubjects
from clv_core.erasure.file_erasure import search
from clv_core.errors import NotFound, Refused, UsageError
from clv_core.i18n import LANGUAGES
from clv_core.jobs import NoProgress
from clv_core.preprocessing.clean import RULES, append, clean, raw_version
from clv_core.strategy.audiences.export_records import export_log
from clv_core.strategy.explanation_files import explain
from clv_core.strategy.segments.saved_segments import put_by_hand
from clv_core.workspace import Workspace, read_json, write_json
from tests.conftest import Clv
from tests.strategy.searcher import found

CUSTOMERS, GONE, NOBODY = 1500, 60, "nobody-of-this-name-1"
KEPT = NoProgress()


def ids_of(count: int) -> list[str]:
    draw = random.Random(7)
    return ["".join(draw.choices(string.ascii_letters + string.digits, k=24)) for _ in range(count)]


IDS = ids_of(CUSTOMERS)
LEAVING = IDS[::25][:GONE]
STAYING = sorted(set(IDS) - set(LEAVING))


@cache
def simulated() -> pd.DataFrame:
    with tempfile.TemporaryDirectory() as folder:
        simulate("btyd", SimulationPlan(CUSTOMERS, 540, 1, 90)).write(Path(folder))
        return pd.read_csv(Path(folder) / "events.csv", dtype=str)


def events() -> pd.DataFrame:
    """Return a simulated log under our ids; the first customer who stays names one who leaves, some rows are bad."""
    frame = simulated().assign(note="")
    names = dict(zip(sorted(frame["customer_id"].unique()), IDS, strict=True))
    frame["customer_id"] = frame["customer_id"].map(names)
    frame.loc[frame["customer_id"].eq(STAYING[0]), "note"] = f"gift for {LEAVING[0]}"
    frame.loc[frame.index[frame.duplicated("customer_id")][::300], "amount"] = "unreadable"
    return frame


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which everything was made of a log that is made of it."""
    folder = tmp_path_factory.mktemp("erasing")
    log, people = folder / "log.csv", folder / "people.csv"
    events().to_csv(log, index=False)
    with log.open("a") as file:
        file.write(f'"{LEAVING[1]},2023-02-02,5.00,broken "quote" here,,,,\n')
    mails = [mail_of(name) for name in IDS]
    pd.DataFrame({"customer_id": IDS, "email": mails, "consent": "yes"}).to_csv(people, index=False)
    workspace = Workspace(folder / "workspace")

    def clv(*words: str) -> None:
        assert cli.main([*words, "--workspace", str(workspace.root)]) == 0, words

    ingest(workspace, log, "shop", currency="EUR")
    clv("customers", str(people), "--dataset", "shop", "--contact", "email=email")
    model = pipeline.train(workspace, "shop", TrainConfig(horizon_days=90, model="bgnbd", cutoffs=2), progress=KEPT).id
    clv("explore", "shop")
    made_by_model = open_dataset(workspace, "shop").made_folder / model
    out = made_by_model / "explanation"
    explain(Scored.open(workspace, "shop", model), out, sample=10, permutations=1, progress=KEPT)
    shutil.copytree(out, out.with_name(f"{out.name}-{LEAVING[2].encode().hex()}"))
    exports, about = workspace.exports, ("shop", "--model", model)
    clv("segment", *about, "--out", str(exports / "tiers.parquet"))
    clv("export", *about, "--format", "xlsx", "--out", str(exports / "list.xlsx"))
    clv("export", *about, "--format", "google_customer_match", "--out", str(exports / "google.csv"))
    offer = "name=Voucher,cost=2,effect=20%"
    clv("plan", *about, "--budget", "500", "--offer", offer, "--out", str(exports / "plan.csv"))
    words = ("--horizon-days", "90", "--origins", "1", "--models", "naive")
    clv("backtest", "shop", *words, "--out", str(made_by_model / "backtest"))
    job = workspace.jobs / "2024-card"
    status = {"command": "card", "args": ["card", "shop", "--customer", LEAVING[3]], "state": "done", "pid": 1}
    write_json(job / "status.json", {**status, "started": 0, "label": "shop", "id": job.name})
    (job / "log.txt").write_text(f"card of {LEAVING[3]}\n")
    (workspace.folder("uploads", "abc") / "log.csv.gz").write_bytes(gzip.compress(log.read_bytes()))
    saved = [{"customer_id": LEAVING[4], "offer": "Voucher"}, {"customer_id": STAYING[4], "offer": "Voucher"}]
    write_json(workspace.folder("plans") / "saved.json", {"rows": saved})
    return workspace.root


def mail_of(customer: str) -> str:
    return f"{customer[:12].lower()}@mail.example"


@pytest.fixture
def workspace(made: Path, tmp_path: Path) -> Workspace:
    return copy_of(made, tmp_path)


def copy_of(made: Path, folder: Path) -> Workspace:
    shutil.copytree(made, folder / "workspace")
    log = folder / "workspace" / "exports" / "log.jsonl"
    log.write_text(log.read_text().replace(str(made), str(folder / "workspace")))
    return Workspace(folder / "workspace")


@dataclass(frozen=True)
class Erased:
    """A workspace from which customers were erased, beside what it held before."""

    workspace: Workspace
    certificate: Certificate
    kinds: set[str]
    log: pd.DataFrame
    holdout: pd.DataFrame
    model: Version
    addresses: str


@pytest.fixture(scope="module")
def erased(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Erased:
    """Return one erasure that several tests look at and none changes; one id that was asked for is nobody's."""
    workspace = copy_of(made, tmp_path_factory.mktemp("erased"))
    kinds = {name.split("/")[0] for name in found(workspace.root, LEAVING)}
    log = pd.read_parquet(open_dataset(workspace, "shop").events_path)
    model = Registry(workspace).champion("shop")
    assert model is not None
    holdout = Registry(workspace).open(model).holdout()
    assert holdout is not None
    addresses = (workspace.exports / "google.csv").read_text()
    told = erasing.erase(workspace, [*LEAVING, NOBODY], progress=KEPT)
    return Erased(workspace, told, kinds, log, holdout, model, addresses)


def test_nothing_names_those_who_were_erased_and_the_others_are_as_they_were(erased: Erased) -> None:
    kinds = ("datasets", "exports", "jobs", "models", "plans", "uploads")
    assert erased.kinds == set(kinds)
    workspace, told = erased.workspace, erased.certificate
    assert found(workspace.root, LEAVING) == [] and told.remains == []

    left = open_dataset(workspace, "shop")
    stayed = erased.log[~erased.log["customer_id"].isin(LEAVING)].reset_index(drop=True)
    kept = pd.read_parquet(left.events_path)
    pd.testing.assert_frame_equal(kept.drop(columns="note"), stayed.drop(columns="note"))
    assert kept["note"].isna().sum() == len(stayed)  # the one text that named somebody else is empty now
    facts = left.manifest
    assert facts.rows_read == facts.rows_kept + facts.rows_set_aside + facts.rows_duplicate
    assert (facts.rows_kept, facts.customers) == (len(stayed), stayed["customer_id"].nunique())
    assert facts.net_revenue == pytest.approx(stayed["amount"].sum(), abs=0.005)
    assert len(versions(workspace, "shop")) == 1 and facts.made == "erase"
    assert facts.customers_table is not None and facts.customers_table.matched == len(STAYING)

    bundle = Registry(workspace).open(erased.model)  # every byte against its checksum, the address as before
    rest = erased.holdout[~erased.holdout["customer_id"].isin(LEAVING)].reset_index(drop=True)
    pd.testing.assert_frame_equal(bundle.holdout(), rest)
    known = Registry(workspace).champion("shop")
    assert known is not None and known.record.checksums == bundle.record.checksums
    assert len(Scored.open(workspace, "shop", bundle.id).scores(KEPT)) == facts.customers


def test_hashed_addresses_in_kept_lists_and_rows_of_kept_plans_go_too(erased: Erased) -> None:
    assert any(hashlib.sha256(mail_of(customer).encode()).hexdigest() in erased.addresses for customer in LEAVING)
    assert {"google.csv", "list.xlsx", "tiers.parquet"} <= set(erased.certificate.exports)
    assert not (erased.workspace.exports / "google.csv").exists()
    rows = read_json(erased.workspace.root / "plans" / "saved.json")["rows"]
    assert [row["customer_id"] for row in rows] == [STAYING[4]]


def test_the_certificate_says_what_was_touched_and_names_nobody(erased: Erased) -> None:
    (one,) = certificates(erased.workspace)
    assert one == erased.certificate and one.finished and one.removed["jobs"] == 1 and one.removed["uploads"] == 1
    assert one.removed["explanations"] == 2 and one.removed["explored"] == 1 and one.removed["predictions"] == 0
    (batch,) = [path for path in one.files if "/scores-" in path]
    assert one.files[batch] == GONE
    (model,) = one.learned
    assert model.customers == GONE and 0 < model.holdout_rows <= 3 * GONE
    there = {salted(erased.workspace, one.salt, who): who != NOBODY for who in [*LEAVING, NOBODY]}
    assert one.customers == there
    text = {
        language: (erased.workspace.root / "erasures" / f"{one.id}.{language}.md").read_text(encoding="utf-8")
        for language in LANGUAGES
    }
    assert "Erasure certificate: 61" in text["en"] and "删除凭证：61" in text["zh"]
    assert f"凭证编号：{one.id}" in text["zh"] and f"{batch}：{GONE} 行" in text["zh"] and ": " not in text["zh"]
    assert "+00:00" not in text["zh"] and one.begun[:10] + " " + one.begun[11:19] + "，" in text["zh"]
    (line,) = [line for line in audit.lines(erased.workspace) if line["action"] == "erase"]
    assert (line["certificate"], line["customers"]) == (one.id, GONE)


def test_hashed_phones_that_a_country_was_named_for_go_too(tmp_path: Path) -> None:
    """Numbers without a country code, as Chinese shops keep them; the list was written with ``--region CN``."""
    people = pd.DataFrame({"customer_id": IDS, "phone": [f"138{place:08d}" for place in range(len(IDS))]})
    people.to_csv(tmp_path / "phones.csv", index=False)
    events().to_csv(tmp_path / "log.csv", index=False)
    workspace = Workspace(tmp_path / "workspace")
    ingest(workspace, tmp_path / "log.csv", "shop", currency="EUR")
    words = ("customers", str(tmp_path / "phones.csv"), "--dataset", "shop", "--contact", "phone=phone")
    assert cli.main([*words, "--workspace", str(workspace.root)]) == 0
    number = people.set_index("customer_id").loc[LEAVING[0], "phone"]
    md5 = hashlib.md5(number.encode(), usedforsecurity=False).hexdigest()
    sha256 = hashlib.sha256(f"+86{number}".encode()).hexdigest()
    for name, word in (("tencent.txt", md5), ("phones.csv", sha256)):
        (workspace.folder("exports") / name).write_text(f"{word}\n{'0' * len(word)}\n")
    erasing.erase(workspace, [LEAVING[0]], progress=KEPT)
    left = [path.read_bytes() for path in workspace.exports.iterdir()]
    assert not any(word.encode() in content for content in left for word in (md5, sha256))


class Killed(BaseException):
    """Stands for a kill: nothing is caught, nothing is tidied."""


@pytest.mark.examples(2)
@pytest.mark.parametrize("at", [1, 3, 5, 7, 9, 11, 13, 16, 19, 22])
def test_a_killed_run_is_finished_by_next(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    workspace = copy_of(made, tmp_path)
    calls, replace = 0, os.replace

    def counted(*arguments: Any, **options: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == at:
            raise Killed
        replace(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", counted)
        with pytest.raises(Killed):
            erasing.erase(workspace, LEAVING, progress=KEPT)
    assert open_dataset(workspace, "shop").events_path.exists()  # usable at each instant
    told = erasing.erase(workspace, LEAVING, progress=KEPT)
    assert found(workspace.root, LEAVING) == [] and told.remains == []
    assert told.learned and told.datasets[0].destroyed
    champion = Registry(workspace).champion("shop")
    assert champion is not None and Registry(workspace).sound(champion)
    assert len(certificates(workspace)) == 1 and all(told.customers.values())


def test_cleaning_rules_stay_on_and_the_version_without_them_is_written_anew(workspace: Workspace) -> None:
    clean(workspace, "shop", {"outlier_amount": None} if "outlier_amount" in RULES else {next(iter(RULES)): None})
    before = open_dataset(workspace, "shop").manifest
    erasing.erase(workspace, LEAVING, progress=KEPT)
    after = open_dataset(workspace, "shop").manifest
    assert after.rules == before.rules and after.raw_version not in ("", before.raw_version)
    assert {one.version for one in versions(workspace, "shop")} == {after.version, after.raw_version}
    raw = raw_version(open_dataset(workspace, "shop"))
    assert set(pd.read_parquet(raw.events_path)["customer_id"]).isdisjoint(LEAVING)
    assert found(workspace.root, LEAVING) == []


def test_who_was_erased_does_not_come_back(workspace: Workspace, tmp_path: Path) -> None:
    erasing.erase(workspace, LEAVING, progress=KEPT)
    again = tmp_path / "next.csv"
    events().to_csv(again, index=False)
    manifest = ingest(workspace, again, "again", currency="EUR")
    said = next(one for one in manifest.warnings if one.code == "warning.erased_left_out")
    assert said.params["customers"] == GONE
    assert manifest.rows_read == manifest.rows_kept + manifest.rows_set_aside + manifest.rows_duplicate
    append(workspace, "shop", again, progress=KEPT)
    assert found(workspace.root, LEAVING) == []
    assert not any(customer in (workspace.root / "erasures" / "ledger.jsonl").read_text() for customer in LEAVING)
    only = tmp_path / "only.csv"
    events().query("customer_id in @LEAVING").to_csv(only, index=False)
    with pytest.raises(Refused, match="erased earlier"):
        ingest(workspace, only, "only", currency="EUR")


@pytest.mark.parametrize("dataset", ["", "shop"])
def test_the_latest_batch_loses_those_who_were_erased_and_nobody_else(workspace: Workspace, dataset: str) -> None:
    batch = LatestScores(workspace, Registry(workspace))
    before = {who: batch.of("shop", who) for who in STAYING[::100]}
    assert batch.of("shop", LEAVING[0])["customer_id"] == LEAVING[0]
    told = erasing.erase(workspace, LEAVING, dataset=dataset, progress=KEPT)
    assert told.remains == [] and not any("scores" in one for one in found(workspace.root, LEAVING))
    assert {who: batch.of("shop", who) for who in STAYING[::100]} == before
    with pytest.raises(NotFound) as error:
        batch.of("shop", LEAVING[0])
    assert error.value.code == "service_not_scored"


def test_one_dataset_alone_leaves_the_others(workspace: Workspace, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    events().to_csv(other, index=False)
    ingest(workspace, other, "other", currency="EUR")
    for name in ("shop", "other"):
        put_by_hand(open_dataset(workspace, name), "mine", "Friends", LEAVING[0])
    told = erasing.erase(workspace, LEAVING, dataset="shop", progress=KEPT)
    assert told.remains == [Remains("dataset", "other")]
    assert {one.split("/")[1] for one in found(workspace.root, LEAVING) if one.startswith("datasets")} == {"other"}
    ingest(workspace, other, "other", currency="EUR")  # the ledger holds for the shop alone
    assert open_dataset(workspace, "other").manifest.customers == CUSTOMERS


def test_pseudonyms_are_found_by_the_readable_id(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    events().to_csv(log, index=False)
    workspace = Workspace(tmp_path / "workspace")
    ingest(workspace, log, "shop", pseudonymise=True)
    told = erasing.erase(workspace, LEAVING, progress=KEPT)
    assert all(told.customers.values()) and told.datasets[0].events > GONE
    assert ingest(workspace, log, "shop", pseudonymise=True).customers == CUSTOMERS - GONE


@pytest.mark.parametrize("hashed", [False, True])
def test_an_address_that_was_given_goes_in_every_case_that_it_is_written_in(tmp_path: Path, hashed: bool) -> None:
    workspace, log = Workspace(tmp_path / "workspace"), tmp_path / "log.csv"
    ids = ["user5@web.de", "User5@web.de", "USER5@WEB.DE", "user55@web.de"] * 10
    rows = [f"{name},2023-01-{place % 28 + 1:02},{place + 1}.50,of USER5@web.de" for place, name in enumerate(ids)]
    aside = ["uSER5@web.de,no day,7,", "user55@web.de,no day,8,"]
    log.write_text("\n".join(["customer_id,date,amount,note", *rows, *aside]), encoding="utf-8")
    ingest(workspace, log, "shop", pseudonymise=hashed, progress=KEPT)
    told = erasing.erase(workspace, ["User5@web.de", "user5@WEB.de"], progress=KEPT)
    assert sum(told.customers.values()) == 1 and len(told.customers) == 1 and not told.remains
    left = open_dataset(workspace, "shop")
    events, set_aside = pd.read_parquet(left.events_path), pd.read_parquet(left.rejected_path)
    assert len(events) == 10 and events["note"].isna().all() and len(set_aside) == 1
    assert hashed or set(events["customer_id"]) == set(set_aside["customer_id"]) == {"user55@web.de"}


def test_a_dataset_of_nobody_else_goes(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("customer_id,event_time,amount\nanna-0001,2024-01-01,5\nbert-0002,2024-01-02,6\n")
    workspace = Workspace(tmp_path / "workspace")
    ingest(workspace, log, "shop")
    scores = open_dataset(workspace, "shop").made_folder / "naive" / "scores-20240103.parquet"
    scores.parent.mkdir(parents=True)
    pd.DataFrame({"customer_id": ["anna-0001", "bert-0002"], "predicted_clv": 1.0}).to_parquet(scores)
    told = erasing.erase(workspace, ["anna-0001", "bert-0002"], progress=KEPT)
    assert list_datasets(workspace) == [] and told.datasets[0].version == "" and not scores.exists()


def test_states_of_trainings_on_those_who_were_erased_go_too(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "workspace")
    for name, who in (("shop", "anna-0001"), ("shop-2", "cleo-0003")):
        log = tmp_path / f"{name}.csv"
        log.write_text(f"customer_id,event_time,amount\n{who},2024-01-01,5\nbert-0002,2024-01-02,6\n")
        ingest(workspace, log, name)
        (workspace.folder("runs", f"{name}-0123456789abcdef", "refit") / "train.safetensors").write_bytes(b"of all")
    pretrained = workspace.folder("runs", "pretrain") / "state-1-10.safetensors"
    pretrained.write_bytes(b"of nobody")
    told = erasing.erase(workspace, ["anna-0001"], progress=KEPT)
    assert [path.name for path in sorted(workspace.runs.iterdir())] == ["pretrain", "shop-2-0123456789abcdef"]
    assert told.removed["states"] == 1 and pretrained.exists()


def test_a_run_in_the_workspace_holds_an_erasure_off(workspace: Workspace) -> None:
    with pytest.raises(UsageError):
        erasing.erase(workspace, ["  "], progress=KEPT)
    status = {"command": "train", "args": ["train", "shop"], "state": "running", "started": 9e9, "label": ""}
    write_json(workspace.jobs / "2024-train" / "status.json", {**status, "pid": None})
    with pytest.raises(Refused):
        erasing.erase(workspace, LEAVING, progress=KEPT)
    with pytest.raises(Refused):
        erasing.erase(workspace, LEAVING, dataset="shop", progress=KEPT)
    assert not (workspace.root / "erasures").exists()


def test_the_command_takes_a_file_and_removes_it(workspace: Workspace, clv: Clv) -> None:
    file = workspace.folder("erasures") / "asked.txt"
    file.write_text("\n".join(LEAVING) + "\n")
    result = clv("erase", "--file", str(file))
    assert (result["found"], result["not_found"], len(result["retrain"])) == (GONE, 0, 1)
    assert not file.exists() and Path(result["certificate"]).is_file()
    assert found(workspace.root, LEAVING) == []


def test_unknown_customers_are_named_and_kept_out(workspace: Workspace, clv: Clv) -> None:
    said = clv("erase", NOBODY, code=4)
    result = said["result"]
    assert said["error"]["code"] == "erase_not_found" and (result["found"], result["not_found"]) == (0, 1)
    assert Path(result["certificate"]).is_file() and len(certificates(workspace)) == 1
    assert "1 customers" not in Path(result["certificate_text"]).read_text(encoding="utf-8")
    said = clv("erase", NOBODY, LEAVING[0])
    assert said["found"] == 1 and said["warnings"][0]["params"] == {"missing": 1, "asked": 2}


def test_files_that_were_written_elsewhere_are_logged_and_named_as_what_remains(
    workspace: Workspace, clv: Clv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    clv("score", "shop", "--model", "champion", "--out", "scores.csv")
    monkeypatch.chdir(workspace.root)
    past, why, models = tmp_path / "past", tmp_path / "why", ("--horizon-days", "90", "--models", "naive,bgnbd")
    said = clv("backtest", "shop", *models, "--origins", "1", "--out", str(past))
    assert (said["dataset"], said["horizon_days"]) == ("shop", 90) and said["dataset_version"]
    predictions = pd.read_parquet(past / "predictions.parquet")
    line = export_log(workspace)[0]
    assert (line.format, line.files, line.model) == ("predictions", ["predictions.parquet"], "naive, bgnbd")
    assert (line.rows, line.customers) == (len(predictions), predictions["customer_id"].nunique())
    gone = next(one for one in LEAVING if one in set(predictions["customer_id"]))
    words = ("--model", "champion", "--customer", gone, "--permutations", "1")
    clv("explain", "shop", *words, "--out", str(why))
    line = export_log(workspace)[0]
    assert (line.format, line.folder, line.dataset) == ("reasons", str(why), "shop")
    assert line.customers == len(pd.read_parquet(why / "pool.parquet")) and gone not in json.dumps(line.to_json())
    assert set(line.files) == set(found(why, [gone]))
    for name, more in (("plain.zip", ()), ("held.zip", ("--with-holdout",))):
        clv("models", "export", "shop", "1", "--out", str(tmp_path / name), *more)
    assert [entry.files for entry in export_log(workspace)[:2]] == [["held.zip"], line.files]
    places = [tmp_path / "scores.csv", tmp_path / "held.zip", past / "predictions.parquet"]
    places += [why / name for name in line.files]
    remains = clv("erase", gone)["remains"]
    assert {one["kind"] for one in remains} == {"export"}
    assert sorted(one["name"] for one in remains) == sorted(map(str, places))


def test_a_run_that_is_killed_among_the_datasets_keeps_the_file_that_it_is_finished_from(
    workspace: Workspace, clv: Clv, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, pending = workspace.folder("erasures") / "asked-1.txt", workspace.folder("erasures") / "asked-2.txt"
    for path in (file, pending):
        path.write_text("\n".join(LEAVING) + "\n")
    with monkeypatch.context() as patch:
        patch.setattr(erasing, "rewrite_dataset", killed)
        with pytest.raises(Killed):
            erasing.erase(workspace, LEAVING, source=file, progress=KEPT)
    assert clv("erase", "--file", str(file))["found"] == GONE and not file.exists()
    clv("erase", "--file", str(pending), code=2)  # the other request names nobody any more
    assert pending.exists() and found(workspace.root, LEAVING) == [] and not certificates(workspace)[0].remains


def killed(*words: object) -> None:
    raise Killed


def test_what_killed_runs_left_beside_versions_and_bundles_names_nobody_either(workspace: Workspace) -> None:
    shop, halves = open_dataset(workspace, "shop"), workspace.datasets / ".reading-abc"
    halves.mkdir()
    (halves / "events.parquet").write_bytes(shop.events_path.read_bytes()[:-9])  # no footer: nobody can read it
    for place in (".0123456789ab.new.12345678.tmp", "0123456789ab.new"):
        shutil.copytree(shop.folder, shop.folder.parent / place)
    shutil.copytree(shop.folder, workspace.datasets / "ghost" / shop.version)  # killed before its name was given
    (bundle,) = [path for path in workspace.models.iterdir() if not path.name.startswith(".")]
    shutil.copytree(bundle, workspace.models / ".staging-abc")
    shutil.copytree(bundle, workspace.models / "unfinished", ignore=shutil.ignore_patterns("bundle.json"))
    told = erasing.erase(workspace, LEAVING, progress=KEPT)
    assert found(workspace.root, LEAVING) == [] and told.remains == []
    assert not [path for path in workspace.datasets.rglob(".*") if path.name != ".relations"]
    ghost = workspace.datasets / "ghost" / shop.version / "events.parquet"
    assert set(pd.read_parquet(ghost)["customer_id"]).isdisjoint(LEAVING)


def test_workbooks_elsewhere_are_looked_through_whatever_is_in_their_cells(tmp_path: Path) -> None:
    """A sheet is one line of XML, and a quoted text in it was one cell of 131,072 letters too many for the reader."""
    book, people = tmp_path / "list.xlsx", DataSubjects(("17",), frozenset({"17"}))
    for number, rows in enumerate(([["170", 17, 'he said "'], *[["x", "y"]] * 20_000], [["17"], ['"'], ["R&D"]])):
        with xlsxwriter.Workbook(book) as file:
            sheet = file.add_worksheet()
            for place, row in enumerate(rows):
                sheet.write_row(place, 0, row)
        assert search(book, people).named == bool(number)
