"""The command ``customers``: every word is heard, the JSON accounts for every row, exports find the contacts."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clv_core import pipeline
from clv_core.cli import main
from clv_core.collection.ingest import ingest
from clv_core.collection.stored.store import open_dataset, restore, versions
from clv_core.collection.values.pseudonyms import load_key, pseudonym
from clv_core.deployment.bundle import Bundle
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(4)

PEOPLE = (
    "Nr;Alter;Gebiet;Stufe;seit;Post\n"
    "007;30,5;1;silver;03/04/2024;a@b.de\n"
    "007;30,5;1;gold;04/04/2024;a@b.de\n"
    "08;1.000;2;gold;03/04/2024;c@d.de\n"
    ";41;2;gold;03/04/2024;e@f.de\n"
)


def run(capsys: pytest.CaptureFixture[str], workspace: Workspace, *words: str) -> tuple[int, dict[str, Any]]:
    code = main([*words, "--workspace", str(workspace.root)])
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "log.csv").write_text(
        "customer_id,event_time,amount\n007,2024-01-03,5\n08,2024-01-04,6\n09,2024-01-04,7\n"
    )
    ingest(Workspace(tmp_path / "workspace"), tmp_path / "log.csv", "shop")
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def people(tmp_path: Path) -> str:
    (tmp_path / "people.csv").write_text(PEOPLE)
    return str(tmp_path / "people.csv")


def test_an_attribute_whose_name_holds_an_equals_sign_is_dated(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "odd.csv"
    path.write_text(PEOPLE.replace("Stufe", "Stufe=neu"))
    words = ["--id", "Nr", "--dated=Stufe=neu=seit", "--date-order", "dmy"]
    code, said = run(capsys, workspace, "customers", str(path), "--dataset", "shop", *words)
    assert code == 0 and said["attributes"] == [{"name": "Stufe=neu", "kind": "text", "dated_by": "seit"}]


def test_every_word_is_heard_and_every_row_accounted_for(
    workspace: Workspace, people: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--id", "Nr", "--static", "Alter", "--static", "Gebiet", "--text", "Gebiet", "--dated", "Stufe=seit"]
    words += ["--contact", "email=Post", "--date-order", "dmy", "--decimal", "comma", "--lang", "zh"]
    parent = open_dataset(workspace, "shop").version
    code, said = run(capsys, workspace, "customers", people, "--dataset", "shop", *words)
    assert code == 0, said
    counts = {key: said[key] for key in ("rows_read", "rows_kept", "rows_set_aside", "customers", "matched")}
    assert counts == {"rows_read": 4, "rows_kept": 3, "rows_set_aside": 1, "customers": 2, "matched": 2}
    assert said["customers_in_log"] == 3 and said["parent"] == parent and said["contacts"] == ["email"]
    assert said["attributes"] == [
        {"name": "Alter", "kind": "number", "dated_by": None},
        {"name": "Gebiet", "kind": "text", "dated_by": None},
        {"name": "Stufe", "kind": "text", "dated_by": "seit"},
    ]
    codes = {item["code"] for item in said["warnings"]}
    assert {"no_customer", "leaks_log_too_short"} <= codes and all(
        "{" not in item["message"] for item in said["warnings"]
    )
    stored = pd.read_parquet(open_dataset(workspace, "shop").customers_path)
    assert stored["Alter"].tolist() == [30.5, 30.5, 1000.0] and stored["customer_id"].tolist() == ["007", "007", "08"]
    assert [str(day) for day in stored["seit"]] == ["2024-04-03", "2024-04-04", "2024-04-03"]


def test_removing_makes_a_version_without_and_keeps_the_one_with(
    workspace: Workspace, people: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _, added = run(
        capsys,
        workspace,
        "customers",
        people,
        "--dataset",
        "shop",
        "--id",
        "Nr",
        "--contact",
        "email=Post",
        "--static",
        "Alter",
        "--decimal",
        "comma",
    )
    assert added["rows_kept"] == 2 and added["rows_set_aside"] == 2
    code, said = run(capsys, workspace, "customers", "--dataset", "shop", "--remove")
    assert code == 0 and said["removed"] and said["parent"] == added["version"]
    assert open_dataset(workspace, "shop").manifest.customers_table is None
    assert added["version"] in {item.version for item in versions(workspace, "shop")}
    code, said = run(capsys, workspace, "customers", "--dataset", "shop", "--remove")
    assert (code, said["error"]["code"]) == (4, "customers_nothing_to_remove")


def test_the_same_table_twice_is_one_meaning_and_another_role_is_another_version(
    workspace: Workspace, people: str, capsys: pytest.CaptureFixture[str]
) -> None:
    start = open_dataset(workspace, "shop").version
    words = ["customers", people, "--dataset", "shop", "--id", "Nr", "--decimal", "comma"]
    made = []
    for static in ("Alter", "Alter", "Gebiet"):
        code, said = run(capsys, workspace, *words, "--static", static)
        assert code == 0, said
        made.append(said["version"])
        restore(workspace, "shop", start)
    assert made[0] == made[1] != made[2]


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (["--static", "Alter"], 3, "customers_no_id"),
        (["--id", "Nr", "--contact", "email="], 3, "customers_nothing_on"),
        (["--id", "Nr", "--dated", "Stufe=seit"], 3, "dates_ambiguous"),
        (["--id", "Nr", "--dated", "Stufe"], 2, "map_pair"),
        (["--id", "Nr", "--static", "Hut"], 2, "customers_column"),
        (["--id", "Nr", "--static", "Alter", "--accept", "Hut"], 2, "customers_accept"),
        (["--remove"], 2, "customers_remove_with_file"),
        (["--id", "Post", "--static", "Alter"], 4, "customers_none_match"),
    ],
)
def test_exit_codes_say_what_kind_of_trouble_it_is(
    workspace: Workspace, people: str, capsys: pytest.CaptureFixture[str], words: list[str], code: int, error: str
) -> None:
    before = open_dataset(workspace, "shop").version
    found, said = run(capsys, workspace, "customers", people, "--dataset", "shop", *words)
    assert (found, said["error"]["code"]) == (code, error)
    assert open_dataset(workspace, "shop").version == before
    assert [path.name for path in workspace.datasets.iterdir()] == ["shop"]


def test_neither_a_file_nor_remove_is_bad_usage(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, workspace, "customers", "--dataset", "shop")[1]["error"]["code"] == "customers_needs_file"


def test_in_a_pseudonymised_dataset_ids_and_contacts_become_the_same_hashes(
    tmp_path: Path, people: str, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = Workspace(tmp_path / "hidden")
    (tmp_path / "log.csv").write_text("customer_id,event_time,amount\n007,2024-01-03,5\n08,2024-01-04,6\n")
    ingest(workspace, tmp_path / "log.csv", "shop", pseudonymise=True)
    words = ["--id", "Nr", "--contact", "email=Post", "--static", "Gebiet"]
    code, said = run(capsys, workspace, "customers", people, "--dataset", "shop", *words)
    assert code == 0 and said["pseudonymised"] and said["matched"] == 2, said
    key = load_key(workspace)
    stored = pd.read_parquet(open_dataset(workspace, "shop").customers_path)
    assert stored[["customer_id", "email"]].to_numpy().tolist() == [
        [pseudonym(key, "007"), pseudonym(key, "a@b.de")],
        [pseudonym(key, "08"), pseudonym(key, "c@d.de")],
    ]
    assert "007" not in json.dumps(open_dataset(workspace, "shop").manifest.customers_table)


def test_an_export_takes_contacts_and_consent_from_the_table(
    small_workspace: Workspace, small_bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = Workspace(tmp_path / "copy")
    shutil.copytree(small_workspace.root, workspace.root)
    scored = pipeline.scores(workspace, "shop", small_bundle.id, progress=NoProgress())
    words = ("export", "shop", "--model", small_bundle.id, "--format", "hubspot", "--out", str(tmp_path / "list.csv"))
    code, said = run(capsys, workspace, *words)
    assert (code, said["error"]["code"]) == (2, "export_needs_contacts")
    ids = scored["customer_id"]
    agreed = ["no" if place % 4 == 0 else "yes" for place in range(len(ids))]
    people = pd.DataFrame({"customer_id": ids, "email": [f"{one}@b.de" for one in ids], "consent": agreed})
    people.to_csv(tmp_path / "people.csv", index=False)
    assert run(capsys, workspace, "customers", str(tmp_path / "people.csv"), "--dataset", "shop")[0] == 0
    code, said = run(capsys, workspace, *words)
    assert code == 0, said
    refused = agreed.count("no")
    assert said["rows"] == len(ids) - refused and said["left_out"] == {"no_consent": refused}
    with (tmp_path / "list.csv").open(encoding="utf-8-sig", newline="") as file:
        mails = {row["Email"] for row in csv.DictReader(file)}
    assert mails == {f"{one}@b.de".lower() for one, word in zip(ids, agreed, strict=True) if word == "yes"}
