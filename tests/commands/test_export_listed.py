"""The command ``export`` for the customers of a list: those of a plan's offer, without its control group."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import pandas as pd
import pytest

from clv_core import pipeline
from clv_core.collection.values.pseudonyms import pseudonym
from clv_core.deployment.bundle import Bundle
from clv_core.i18n import translate
from clv_core.jobs import NoProgress
from clv_core.strategy.exports.headers import headed
from clv_core.strategy.exports.listed import only_listed, read_list
from clv_core.workspace import Workspace
from tests.commands.test_export import customers, run

__all__ = ["customers"]
Capsys = pytest.CaptureFixture[str]


def mail_of(people: Path, ids: pd.Series) -> set[str]:
    """Return what Google sees of the addresses of customers."""
    known = pd.read_csv(people, dtype=str, encoding="gb18030").set_index("用户ID")
    return {hashlib.sha256(known.loc[one, "邮箱"].lower().encode()).hexdigest() for one in ids}


def test_the_customers_of_an_offer_without_its_control_group_go_to_a_platform(
    small_workspace: Workspace, small_bundle: Bundle, customers: Path, tmp_path: Path, capsys: Capsys
) -> None:
    plan, out = tmp_path / "plan.csv", tmp_path / "g.csv"
    offer = "name=Mail & more,cost=0.01,effect=9%"
    words = ("plan", "shop", "--model", small_bundle.id, "--budget", "1000", "--offer", offer, "--out", str(plan))
    assert run(capsys, small_workspace, *words, "--control-share", "0.4")[0] == 0
    words = ("export", "shop", "--model", small_bundle.id, "--format", "google_customer_match", "--assume-consent")
    words += ("--customers", str(customers), "--list", str(plan), "--out", str(out))
    code, said = run(capsys, small_workspace, *words, "--segment", "offer=Mail & more", "--segment", "group=offer")
    assert code == 0, said
    listed = pd.read_csv(plan, dtype=str, encoding="utf-8-sig")
    known = pd.read_csv(customers, dtype=str, encoding="gb18030")
    agreed = known.loc[known["同意"] == "是", "用户ID"]
    wanted = listed.loc[(listed["group"] == "offer") & listed["customer_id"].isin(agreed), "customer_id"]
    with out.open(encoding="utf-8", newline="") as file:
        assert {row["Email"] for row in csv.DictReader(file)} == mail_of(customers, wanted)
    assert said["rows"] == len(wanted) and said["asked"] == (listed["group"] == "offer").sum()
    side = json.loads(Path(said["side_file"]).read_text(encoding="utf-8"))
    assert side["settings"] == {"listed": len(listed)} and "group=offer" in side["segment"]


def test_mail_platforms_get_the_offer_as_a_property(
    small_workspace: Workspace, small_bundle: Bundle, customers: Path, tmp_path: Path, capsys: Capsys
) -> None:
    ids = pipeline.scores(small_workspace, "shop", small_bundle.id, progress=NoProgress())["customer_id"]
    lines = pd.DataFrame({"Customer ID": [*ids[1:4], "nobody"], "offer": ["a", "b", "a", "a"]})
    lines.to_excel(tmp_path / "list.xlsx", index=False)
    words = ("export", "shop", "--model", small_bundle.id, "--format", "klaviyo", "--customers", str(customers))
    words += ("--list", str(tmp_path / "list.xlsx"), "--out", str(tmp_path / "k.csv"))
    code, said = run(capsys, small_workspace, *words)
    assert code == 0, said
    with (tmp_path / "k.csv").open(encoding="utf-8", newline="") as file:
        found = {row["customer_id"]: row["clv_offer"] for row in csv.DictReader(file)}
    assert found == dict(zip(ids[1:4], "aba", strict=True))
    assert translate("warning.list_unknown", "en", listed=4, customers=1) in [
        one["message"] for one in said["warnings"]
    ]


@pytest.mark.parametrize(
    ("text", "code", "error"),
    [
        ("name,offer\nAnna,a\n", 4, "list_no_ids"),
        ("customer_id,offer\n{id},a\n{id},b\n", 4, "list_twice"),
        ("customer_id\nnobody\n", 4, "list_nobody"),
    ],
)
def test_a_list_that_names_nobody_or_says_two_things_is_refused(
    small_workspace: Workspace, small_bundle: Bundle, tmp_path: Path, capsys: Capsys, text: str, code: int, error: str
) -> None:
    ids = pipeline.scores(small_workspace, "shop", small_bundle.id, progress=NoProgress())["customer_id"]
    (tmp_path / "list.csv").write_text(text.format(id=ids[0]))
    words = ("export", "shop", "--model", small_bundle.id, "--format", "csv", "--list", str(tmp_path / "list.csv"))
    found, said = run(capsys, small_workspace, *words, "--out", str(tmp_path / "x.csv"))
    assert (found, said["error"]["code"]) == (code, error) and not (tmp_path / "x.csv").exists()


@pytest.mark.parametrize("name", ["ids.txt", "ids.csv", "ids.xlsx", "ids.parquet"])
def test_a_list_of_ids_alone_is_enough(tmp_path: Path, name: str) -> None:
    ids, path = pd.DataFrame({"customer_id": ["007", "é-2", "3"]}), tmp_path / name
    if path.suffix == ".txt":
        path.write_text("007\né-2\n\n3\n3\n", encoding="utf-8")
    else:
        {".csv": ids.to_csv, ".xlsx": ids.to_excel, ".parquet": ids.to_parquet}[path.suffix](path, index=False)
    assert read_list(path)["customer_id"].tolist() == ["007", "é-2", "3"]


def test_a_plan_that_was_made_for_chinese_readers_says_the_same(tmp_path: Path) -> None:
    plan = pd.DataFrame({"customer_id": ["007", "8"], "offer": ["优惠券", "小礼品"], "cost": [0.5, 1.0]})
    headed(plan, "zh").to_csv(tmp_path / "plan.csv", index=False)
    assert "offer" not in (tmp_path / "plan.csv").read_text(encoding="utf-8")
    pd.testing.assert_frame_equal(
        read_list(tmp_path / "plan.csv").astype(object), plan[["customer_id", "offer"]].astype(object)
    )


def test_a_list_names_customers_of_hidden_ids_by_either() -> None:
    key = b"k" * 32
    everyone = pd.DataFrame({"customer_id": [pseudonym(key, one) for one in "abc"]})
    listed = pd.DataFrame({"customer_id": ["a", pseudonym(key, "c")]})
    found, notes = only_listed(everyone, listed, key)
    assert found["customer_id"].tolist() == [pseudonym(key, "a"), pseudonym(key, "c")] and not notes
