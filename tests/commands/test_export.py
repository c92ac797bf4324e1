"""The command ``export``, end to end on the small shop: whole lists, segments, and the customers of a list."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.parse.id_texts import pseudonym
from clv_core.i18n import translate
from clv_core.strategy.audiences.customer_list import match_id_list, read_id_list
from clv_core.strategy.audiences.readable_columns import headed
from tests.commands.conftest import Shop, codes, last_export, side_file


@pytest.fixture
def customers(shop: Shop, tmp_path: Path) -> Path:
    """A customers file in GB18030 with Chinese headers; every fifth customer has not agreed."""
    ids = shop.scores()["customer_id"]
    rows = range(len(ids))
    frame = pd.DataFrame(
        {
            "用户ID": ids,
            "邮箱": [f"Kunde{row}@Example.org" for row in rows],
            "手机": [f"010-6552 {1000 + row}" for row in rows],
            "国家": "中国",
            "同意": ["否" if row % 5 == 0 else "是" for row in rows],
        }
    )
    path = tmp_path / "customers.csv"
    path.write_bytes(frame.to_csv(index=False).encode("gb18030"))
    return path


def hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_platform_list_holds_who_agreed_and_is_not_suppressed(shop: Shop, customers: Path, tmp_path: Path) -> None:
    stop, out = tmp_path / "stop.txt", tmp_path / "g.csv"
    stop.write_text("kunde1@example.org\n\nkunde2@example.org\n", encoding="utf-8-sig")
    words = ("--format", "google_customer_match", "--customers", customers, "--suppress", stop, "--out", out)
    answer, count = shop.done("export", *words), len(shop.scores())
    no = -(-count // 5)
    assert answer["left_out"] == {"suppressed": 2, "no_consent": no} and answer["rows"] == count - no - 2
    rows = rows_of(out)
    assert {row["Email"] for row in rows} == {hashed(f"kunde{n}@example.org") for n in range(3, count) if n % 5}
    assert hashed("+861065521003") in {row["Phone"] for row in rows}
    assert {row["Country"] for row in rows} == {"CN"}
    assert answer["suppression"] == {"read": 2, "customers": 2, "nobody": 0}


def test_a_do_not_contact_table_is_read_by_its_columns_and_says_what_it_matches(
    shop: Shop, customers: Path, tmp_path: Path
) -> None:
    table = tmp_path / "dnc.csv"
    table.write_text(
        'email,reason,mobile\nKUNDE1@example.org,unsubscribed,\n"kunde2@example.org",complaint,\n'
        ",asked,+86 10 6552 1003\nnobody@nowhere.org,unsubscribed,\n"
    )
    words = ("export", "--format", "google_customer_match", "--customers", customers, "--suppress", table)
    answer = shop.done(*words, "--out", tmp_path / "g.csv")
    assert answer["left_out"]["suppressed"] == 3
    assert answer["suppression"] == {"read": 4, "customers": 3, "nobody": 1}
    assert any("4 entries, 3 matching customers, 1 unmatched" in one["message"] for one in answer["warnings"])
    table.write_text("email,reason\nnobody@nowhere.org,unsubscribed\n")
    assert codes(shop.done(*words, "--out", tmp_path / "g.csv"))[-1] == "suppress_none"


def test_words_and_cells_that_were_not_understood_are_counted_and_show_no_address(shop: Shop, tmp_path: Path) -> None:
    ids = shop.scores()["customer_id"]
    people = pd.DataFrame({"customer_id": ids, "email": [f"p{n}@b.de" for n in range(len(ids))], "consent": "yes"})
    people.loc[[0, 1], "consent"] = "vielleicht"
    people.loc[2, "email"] = "Eva@nowhere"
    people["phone"] = ""
    people.loc[3, "phone"] = "1.3800138E10"
    people.to_csv(tmp_path / "people.csv", index=False)
    words = ("--format", "klaviyo", "--out", tmp_path / "k.csv", "--customers", tmp_path / "people.csv")
    answer = shop.done("export", *words)
    assert answer["unknown_consent"] == {"vielleicht": 2} and answer["left_out"]["no_consent"] == 2
    assert answer["unread"] == {"email": {"aaa@aaaaaaa": 1}, "phone": {"9.9999999a99": 1}}
    message = {one["code"]: one["message"] for one in answer["warnings"]}
    assert "vielleicht" in message["consent_words"]
    assert message["phones_unread"].startswith("1 unreadable") and "aaa@aaaaaaa" in message["emails_unread"]
    assert "nowhere" not in json.dumps(answer)


def test_a_generic_list_of_a_segment_is_written_and_logged(shop: Shop, tmp_path: Path) -> None:
    answer = shop.done("export", "--format", "csv", "--segment", 1, "--out", tmp_path / "top.csv")
    listed = pd.read_csv(tmp_path / "top.csv", encoding="utf-8-sig", dtype={"customer_id": "str"})
    scored = shop.scores()
    most = scored.sort_values("predicted_clv", ascending=False)["customer_id"].head(len(listed))
    assert set(listed["customer_id"]) == set(most) and len(listed) == answer["rows"] == -(-len(scored) // 10)
    logged = last_export(shop.workspace)
    assert (logged["segment"], logged["format"], logged["rows"]) == ("tier=1", "csv", len(listed))


def test_the_customers_of_an_offer_without_its_control_group_go_to_a_platform(
    shop: Shop, customers: Path, tmp_path: Path
) -> None:
    plan, out = tmp_path / "plan.csv", tmp_path / "g.csv"
    offer = ("--offer", "name=Mail & more,cost=0.01,effect=9%", "--control-share", 0.4)
    shop.done("plan", "--budget", 1000, *offer, "--out", plan)
    words = ("--format", "google_customer_match", "--assume-consent", "--customers", customers, "--list", plan)
    only = ("--segment", "offer=Mail & more", "--segment", "group=offer")
    answer = shop.done("export", *words, *only, "--out", out)
    listed = pd.read_csv(plan, dtype=str, encoding="utf-8-sig")
    people = pd.read_csv(customers, dtype=str, encoding="gb18030").set_index("用户ID")
    agreed = people.index[people["同意"] == "是"]
    wanted = listed.loc[(listed["group"] == "offer") & listed["customer_id"].isin(agreed), "customer_id"]
    assert {row["Email"] for row in rows_of(out)} == {hashed(people.loc[one, "邮箱"].lower()) for one in wanted}
    assert answer["rows"] == len(wanted) and answer["asked"] == (listed["group"] == "offer").sum()
    assert side_file(answer)["settings"] == {"listed": len(listed)} and "group=offer" in side_file(answer)["segment"]


def test_mail_platforms_get_the_offer_as_a_property(shop: Shop, customers: Path, tmp_path: Path) -> None:
    ids, out = shop.scores()["customer_id"], tmp_path / "k.csv"
    lines = pd.DataFrame({"Customer ID": [*ids[1:4], "nobody"], "offer": ["a", "b", "a", "a"]})
    lines.to_excel(tmp_path / "list.xlsx", index=False)
    words = ("--format", "klaviyo", "--customers", customers, "--list", tmp_path / "list.xlsx", "--out", out)
    answer = shop.done("export", *words)
    assert {row["customer_id"]: row["clv_offer"] for row in rows_of(out)} == dict(zip(ids[1:4], "aba", strict=True))
    unknown = translate("warning.list_unknown", "en", listed=4, customers=1)
    assert unknown in [one["message"] for one in answer["warnings"]]


@pytest.mark.parametrize("name", ["ids.txt", "ids.csv", "ids.xlsx", "ids.parquet"])
def test_a_list_of_ids_alone_is_enough(tmp_path: Path, name: str) -> None:
    ids, path = pd.DataFrame({"customer_id": ["007", "é-2", "3"]}), tmp_path / name
    if path.suffix == ".txt":
        path.write_text("007\né-2\n\n3\n3\n", encoding="utf-8")
    else:
        {".csv": ids.to_csv, ".xlsx": ids.to_excel, ".parquet": ids.to_parquet}[path.suffix](path, index=False)
    assert read_id_list(path)["customer_id"].tolist() == ["007", "é-2", "3"]


def test_a_plan_that_was_made_for_chinese_readers_says_the_same(tmp_path: Path) -> None:
    plan = pd.DataFrame({"customer_id": ["007", "8"], "offer": ["优惠券", "小礼品"], "cost": [0.5, 1.0]})
    headed(plan, "zh").to_csv(tmp_path / "plan.csv", index=False)
    assert "offer" not in (tmp_path / "plan.csv").read_text(encoding="utf-8")
    same = read_id_list(tmp_path / "plan.csv").astype(object)
    pd.testing.assert_frame_equal(same, plan[["customer_id", "offer"]].astype(object))


def test_a_list_names_customers_of_hidden_ids_by_either() -> None:
    key = b"k" * 32
    everyone = pd.DataFrame({"customer_id": [pseudonym(key, one) for one in "abc"]})
    listed = pd.DataFrame({"customer_id": ["a", pseudonym(key, "c")]})
    chosen, notes = match_id_list(everyone, listed, key)
    assert chosen["customer_id"].tolist() == [pseudonym(key, "a"), pseudonym(key, "c")] and not notes
