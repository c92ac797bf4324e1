"""The command ``export``, end to end on the small shop."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clv_core import pipeline
from clv_core.cli import main
from clv_core.deployment.bundle import Bundle
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace


def run(capsys: pytest.CaptureFixture[str], workspace: Workspace, *words: str) -> tuple[int, dict[str, Any]]:
    code = main([*words, "--workspace", str(workspace.root)])
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


@pytest.fixture
def customers(small_workspace: Workspace, small_bundle: Bundle, tmp_path: Path) -> Path:
    """A customers file in GB18030 with Chinese headers; every fifth customer has not agreed."""
    scored = pipeline.scores(small_workspace, "shop", small_bundle.id, progress=NoProgress())
    rows = range(len(scored))
    frame = pd.DataFrame(
        {
            "用户ID": scored["customer_id"],
            "邮箱": [f"Kunde{row}@Example.org" for row in rows],
            "手机": [f"010-6552 {1000 + row}" for row in rows],
            "国家": "中国",
            "同意": ["否" if row % 5 == 0 else "是" for row in rows],
        }
    )
    path = tmp_path / "customers.csv"
    path.write_bytes(frame.to_csv(index=False).encode("gb18030"))
    return path


@pytest.mark.parametrize(
    ("kind", "name", "words", "error", "expected"),
    [
        ("csv", "x.xlsx", (), "export_ending", 2),
        ("hubspot", "x", (), "export_ending", 2),
        ("csv", "x.csv", ("--suppress", "nofile.txt"), "suppress_missing", 4),
    ],
)
def test_a_file_of_another_kind_is_refused_before_anything_is_written(
    small_workspace: Workspace,
    small_bundle: Bundle,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    name: str,
    words: tuple[str, ...],
    error: str,
    expected: int,
) -> None:
    call = ("export", "shop", "--model", small_bundle.id, "--format", kind, "--out", str(tmp_path / name))
    code, said = run(capsys, small_workspace, *call, *words)
    assert (code, said["error"]["code"]) == (expected, error) and not list(tmp_path.iterdir())


def test_a_platform_list_holds_who_agreed_and_is_not_suppressed(
    small_workspace: Workspace,
    small_bundle: Bundle,
    customers: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "stop.txt").write_text("kunde1@example.org\n\nkunde2@example.org\n", encoding="utf-8-sig")
    words = ("export", "shop", "--model", small_bundle.id, "--format", "google_customer_match")
    words += ("--customers", str(customers), "--suppress", str(tmp_path / "stop.txt"), "--out", str(tmp_path / "g.csv"))
    code, said = run(capsys, small_workspace, *words)
    assert code == 0, said
    count = len(pipeline.scores(small_workspace, "shop", small_bundle.id, progress=NoProgress()))
    refused = -(-count // 5)
    assert said["left_out"] == {"suppressed": 2, "no_consent": refused} and said["rows"] == count - refused - 2
    with (tmp_path / "g.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    expected = {
        hashlib.sha256(f"kunde{row}@example.org".encode()).hexdigest() for row in range(count) if row % 5 and row > 2
    }
    assert {row["Email"] for row in rows} == expected
    assert hashlib.sha256(b"+861065521003").hexdigest() in {row["Phone"] for row in rows}
    assert {row["Country"] for row in rows} == {"CN"}
    assert said["suppression"] == {"read": 2, "customers": 2, "nobody": 0}


def test_a_do_not_contact_table_is_read_by_its_columns_and_says_what_it_matches(
    small_workspace: Workspace,
    small_bundle: Bundle,
    customers: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "dnc.csv").write_text(
        'email,reason,mobile\nKUNDE1@example.org,unsubscribed,\n"kunde2@example.org",complaint,\n'
        ",asked,+86 10 6552 1003\nnobody@nowhere.org,unsubscribed,\n"
    )
    words = ("export", "shop", "--model", small_bundle.id, "--format", "google_customer_match")
    words += ("--customers", str(customers), "--out", str(tmp_path / "g.csv"))
    code, said = run(capsys, small_workspace, *words, "--suppress", str(tmp_path / "dnc.csv"))
    assert code == 0 and said["left_out"]["suppressed"] == 3
    assert said["suppression"] == {"read": 4, "customers": 3, "nobody": 1}
    assert any("4 entries read, 3 customers found, 1" in one["message"] for one in said["warnings"])
    (tmp_path / "dnc.csv").write_text("email,reason\nnobody@nowhere.org,unsubscribed\n")
    code, said = run(capsys, small_workspace, *words, "--suppress", str(tmp_path / "dnc.csv"))
    assert code == 0 and [one["code"] for one in said["warnings"]][-1] == "suppress_none"


def test_words_and_cells_that_were_not_understood_are_counted_and_show_no_address(
    small_workspace: Workspace, small_bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = pipeline.scores(small_workspace, "shop", small_bundle.id, progress=NoProgress())["customer_id"]
    people = pd.DataFrame({"customer_id": ids, "email": [f"p{n}@b.de" for n in range(len(ids))], "consent": "yes"})
    people.loc[[0, 1], "consent"] = "vielleicht"
    people.loc[2, "email"] = "Eva@nowhere"
    people["phone"] = ""
    people.loc[3, "phone"] = "1.3800138E10"
    people.to_csv(tmp_path / "people.csv", index=False)
    words = ("export", "shop", "--model", small_bundle.id, "--format", "klaviyo", "--out", str(tmp_path / "k.csv"))
    code, said = run(capsys, small_workspace, *words, "--customers", str(tmp_path / "people.csv"))
    assert code == 0 and said["unknown_consent"] == {"vielleicht": 2} and said["left_out"]["no_consent"] == 2
    assert said["unread"] == {"email": {"aaa@aaaaaaa": 1}, "phone": {"9.9999999a99": 1}}
    codes = {one["code"]: one["message"] for one in said["warnings"]}
    assert set(codes) >= {"consent_words", "phones_unread", "emails_unread"} and "vielleicht" in codes["consent_words"]
    assert "read: 1. " in codes["phones_unread"] and "aaa@aaaaaaa" in codes["emails_unread"]
    assert "nowhere" not in json.dumps(said)


def test_a_generic_list_of_a_segment_is_written_and_logged(
    small_workspace: Workspace, small_bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("export", "shop", "--model", small_bundle.id, "--format", "csv", "--segment", "1", "--out")
    code, said = run(capsys, small_workspace, *words, str(tmp_path / "top.csv"))
    assert code == 0
    listed = pd.read_csv(tmp_path / "top.csv", encoding="utf-8-sig", dtype={"customer_id": "str"})
    scored = pipeline.scores(small_workspace, "shop", small_bundle.id, progress=NoProgress())
    most = scored.sort_values("predicted_clv", ascending=False)["customer_id"].head(len(listed))
    assert set(listed["customer_id"]) == set(most) and len(listed) == said["rows"] == -(-len(scored) // 10)
    log = [json.loads(line) for line in (small_workspace.exports / "log.jsonl").read_text("utf-8").splitlines()]
    assert log[-1]["segment"] == "tier=1" and log[-1]["format"] == "csv" and log[-1]["rows"] == len(listed)


@pytest.mark.parametrize(
    ("content", "expected", "error"),
    [
        ("customer_id,email\n1,a@b.cd\n", 3, "contacts_no_consent"),
        ("name,email\nx,a@b.cd\n", 4, "contacts_no_id"),
        ("customer_id,email,consent\n1,a@b.cd,yes\n1,b@b.cd,yes\n", 4, "contacts_id_twice"),
        ('customer_id,email,consent\n1,a@b.cd,yes\n2,"b@b.cd,yes\n3,c@b.cd,yes\n', 4, "contacts_bad_lines"),
        ("customer_id,email,consent\nnobody,a@b.cd,yes\n", 4, "export_too_few"),
        (None, 4, "contacts_missing"),
    ],
)
def test_a_customers_file_that_will_not_do_is_refused_in_words(
    small_workspace: Workspace,
    small_bundle: Bundle,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    content: str | None,
    expected: int,
    error: str,
) -> None:
    path, out = tmp_path / "customers.csv", tmp_path / "list.csv"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    words = ("export", "shop", "--model", small_bundle.id, "--format", "hubspot", "--customers", str(path))
    code, said = run(capsys, small_workspace, *words, "--out", str(out), "--lang", "zh")
    assert (code, said["error"]["code"]) == (expected, error)
    assert not out.exists() and "{" not in said["error"]["message"]
