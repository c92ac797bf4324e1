"""Another currency for a dataset is another label: on it, on its raw version, on its models, and on nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from clv_core import audit, pipeline
from clv_core.collection.ingest import ingest
from clv_core.collection.merge.append import append
from clv_core.collection.store.dataset_labels import set_currency
from clv_core.collection.store.version_store import open_dataset, restore, versions
from clv_core.config import TrainConfig
from clv_core.deployment.bundle import list_bundles
from clv_core.deployment.registry import Registry
from clv_core.deployment.registry.model_card import model_card
from clv_core.errors import NeedsAnswer, NotFound, UsageError
from clv_core.jobs import NoProgress
from clv_core.preprocessing.clean import append as run_append
from clv_core.preprocessing.clean import clean
from clv_core.upkeep.demo import SAMPLE
from clv_core.upkeep.lifecycle import relabel
from clv_core.workspace import Workspace
from tests.conftest import Clv

pytestmark = pytest.mark.first(4)

HEAD = "customer_id,event_time,amount\n"
FIRST = "a,2024-01-01,1\na,2024-01-01,1\nb,2024-01-02,2\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path / "workspace")
    ingest(workspace, written(tmp_path, "a.csv", FIRST), "log")
    return workspace


def written(folder: Path, name: str, rows: str) -> Path:
    (folder / name).write_text(HEAD + rows, encoding="utf-8")
    return folder / name


def rows(workspace: Workspace) -> list[tuple[object, ...]]:
    with duckdb.connect() as connection:
        return connection.execute(f"SELECT * FROM '{open_dataset(workspace, 'log').events_path}'").fetchall()


def test_the_currency_is_said_and_no_amount_changes(workspace: Workspace) -> None:
    before, held = open_dataset(workspace, "log").manifest, rows(workspace)
    made = set_currency(workspace, "log", " EUR ")
    assert made == open_dataset(workspace, "log").manifest and made.currency == "EUR"
    assert (made.made, made.parent, made.net_revenue) == ("currency", before.version, before.net_revenue)
    assert rows(workspace) == held
    assert restore(workspace, "log", before.version).manifest.currency == ""


def test_the_same_currency_again_makes_no_version(workspace: Workspace) -> None:
    made = set_currency(workspace, "log", "EUR")
    assert set_currency(workspace, "log", "EUR") == made and len(versions(workspace, "log")) == 2
    assert set_currency(workspace, "log", "").currency == "" and len(versions(workspace, "log")) == 3


@pytest.mark.parametrize("currency", ["a very long name of money", "EUR\nUSD"])
def test_what_is_no_currency_is_refused(workspace: Workspace, currency: str) -> None:
    with pytest.raises(UsageError) as caught:
        set_currency(workspace, "log", currency)
    assert caught.value.code == "currency_text" and caught.value.message("zh")
    assert len(versions(workspace, "log")) == 1


def test_rules_stay_on_and_the_next_file_has_to_be_in_the_same_money(workspace: Workspace, tmp_path: Path) -> None:
    clean(workspace, "log", {"repeated": None})
    made = set_currency(workspace, "log", "EUR")
    assert made.rules == {"repeated": None} and made.rows_kept == 2 and made.raw_version
    with pytest.raises(NeedsAnswer) as asked:
        append(workspace, "log", written(tmp_path, "b.csv", "c,2024-02-01,$5\n"))
    assert asked.value.code == "currency_differs"
    grown = run_append(workspace, "log", written(tmp_path, "c.csv", "c,2024-02-01,5\n"))
    assert grown.currency == "EUR" and grown.rules == made.rules
    assert clean(workspace, "log", {}, progress=NoProgress()).currency == "EUR"


def test_a_sign_that_meant_several_is_settled(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "workspace")
    ingest(workspace, written(tmp_path, "a.csv", FIRST.replace(",1\n", ",¥1\n").replace(",2\n", ",¥2\n")), "log")
    assert "warning.currency_guessed" in [one.code for one in open_dataset(workspace, "log").manifest.messages]
    made = set_currency(workspace, "log", "JPY")
    assert made.currency == "JPY" and "warning.currency_guessed" not in [one.code for one in made.messages]


@pytest.mark.slow
def test_models_reasons_and_the_card_say_it_too_and_the_audit_log_who_did_it(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "workspace")
    ingest(workspace, SAMPLE, "shop", currency="EUR")
    pipeline.train(workspace, "shop", TrainConfig(horizon_days=90, model="naive", cutoffs=2), progress=NoProgress())
    before, registry = Registry(workspace).version("shop", 1), Registry(workspace)
    assert "EUR" in model_card(before)
    made, models = relabel(workspace, "shop", "CHF")
    [bundle] = list_bundles(workspace, "shop")
    bundle.check()
    assert models == 1 and bundle.record.currency == "CHF" == made.currency
    said = json.loads(json.dumps(bundle.record.to_json()).replace('"CHF"', '"EUR"'))
    assert said == before.record.to_json()
    version = registry.version("shop", 1)
    assert version.to_json()["currency"] == "CHF" and registry.sound(version)
    assert model_card(version).replace("CHF", "EUR").split("SHA-256")[0] == model_card(before).split("SHA-256")[0]
    assert "EUR" not in json.dumps(version.record.to_json())
    assert "CHF" in " ".join(one.text() for one in version.trust.reasons)
    line = audit.lines(workspace)[0]
    assert (line["action"], line["dataset"], line["version"]) == ("currency", "shop", made.version)
    assert relabel(workspace, "shop", "CHF") == (made, 0)
    assert [one["action"] for one in audit.lines(workspace)].count("currency") == 1


def test_the_command_says_how_many_models_follow(workspace: Workspace, clv: Clv) -> None:
    result = clv("datasets", "log", "--currency", "EUR")
    assert (result["currency"], result["models"]) == ("EUR", 0)
    assert clv("datasets", "log")["currency"] == "EUR"
    assert clv("datasets", "log", "--currency", "")["currency"] == ""
    assert clv("datasets", "--currency", "EUR", code=2)["error"]
    with pytest.raises(NotFound):
        relabel(workspace, "other", "EUR")
