"""The privacy page: erase with a confirmation, the suppression list, the audit log."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from clv_core import audit, cli, jobs
from clv_core.collection.privacy.suppression_list import SuppressionList
from clv_core.collection.store.version_store import open_dataset
from clv_core.deployment.registry import Registry
from clv_core.i18n import translate
from clv_core.workspace import Workspace
from tests.deployment.registry import tiny
from tests.pages.conftest import OPEN, do, enter_effects, texts


def customers(root: Path) -> list[str]:
    events = pd.read_parquet(open_dataset(Workspace(root), "shop").events_path)
    return sorted(events["customer_id"].unique())


@pytest.mark.parametrize("state", ["empty", "with_dataset", "with_model"], indirect=True)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_it_opens_in_every_state(open_page: OPEN, state: Path, lang: str) -> None:
    app = open_page(state, "privacy", lang=lang)
    assert not app.error and app.header
    for section in ("suppress", "audit"):
        app.session_state["privacy_what"] = section
        app.run()
        assert not app.error


def test_erasing_needs_the_number_typed_and_starts_a_run_that_names_nobody(open_page: OPEN, bare: Path) -> None:
    ids = customers(bare)[:3]
    app = open_page(bare, "privacy")
    assert app.button(key="erase_for_good").disabled
    app.text_area(key="erase_ids_0").input("\n".join([*ids, ids[0], " "])).run()
    do(app, "erase_for_good", ("confirm_typed", "2"))
    assert translate("privacy.erase.stays") in texts(app) and app.button(key="confirm").disabled
    do(app, ("confirm_typed", "3"), "confirm")
    (job,) = jobs.jobs(Workspace(bare), "erase")
    command, option, path = job.status().args
    assert (command, option) == ("erase", "--file") and Path(path).read_text().split() == ids
    assert not any(one in (job.folder / "status.json").read_text() for one in ids)
    assert Path(path).stat().st_mode & 0o077 == 0


def test_a_table_names_whom_to_erase_by_its_column_of_ids(open_page: OPEN, bare: Path) -> None:
    ids = customers(bare)[:3]
    table = "\n".join(["customer_id,reason", *(f"{one},asked for it" for one in ids)])
    app = open_page(bare, "privacy", lang="en")
    app.file_uploader(key="erase_ids_file_0").set_value([("ids.csv", table.encode(), "text/csv")]).run()
    assert not app.error
    do(app, "erase_for_good", ("confirm_typed", "3"), "confirm")
    (job,) = jobs.jobs(Workspace(bare), "erase")
    assert Path(job.status().args[2]).read_text().split() == ids
    assert not list((bare / "uploads").glob("once-*"))


def test_certificates_are_listed_and_can_be_taken(open_page: OPEN, bare: Path) -> None:
    ids = customers(bare)[:2]
    assert cli.main(["erase", *ids, "--workspace", str(bare)]) == 0
    app = open_page(bare, "privacy")
    assert "2 customers erased" in app.header[0].value
    assert app.dataframe[0].value.iloc[0].tolist()[3:5] == [2, 2]
    assert len(app.get("download_button")) == 2


def test_chinese_sentences_stand_together_without_a_space(open_page: OPEN, bare: Path) -> None:
    app = open_page(bare, "privacy", lang="zh")
    app.session_state["privacy_what"] = "suppress"
    app.run()
    do(app, ("suppress_ids_0", customers(bare)[0]), "suppress_add")
    assert any("。免打扰名单" in item.value for item in app.success)


def test_people_are_put_on_the_list_found_on_it_and_taken_off(open_page: OPEN, bare: Path) -> None:
    ids, workspace = customers(bare)[:2], Workspace(bare)
    app = open_page(bare, "privacy")
    app.session_state["privacy_what"] = "suppress"
    app.run()
    do(app, ("suppress_ids_0", "\n".join(ids)), "suppress_add")
    assert any("2 entries, 2 matching customers, 0 unmatched" in item.value for item in app.success)
    assert SuppressionList.of(workspace).holds(ids[0])
    assert "Do-not-contact list: 2 entries, 2 customers of “shop”" in app.header[0].value
    do(app, ("suppress_ids_1", ids[1]), "suppress_check")
    assert any("1 of 1" in item.value for item in app.caption)
    do(app, ("suppress_ids_1", "nobody-1\n" + ids[1] + "\nnobody-2"), "suppress_check")
    assert any(item.value == f"1 of 3 entries on the list: {ids[1]}." for item in app.caption)
    do(app, ("suppress_ids_1", ids[1]), "suppress_remove")
    assert translate("privacy.suppress.remove.why") in texts(app) and SuppressionList.of(workspace).holds(ids[1])
    do(app, "confirm")
    assert [SuppressionList.of(workspace).holds(one) for one in ids] == [True, False]
    log = audit.path_of(workspace).read_text()
    assert not any(one in log for one in ids)
    app.session_state["privacy_what"] = "audit"
    app.run()
    assert len(app.dataframe[0].value) == 2


def test_a_plan_on_the_page_gives_nothing_to_those_on_the_list(open_page: OPEN, root: Path) -> None:
    enter_effects(root)
    before = open_page(root, "strategy")
    scores = pd.concat([pd.read_parquet(path) for path in root.glob("datasets/*/made/*/*/scores-*.parquet")])
    best = scores.nlargest(len(scores) // 2, "predicted_clv")["customer_id"].tolist()
    SuppressionList.of(Workspace(root)).add(best)
    after = open_page(root, "strategy")
    assert not after.error
    most = [slider.max for slider in before.slider if slider.key.startswith("budget_")]
    least = [slider.max for slider in after.slider if slider.key.startswith("budget_")]
    assert len(most) == 1 and sum(least) < most[0]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_it_says_what_each_current_model_remembers(
    open_page: OPEN, with_model: Path, tmp_path: Path, lang: str
) -> None:
    shutil.copytree(with_model, tmp_path, dirs_exist_ok=True)
    memory = {"auc": 0.71, "low": 0.66, "high": 0.76, "tpr_at_1pct": 0.2, "members": 2000, "nonmembers": 400}
    Registry(Workspace(tmp_path)).register(tiny.save(Workspace(tmp_path), 5, memory=memory))
    said = texts(open_page(tmp_path, "privacy", lang=lang))
    assert translate("privacy.memory", lang) in said
    assert translate("memory.untried", lang, fewest=300) in said, "of the champion"
    assert translate("memory.clear", lang) in said and "0.71" in said, "of the challenger"


@pytest.mark.parametrize("state", ["with_dataset"], indirect=True)
def test_without_a_model_there_is_nothing_to_remember(open_page: OPEN, state: Path) -> None:
    assert translate("privacy.memory.none") in texts(open_page(state, "privacy", lang="en"))
