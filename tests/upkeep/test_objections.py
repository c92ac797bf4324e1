"""Who objected to profiling is in nothing that models see or say: as if their rows were not there."""

from __future__ import annotations

import dataclasses
import json
import shutil
import zipfile
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clv_core import audit, cli, pipeline
from clv_core.collection.ingest import ingest
from clv_core.collection.privacy.objections import objection_list, without_objected
from clv_core.collection.simulate import SimulationPlan, simulate
from clv_core.collection.store.version_store import MANIFEST, open_dataset
from clv_core.config import TrainConfig
from clv_core.deployment.bundle import MODEL_FILES, Bundle, open_bundle
from clv_core.deployment.registry import Registry
from clv_core.deployment.saved_scores import Scored
from clv_core.errors import Refused
from clv_core.jobs import NoProgress
from clv_core.strategy.segments.segment_figures import past_predictions, read_past
from clv_core.upkeep.objections import models_to_retrain
from clv_core.workspace import Workspace
from tests.conftest import SMALL, Clv

PREFIX = "ZQXOBJ"
"""Begins the ids of those who object: no other bytes look like it."""
OFFER = "name=Voucher,cost=2,effect=40%"
BRIEF = dataclasses.replace(SMALL, ensemble=1, steps=20, cutoffs=2)
QUICK = TrainConfig(horizon_days=90, model="bgnbd", cutoffs=2, processes=1)


@dataclasses.dataclass(frozen=True)
class Files:
    """A log and its customers table, with those who are going to object and without them."""

    folder: Path
    objecting: list[str]

    def read(self, workspace: Workspace, kind: str) -> Workspace:
        ingest(workspace, self.folder / f"{kind}.csv", "shop", currency="EUR", timezone="Asia/Shanghai")
        people = str(self.folder / f"{kind}_people.csv")
        words = ["customers", people, "--dataset", "shop", "--contact", "email=mail", "--static", "region"]
        assert cli.main([*words, "--workspace", str(workspace.root)]) == 0
        return workspace


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("log")
    simulate("browsing", SimulationPlan(420, 540, 3, 90)).write(folder)
    events = pd.read_csv(folder / "events.csv", dtype=str)
    times = pd.to_datetime(events["event_time"])
    spent = pd.to_numeric(events["amount"]).groupby(events["customer_id"]).sum()
    best = str(spent.idxmax())
    gone = {best, *spent.sort_index().index[::9]}
    bought = events[events["event_type"] == "purchase"].iloc[[0, 0]].assign(customer_id=best)
    shifts = (
        times.min() - pd.Timedelta(days=4),
        times.max() + pd.Timedelta(days=5),
    )  # hers alone
    bought["event_time"] = [f"{day:%Y-%m-%d %H:%M:%S}" for day in shifts]
    events = pd.concat([events, bought])
    renamed = {customer: f"{PREFIX}{number:03}" for number, customer in enumerate(sorted(gone))}
    events["customer_id"] = events["customer_id"].replace(renamed)
    ids = sorted(set(events["customer_id"]))
    people = pd.DataFrame(
        {
            "customer_id": ids,
            "mail": [f"{customer.lower()}@mail.example" for customer in ids],
            "region": [("north", "south", "west")[number % 3] for number in range(len(ids))],
        }
    )
    for name, table in (("", events), ("_people", people)):
        objects = table["customer_id"].str.startswith(PREFIX)
        table.to_csv(folder / f"all{name}.csv", index=False)
        table[~objects].to_csv(folder / f"rest{name}.csv", index=False)
    return Files(folder, sorted(renamed.values()))


@pytest.fixture(scope="module")
def everybody(files: Files, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return files.read(Workspace(tmp_path_factory.mktemp("ws") / "all"), "all").root


@pytest.fixture(scope="module")
def others(files: Files, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace whose log never had those who object."""
    return files.read(Workspace(tmp_path_factory.mktemp("ws") / "rest"), "rest")


@pytest.fixture
def workspace(everybody: Path, tmp_path: Path) -> Workspace:
    shutil.copytree(everybody, tmp_path / "workspace")
    return Workspace(tmp_path / "workspace")


def object_to_profiling(workspace: Workspace, files: Files, clv: Clv, tmp_path: Path) -> dict[str, object]:
    """Put them on the list: half by id, half by e-mail in a file."""
    half = len(files.objecting) // 2
    (tmp_path / "mails.txt").write_text("\n".join(f"{one}@Mail.example" for one in files.objecting[half:]))
    return clv("objections", "add", *files.objecting[:half], "--file", str(tmp_path / "mails.txt"))


def trained(workspace: Workspace, config: TrainConfig) -> Bundle:
    return pipeline.train(workspace, "shop", config, progress=NoProgress())


def weights(bundle: Bundle) -> dict[str, bytes]:
    return {name: (bundle.folder / name).read_bytes() for name in MODEL_FILES if (bundle.folder / name).is_file()}


def content_of(out: Path) -> str:
    """Return a written file, or the tables of a folder, as text without a digit lost."""
    tables = [pd.read_parquet(path) for path in sorted(out.glob("*.parquet"))]
    assert out.is_file() or tables
    return out.read_text() if out.is_file() else "".join(table.to_json(double_precision=15) for table in tables)


@pytest.mark.examples(1)
@pytest.mark.parametrize("model", ["hybrid", "lightgbm"])
def test_models_scores_segments_and_plans_are_those_of_a_log_without_their_rows(
    model: str, workspace: Workspace, others: Workspace, files: Files, clv: Clv, tmp_path: Path
) -> None:
    said = object_to_profiling(workspace, files, clv, tmp_path)
    assert said["changed"] == len(files.objecting) and said["datasets"] == {"shop": len(files.objecting)}
    config = dataclasses.replace(SMALL, model=model, steps=30)
    bundles = [trained(work, config) for work in (workspace, others)]
    assert weights(bundles[0]) == weights(bundles[1]) and weights(bundles[0])
    records = [bundle.record for bundle in bundles]
    assert records[0].metrics == records[1].metrics and records[0].baselines == records[1].baselines
    assert records[0].cutoff == records[1].cutoff == open_dataset(others, "shop").log_end
    tables: dict[str, list[str]] = {}
    for bundle, work in zip(bundles, (workspace, others), strict=True):
        for name, words in {
            "scores.csv": ("score",),
            "tiers.csv": ("segment",),
            "clusters.csv": ("segment", "--scheme", "clusters:3"),
            "plan.csv": ("plan", "--budget", "90", "--offer", OFFER),
            "why": ("explain", "--sample", "40"),
            "list.csv": ("export", "--format", "csv"),
        }.items():
            out = tmp_path / work.root.name / name
            out.parent.mkdir(exist_ok=True)
            command = [words[0], "shop", "--model", bundle.id, *words[1:], "--out", str(out)]
            assert cli.main([*command, "--workspace", str(work.root)]) == 0
            tables.setdefault(name, []).append(content_of(out).replace(bundle.id, ""))
    for name, (with_list, without_rows) in tables.items():
        assert with_list == without_rows, name


def test_a_dataset_without_them_has_the_other_rows_as_they_are_and_ends_with_them(
    workspace: Workspace, others: Workspace, files: Files
) -> None:
    dataset = open_dataset(workspace, "shop")
    assert without_objected(workspace, dataset) is dataset
    objection_list(workspace).add(files.objecting)
    left, alone = without_objected(workspace, dataset), open_dataset(others, "shop")
    for path, other in ((left.events_path, alone.events_path), (left.customers_path, alone.customers_path)):
        pd.testing.assert_frame_equal(pd.read_parquet(path), pd.read_parquet(other))
    counts = ("customers", "orders", "purchases", "log_start", "log_end", "net_revenue", "event_types", "rows_kept")
    assert [getattr(left.manifest, name) for name in counts] == [getattr(alone.manifest, name) for name in counts]
    assert left.log_end < dataset.log_end and left.log_start > dataset.log_start and left.with_all == dataset
    past = pd.read_csv(files.folder / "all.csv").query("event_type in ('purchase', 'return')")
    hers = past[past["customer_id"].isin(files.objecting)]["amount"].sum()
    assert left.objected.net_revenue == pytest.approx(hers, abs=0.005)
    assert left.objected.customers == len(files.objecting)
    assert open_dataset(workspace, "shop") == dataset  # the past counts them
    objection_list(workspace).remove(files.objecting)
    assert without_objected(workspace, dataset) is dataset


def test_without_its_key_the_list_is_not_passed_over(
    workspace: Workspace, files: Files, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    objection_list(workspace).add(files.objecting[:1])
    monkeypatch.setenv("CLV_KEY_FILE", str(tmp_path / "none" / "key"))
    with pytest.raises(Refused) as refused:
        trained(workspace, QUICK)
    assert (refused.value.code, refused.value.params["list"]) == ("list_key", "objections/list.jsonl")


def test_of_a_log_of_those_who_object_alone_nothing_is_trained(workspace: Workspace, clv: Clv) -> None:
    ids = pd.read_parquet(open_dataset(workspace, "shop").events_path)["customer_id"].unique()
    objection_list(workspace).add(ids)
    said = clv("train", "shop", "--horizon-days", "90", "--set", "model=bgnbd", code=4)["error"]
    assert (said["code"], said["params"]["customers"]) == ("objected_all", len(ids))
    assert clv("objections", "list")["datasets"] == {"shop": len(ids)}


def test_the_list_names_nobody_and_is_in_the_audit_log(workspace: Workspace, files: Files, clv: Clv) -> None:
    said = clv("objections", "add", *files.objecting, "nobody-of-the-log")
    (warning,) = said["warnings"]
    assert warning["params"] == {"read": len(files.objecting) + 1, "customers": len(files.objecting), "nobody": 1}
    listed = clv("objections", "list")
    assert listed["listed"] == len(files.objecting) + 1 and set(listed["entries"][0]) == {"at", "who"}
    assert clv("objections", "remove", "nobody-of-the-log")["changed"] == 1
    assert clv("objections", "add", code=2)["error"]["code"] == "suppress_nobody"
    lines = audit.lines(workspace, 3)
    assert [(line["action"], line["customers"]) for line in lines[:2]] == [
        ("objections remove", 1),
        ("objections add", len(files.objecting) + 1),
    ]
    for path in (workspace.root / "objections").iterdir():
        assert PREFIX not in path.read_text()
    assert PREFIX not in audit.path_of(workspace).read_text()


def test_who_is_erased_is_erased_from_the_dataset_without_those_who_objected(
    workspace: Workspace, files: Files, clv: Clv
) -> None:
    objection_list(workspace).add(files.objecting)
    left = without_objected(workspace, open_dataset(workspace, "shop"))
    customer = str(pd.read_parquet(left.events_path)["customer_id"].iloc[0])
    assert clv("erase", customer)["remains"] == []
    assert not left.folder.exists()
    again = without_objected(workspace, open_dataset(workspace, "shop"))
    assert customer not in set(pd.read_parquet(again.events_path)["customer_id"])


def holds_them(path: Path) -> bool:
    """Return whether a file, unpacked where its kind packs texts, has bytes of theirs."""
    content = path.read_bytes()
    if path.suffix == ".parquet":
        content += repr(pq.read_table(path).to_pydict()).encode()
    elif path.suffix == ".arrow":
        content += repr(pa.ipc.open_file(path).read_all().to_pydict()).encode()
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as packed:
            content += b"".join(packed.read(name) for name in packed.namelist())
    return PREFIX.encode() in content or f"{PREFIX.lower()}0".encode() in content


def named_in(workspace: Workspace, *besides: Path) -> list[str]:
    """Return the files of a workspace that have bytes of theirs, but for the data itself and some folders."""
    versions = [path.parent for path in workspace.datasets.glob(f"*/*/{MANIFEST}")]
    skipped = [*versions, *besides]
    files = [path for path in workspace.root.rglob("*") if path.is_file() and not set(skipped) & set(path.parents)]
    assert len(files) > 10
    return [str(path.relative_to(workspace.root)) for path in files if holds_them(path)]


def test_no_byte_of_theirs_is_in_what_is_made_afterwards_and_no_score_of_before_stays(
    workspace: Workspace, files: Files, clv: Clv, tmp_path: Path
) -> None:
    before = trained(workspace, BRIEF)

    def run_all(bundle: Bundle, out: Path) -> None:
        about = ("shop", "--model", bundle.id)
        for name, words in {
            "scores.parquet": ("score", *about),
            "why": ("explain", *about, "--sample", "50"),
            "tiers.csv": ("segment", *about),
            "list.xlsx": ("export", *about, "--format", "xlsx"),
            "mail.csv": ("export", *about, "--format", "hubspot", "--assume-consent"),
            "plan.csv": ("plan", *about, "--budget", "90", "--offer", OFFER),
            "products.parquet": ("recommend", *about),
            "backtest": ("backtest", "shop", "--horizon-days", "90", "--models", "bgnbd"),
        }.items():
            clv(*words, "--out", str(out / name))
        clv("embed", *about)
        clv("monitor", *about)

    run_all(before, tmp_path / "before")
    assert all(map(holds_them, (tmp_path / "before" / name for name in ("scores.parquet", "tiers.csv", "list.xlsx"))))
    assert any("/made/" in path for path in named_in(workspace))
    said = object_to_profiling(workspace, files, clv, tmp_path)
    assert said["retrain"] == [{"model": before.id, "customers": len(files.objecting)}]
    assert named_in(workspace, before.folder) == []  # without another run
    after = trained(workspace, dataclasses.replace(BRIEF, seed=5))
    run_all(after, tmp_path / "after")
    run_all(before, tmp_path / "outdated")
    assert named_in(workspace, before.folder) == []
    written = [path for name in ("after", "outdated") for path in (tmp_path / name).rglob("*") if path.is_file()]
    assert len(written) > 20 and not any(map(holds_them, written))
    assert [bundle.id for bundle, _ in models_to_retrain(workspace)] == [before.id]
    scored = Scored.open(workspace, "shop", before.id)
    for past in past_predictions(scored):  # its test, when they were in the log
        frame = read_past(past, scored)
        assert not frame["customer_id"].str.startswith(PREFIX).any() and frame["actual"].notna().all() and len(frame)
    for bundle, code in ((before, 4), (after, 0)):
        number = next(one.number for one in Registry(workspace).versions("shop") if one.bundle == bundle.id)
        archive = tmp_path / f"{number}.zip"
        answer = clv("models", "export", "shop", str(number), "--with-holdout", "--out", str(archive), code=code)
        assert answer["error"]["code"] == "holdout_objected" if code else not holds_them(archive)
    side = json.loads((tmp_path / "after" / "tiers.csv.json").read_text())
    score = json.loads((tmp_path / "after" / "scores.parquet.json").read_text())
    assert side["objected"] == score["objected"] == len(files.objecting)
    codes = [warning["code"] for warning in score["warnings"]]
    assert "objected" in codes and "learned_from_objected" not in codes
    for words in (("card",), ("explain", "--out", str(tmp_path / "her"))):
        error = clv(*words, "shop", "--model", after.id, "--customer", files.objecting[-1], code=4)["error"]
        assert error["code"] == "customer_objected"


def test_a_model_is_to_be_trained_again_for_those_alone_who_objected_after_it_and_before_its_end(
    workspace: Workspace, files: Files, clv: Clv
) -> None:
    first, *rest = files.objecting
    clv("objections", "add", first)
    without_first = trained(workspace, QUICK)
    assert models_to_retrain(workspace) == []
    clv("objections", "add", *rest[:3])
    assert models_to_retrain(workspace) == [(open_bundle(workspace, without_first.id), 3)]
    listed = clv("objections", "list")
    assert listed["retrain"] == [{"model": without_first.id, "customers": 3}]
    clv("objections", "remove", *rest[:3])
    assert models_to_retrain(workspace) == []
    events = pd.read_csv(files.folder / "all.csv")
    first_days = pd.to_datetime(events[events["customer_id"].isin(rest)].groupby("customer_id")["event_time"].min())
    late, start = str(first_days.idxmax()), first_days.max()
    early = pipeline.train(workspace, "shop", QUICK, cutoff=start.date() - timedelta(days=2), progress=NoProgress())
    clv("objections", "add", late)
    assert [bundle.id for bundle, _ in models_to_retrain(workspace)] == [without_first.id] and early.record.cutoff


def test_pruning_and_backups_keep_the_dataset_without_them_and_remove_those_of_removed_versions(
    workspace: Workspace, files: Files, clv: Clv, tmp_path: Path
) -> None:
    objection_list(workspace).add(files.objecting)
    left = without_objected(workspace, open_dataset(workspace, "shop"))
    assert left.version not in clv("prune", "shop", "--keep", "1")["removed"] and left.folder.is_dir()
    clv("backup", str(tmp_path / "backup.zip"))
    with zipfile.ZipFile(tmp_path / "backup.zip") as archive:
        assert f"datasets/shop/{left.version}/view.json" in archive.namelist()
    rows = pd.read_csv(files.folder / "all.csv").iloc[: len(pd.read_csv(files.folder / "all.csv")) // 2]
    rows.to_csv(tmp_path / "half.csv", index=False)
    ingest(workspace, tmp_path / "half.csv", "shop", currency="EUR", timezone="Asia/Shanghai")
    clv("prune", "shop", "--keep", "1")
    assert not left.folder.exists() and open_dataset(workspace, "shop").version != left.with_all.version
    assert without_objected(workspace, open_dataset(workspace, "shop")).objected.customers > 0
