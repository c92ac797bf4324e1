"""Who is on the suppression list is in no list that is written, by whatever way."""

from __future__ import annotations

import ast
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from clv_core import audit, cli, pipeline
from clv_core.collection.ingest import ingest
from clv_core.collection.parse.id_texts import key_path
from clv_core.collection.privacy.keyed_list import KeyedList
from clv_core.collection.privacy.suppression_list import FILE, PURPOSE, SuppressionList
from clv_core.collection.simulate import SimulationPlan, simulate
from clv_core.collection.store.version_store import open_dataset
from clv_core.config import TrainConfig
from clv_core.deployment.saved_scores import Scored
from clv_core.errors import NotEnoughData, Refused
from clv_core.jobs import NoProgress
from clv_core.strategy.audiences.export import write_rows
from clv_core.workspace import Workspace
from tests.conftest import Clv
from tests.strategy.lists import SIDE

ROOT = Path(__file__).resolve().parents[2]
OFFER = "name=Voucher,cost=2,effect=40%"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small log with contacts and a quick model; every step ran as a job, so that all it leaves behind is there."""
    folder = tmp_path_factory.mktemp("suppression")
    simulate("btyd", SimulationPlan(400, 540, 1, 90)).write(folder)
    workspace = Workspace(folder / "workspace")
    ingest(workspace, folder / "events.csv", "shop", currency="EUR")
    ids = sorted(pd.read_csv(folder / "events.csv", dtype=str)["customer_id"].unique())
    people = pd.DataFrame(
        {"customer_id": ids, "email": [f"{one}@mail.example".lower() for one in ids], "consent": "yes"}
    )
    people.to_csv(folder / "people.csv", index=False)
    words = ["customers", str(folder / "people.csv"), "--dataset", "shop", "--contact", "email=email"]
    assert cli.main([*words, "--workspace", str(workspace.root)]) == 0
    config = TrainConfig(horizon_days=90, model="naive", cutoffs=2)
    pipeline.train(workspace, "shop", config, progress=NoProgress())
    return workspace.root


@pytest.fixture
def workspace(made: Path, tmp_path: Path) -> Workspace:
    shutil.copytree(made, tmp_path / "workspace")
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def model(workspace: Workspace) -> str:
    (found,) = [path.name for path in workspace.models.iterdir() if not path.name.startswith(".")]
    return found


def best(workspace: Workspace, count: int) -> list[str]:
    model = next(path.name for path in workspace.models.iterdir() if not path.name.startswith("."))
    scored = Scored.open(workspace, "shop", model).scores(NoProgress())
    return [str(one) for one in scored.nlargest(count, "predicted_clv")["customer_id"]]


def test_no_list_and_no_plan_holds_them(workspace: Workspace, model: str, clv: Clv, tmp_path: Path) -> None:
    hidden, everyone = best(workspace, 6), len(best(workspace, 400))
    about = ("shop", "--model", model)
    file = tmp_path / "hidden.txt"
    file.write_text(f"{hidden[0].lower()}@mail.example\n{hidden[1]}\n")
    assert clv("suppress", "add", *hidden[1:], "--file", str(file))["changed"] == 6
    for name, words in {
        "list.csv": ("export", *about, "--format", "csv"),
        "hubspot.csv": ("export", *about, "--format", "hubspot"),
        "tiers.parquet": ("segment", *about),
        "plan.csv": ("plan", *about, "--budget", "100", "--offer", OFFER),
    }.items():
        result, path = clv(*words, "--out", str(tmp_path / name)), tmp_path / name
        table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, dtype=str)
        here = table["customer_id"].astype("str")
        assert not here.isin(hidden).any() and len(here) == result["rows"]  # the first is on it by address alone
        assert name == "plan.csv" or len(here) == everyone - len(hidden)
        if name == "plan.csv":  # the budget goes to those who may be asked: nothing of it is lost with the others
            assert table["cost"].astype(float).sum() == 100 and result["rows"] == 50
        if name == "tiers.parquet":  # what they are worth together is of those who are in the file
            assert result["value_sum"] == pytest.approx(table["predicted_clv"].sum())
    assert clv("suppress", "list")["suppressed"] == 6
    assert clv("suppress", "remove", *hidden[1:])["changed"] == 5
    assert not any(one in audit.path_of(workspace).read_text() for one in hidden)


def test_no_card_and_no_explanation_is_made_of_them(workspace: Workspace, model: str, clv: Clv, tmp_path: Path) -> None:
    by_id, by_address, other = best(workspace, 3)
    SuppressionList.of(workspace).add([by_id, f"{by_address}@mail.example".upper()])
    for customer in (by_id, by_address):
        for words in (("card",), ("explain", "--out", str(tmp_path / "why"))):
            about = (words[0], "shop", "--model", model, "--customer", customer, *words[1:])
            said = clv(*about, code=4)["error"]
            assert said["code"] == "customer_suppressed" and "do-not-contact list" in said["message"]
    card = json.dumps(clv("card", "shop", "--model", model, "--customer", other))
    assert other in card and by_id not in card and by_address not in card  # nor among those who are alike


def test_a_changed_list_is_read_again_and_checked_for_its_key(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = SuppressionList.of(workspace)
    assert not stop.holds("c1")
    stop.add([f"c{number}" for number in range(300)])
    assert SuppressionList.of(workspace).holds("c1") and SuppressionList.of(workspace) is SuppressionList.of(workspace)
    with monkeypatch.context() as patch:
        patch.delattr(KeyedList, "entries")
        assert SuppressionList.of(workspace).holds("c299") and not SuppressionList.of(workspace).holds("c300")
    SuppressionList.of(workspace).remove(["c1"])
    assert not SuppressionList.of(workspace).holds("c1")


@pytest.mark.parametrize("word", ["ana@mail.example", "Ana@Mail.Example"])
def test_an_address_is_the_same_one_in_any_case(tmp_path: Path, word: str) -> None:
    workspace = Workspace(tmp_path / "ws")
    SuppressionList.of(workspace).add([word, "C7"])
    ids = ["ana@mail.example", "ANA@mail.example", "Ana@Mail.Example", "C7", "c7", "b@x"]
    stop = SuppressionList.of(workspace)
    assert stop.hides(pd.DataFrame({"customer_id": ids})).tolist() == [True] * 4 + [False] * 2
    assert [stop.holds(one) for one in ids] == [True] * 4 + [False] * 2
    assert stop.remove(["aNa@mail.example"]) == 1 and not SuppressionList.of(workspace).holds(word)


def test_spellings_of_an_id_are_one_person_on_the_list_where_they_are_in_the_log(tmp_path: Path) -> None:
    workspace, ids = Workspace(tmp_path / "ws"), [str(number) for number in range(121, 133)]
    for name, padded in (("one.csv", False), ("other.csv", True)):
        rows = [f"{one.zfill(5) if padded else one},2024-0{1 + padded}-05,{at}.5" for at, one in enumerate(ids, 1)]
        (tmp_path / name).write_text("\n".join(["customer_id,event_time,amount", *rows]))
    ingest(workspace, [tmp_path / "one.csv", tmp_path / "other.csv"], "shop", currency="EUR")
    dataset = open_dataset(workspace, "shop")
    SuppressionList.of(workspace).add(["00123", "125"])
    stop = SuppressionList.of(workspace, dataset)
    spelt = pd.DataFrame({"customer_id": ["123", "00123", "125", "00125", "1230", "126"]})
    assert stop.hides(spelt).tolist() == [True] * 4 + [False] * 2
    assert [stop.holds(one) for one in spelt["customer_id"]] == [True] * 4 + [False] * 2
    assert not SuppressionList.of(workspace).holds("123"), "without a log, ids that differ are two people"


def test_a_copy_without_its_key_is_told_whose_key_it_needs(workspace: Workspace) -> None:
    SuppressionList.of(workspace).add(["a"])
    path = key_path(workspace)
    path.unlink()
    for content in (None, "ab" * 32):
        if content is not None:
            path.write_text(content)
        with pytest.raises(Refused) as refused:
            SuppressionList.of(workspace).holds("a")
        assert refused.value.code == "list_key" and str(path) in refused.value.message()
        assert "pseudonym" not in refused.value.message() and "replaced" not in refused.value.message()


def test_a_list_of_nobody_else_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    SuppressionList.of(workspace).add(["a", "b"])
    frame = pd.DataFrame({"customer_id": ["a", "b"], "predicted_clv": [1.0, 2.0]})
    for ending in ("csv", "parquet"):
        with pytest.raises(NotEnoughData):
            write_rows(workspace, frame, tmp_path / f"list.{ending}", SIDE, fewest=1)
        assert not (tmp_path / f"list.{ending}").exists()


def test_every_call_that_writes_a_list_names_the_suppression_list() -> None:
    """A list written without it would hold people who asked to be left alone: each caller has to say ``stop=``.

    ``write_rows`` takes it from the workspace that it is given; below this module, nobody writes files of customers.
    """
    callers, forgotten, below = set(), [], set()
    for path in [*(ROOT / "clv_core").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]:
        tree, where = ast.parse(path.read_text(encoding="utf-8")), str(path.relative_to(ROOT))
        imported = {
            (node.module, alias.asname or alias.name)
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        if any(
            module == "clv_core.strategy.audiences.list_files" and name.startswith("write_")
            for module, name in imported
        ):
            below.add(where)
        exports = {"exports.export"} | (
            {"export"} if ("clv_core.strategy.audiences.export", "export") in imported else set()
        )
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in exports:
                callers.add(where)
                if "stop" not in {word.arg for word in node.keywords}:
                    forgotten.append(f"{where}:{node.lineno}")
    assert forgotten == [] and {"clv_core/strategy/activation.py", "pages/ui/exports/lists.py"} <= callers
    assert below == {"clv_core/strategy/audiences/export.py"}


def test_no_log_names_a_customer(
    workspace: Workspace, model: str, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    ids = [str(one) for one in pd.read_parquet(next(workspace.datasets.glob("shop/*/events.parquet")))["customer_id"]]
    out = str(tmp_path / "out.csv")
    for number, words in enumerate(
        (
            ("train", "shop", "--horizon-days", "60", "--model", "naive"),
            ("score", "shop", "--model", model, "--out", out),
            ("export", "shop", "--model", model, "--format", "csv", "--out", out),
        )
    ):
        job = workspace.jobs / f"2024-{number}-{words[0]}"
        job.mkdir()
        (job / "status.json").write_text(json.dumps({"id": job.name, "command": words[0], "args": words}))
        assert cli.main(["--job", str(job), *words, "--workspace", str(workspace.root)]) == 0
    written = capfd.readouterr()
    places = [*workspace.jobs.rglob("*"), *(workspace.root / "audit").iterdir(), *workspace.exports.iterdir()]
    said = [written.out, written.err, *(path.read_text() for path in places if path.is_file())]
    assert sum(map(len, said)) > 2000 and len(ids) > 400
    assert {one for one in set(ids) if any(one in text for text in said)} == set()
    actions = [line["action"] for line in audit.lines(workspace)]
    assert actions[:4] == ["export", "score", "export", "train"]  # scores in a file are a list that left, too


def test_a_phone_number_is_known_in_any_form(workspace: Workspace, model: str, clv: Clv, tmp_path: Path) -> None:
    ids = best(workspace, 400)
    people = pd.DataFrame({"customer_id": ids, "phone": [f"138{row:08}" for row in range(len(ids))], "consent": "yes"})
    people.loc[1, "phone"] = "+86 139-0000-0001"
    people.loc[2, "email"] = "first@mail.example, second@mail.example"
    people.to_csv(tmp_path / "people.csv", index=False)
    clv("customers", str(tmp_path / "people.csv"), "--dataset", "shop")
    (tmp_path / "dnc.csv").write_text("reason,mobile\nasked,+8613800000000\nasked,139 0000 0001\nasked,+491701234567\n")
    (tmp_path / "dnc.txt").write_text("Second <second@mail.example>\n")
    assert clv("suppress", "add", "--file", str(tmp_path / "dnc.txt"))["matches"]["customers"] == 1
    said = clv("suppress", "add", "--file", str(tmp_path / "dnc.csv"))
    assert said["matches"] == {"read": 3, "customers": 2, "nobody": 1} and said["changed"] == 3
    assert SuppressionList.of(workspace).names("0086 138 0000 0000") and not SuppressionList.of(workspace).names(
        "13800000002"
    )
    about = ("export", "shop", "--model", model)
    for format, ending in (("csv", "csv"), ("klaviyo", "csv"), ("phone_hashes", "txt")):
        out = str(tmp_path / f"list.{ending}")
        made = clv(*about, "--format", format, "--region", "CN", "--out", out)
        assert made["left_out"] == {"suppressed": 3}
    assert clv("card", "shop", "--model", model, "--customer", ids[0], code=4)["error"]["code"] == "customer_suppressed"
    written = (workspace.root / "suppression" / "list.jsonl").read_text()
    assert "1380000" not in written and clv("suppress", "remove", "13800000000")["changed"] == 0
    assert clv("suppress", "remove", "+86 138 0000 0000")["changed"] == 1


def test_an_entry_of_an_earlier_day_learns_how_its_number_is_written_elsewhere(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "ws")
    KeyedList(workspace, FILE, PURPOSE).add(["138-0013-8001"])
    rows = pd.DataFrame({"customer_id": ["a"], "phone": ["+8613800138001"]})
    assert not SuppressionList.of(workspace).hides(rows).any()
    assert SuppressionList.of(workspace).add(["138-0013-8001"]) == 0
    assert SuppressionList.of(workspace).hides(rows).all()


def test_a_column_in_chunks_is_matched_row_by_row(tmp_path: Path) -> None:
    SuppressionList.of(Workspace(tmp_path)).add(["a@x.com"])
    stop = SuppressionList.of(Workspace(tmp_path))
    texts = ["a@x.com", *(f"b{number}@x.com" for number in range(12))]
    column = pd.concat([pd.Series(texts, dtype="str"), pd.Series(["c@x.com"] * 6, dtype="str")], ignore_index=True)
    for _ in range(30):  # an engine with several threads may return the chunks in another order
        assert stop.hides_emails(column).tolist() == [True] + [False] * 18
        assert stop.hides(pd.DataFrame({"customer_id": column})).tolist() == [True] + [False] * 18


def test_a_list_that_matches_nobody_says_so(clv: Clv) -> None:
    said = clv("suppress", "add", "nobody@nowhere.org", "C-unknown")
    assert said["matches"] == {"read": 2, "customers": 0, "nobody": 2}
    assert [one["code"] for one in said["warnings"]] == ["suppress_none"]
