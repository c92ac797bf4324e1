"""The command ``forecast`` and the other doors of the same forecast: Python, HTTP and the Model Context Protocol."""

from __future__ import annotations

import asyncio
import re
import shutil
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from mcp import Client
from starlette.testclient import TestClient

from clv_core.deployment.api import app
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.registry import Registry
from clv_core.deployment.saved_scores import Scored
from clv_core.environment import ServiceSettings
from clv_core.estimator.clv import CLV
from clv_core.jobs import NoProgress
from clv_core.mcp_server import make_server
from clv_core.strategy.demand import find_asked_demand
from clv_core.strategy.forecast import find_asked_forecast, forecast, forecast_path
from clv_core.workspace import Workspace
from tests.commands.conftest import Shop, codes, side_file


@pytest.fixture(scope="module")
def kept(small_workspace: Workspace, small_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Return the shop in a workspace of its own, where its forecast is saved."""
    root = tmp_path_factory.mktemp("forecast") / "workspace"
    shutil.copytree(small_workspace.root, root)
    Registry(Workspace(root)).register(small_bundle)
    return Shop(Workspace(root), small_bundle)


@pytest.fixture(scope="module")
def service(kept: Shop) -> Iterator[TestClient]:
    """Return a client of the HTTP service, which needs no keys."""
    served = app.make(kept.workspace, ServiceSettings(open=True, workers=0), find_asked_forecast, find_asked_demand)
    with TestClient(served, "http://127.0.0.1") as client:
        while not client.get("/healthz").json()["ready"]:
            time.sleep(0.02)
        yield client


def asked(shop: Shop, **arguments: Any) -> Any:
    """Return what the tool ``forecast`` answers."""

    async def call() -> Any:
        async with Client(make_server(shop.workspace)) as client:
            return await client.call_tool("forecast", {"dataset": "shop", "model": shop.model.id, **arguments})

    return asyncio.run(call())


def test_periods_in_the_file_add_up_to_the_sum_of_the_days_asked_for(kept: Shop, tmp_path: Path) -> None:
    for unit, days, periods in (("day", 10, 10), ("week", 60, 9), ("month", 120, 5)):
        words = ("--unit", unit, "--days", days, "--out", tmp_path / f"{unit}.csv")
        answer = kept.done("forecast", *words)
        table, total = pd.read_csv(tmp_path / f"{unit}.csv"), answer["sum"]
        assert answer["rows"] == len(table) == len(answer["periods"]) and abs(len(table) - periods) <= (unit == "month")
        for part in ("known", "won", "total", "customers"):
            assert table[part].sum() == pytest.approx(total[part], rel=1e-6), (unit, part)
        assert total["known"] + total["won"] == pytest.approx(total["total"])
        span = pd.Timestamp(total["until"]) - pd.Timestamp(total["first"])
        assert span.days == days and total["first"] == answer["cutoff"]
    assert side_file(answer)["dataset"] == "shop"
    assert "assumed.beyond" in codes(answer) and answer["trust"]["verdict"]


def test_all_doors_say_the_same_sum(kept: Shop, service: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    scored = Scored.open(kept.workspace, "shop", kept.model.id)
    estimator = CLV()
    monkeypatch.setattr(estimator, "_scored", lambda: scored)
    monkeypatch.setattr(estimator, "_bundle", scored.model)
    monkeypatch.setattr(estimator, "_workspace", kept.workspace, raising=False)
    made = forecast(scored, NoProgress())
    for days, share in ((None, None), (200, None), (30, 1.5), (30, 0.0)):
        expected = (made if share is None else made.with_arrivals(share)).sums(days).to_json()
        words = [*(("--days", days) if days else ()), *(("--new-customers", share) if share is not None else ())]
        assert kept.done("forecast", *words)["sum"] == pytest.approx(expected)
        given = {"days": days, "new_customers": share}
        assert asked(kept, **given).structured_content["sum"] == pytest.approx(expected)
        known = {name: value for name, value in given.items() if value is not None}
        said = service.get("/v1/forecast", params={"name": "shop", **known}).json()
        assert said["sum"] == pytest.approx(expected) and said["model"] == kept.model.id
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table = estimator.forecast(days, new_customers=share)
        for part in ("known", "won", "total", "customers"):
            assert table[part].sum() == pytest.approx(expected[part])


def test_services_that_only_read_say_which_command_makes_a_forecast_that_is_missing(
    kept: Shop, service: TestClient
) -> None:
    forecast(Scored.open(kept.workspace, "shop", kept.model.id), NoProgress())
    path = forecast_path(Scored.open(kept.workspace, "shop", kept.model.id))
    aside = path.rename(path.with_suffix(".aside"))
    command = f"forecast shop --model {kept.model.id}"
    try:
        answer, tool = service.get("/v1/forecast"), asked(kept)
        assert answer.status_code == 404 and answer.json()["error"]["code"] == "forecast_not_saved"
        assert command in answer.json()["error"]["message"]
        assert tool.is_error and command in tool.content[0].text
        assert not path.exists()
    finally:
        aside.rename(path)
    assert service.get("/v1/forecast", params={"days": 366}).status_code == 422
    chinese = service.get("/v1/forecast", headers={"accept-language": "zh"}).json()
    assert {note["code"] for note in chinese["notes"]} <= set(codes(kept.done("forecast")))
    assert re.search(r"[\u4e00-\u9fff]", chinese["notes"][0]["message"]) and chinese["trust"]["verdict"]


def test_new_customers_as_a_share_of_the_last_weeks_are_what_was_assumed(kept: Shop) -> None:
    once, none, usual = (kept.done("forecast", "--new-customers", share) for share in (1, 0, 0.5))
    assert none["sum"]["won"] == none["sum"]["customers"] == 0 and none["by"] == "parts"
    assert usual["sum"]["won"] == pytest.approx(once["sum"]["won"] / 2)
    assert none["sum"]["known"] == once["sum"]["known"] == kept.done("forecast")["sum"]["known"]
    assert "assumed.share" in codes(once)
    assert not {"assumed.season", "assumed.no_season"} & set(codes(once))


def test_bridge_leads_from_the_last_forecast_to_what_came(kept: Shop, tmp_path: Path) -> None:
    for refunds in ("refund_date", "order_date"):
        answer = kept.done("forecast", "--bridge", tmp_path / "bridge.csv", "--refunds", refunds)["bridge"]
        table = pd.read_csv(tmp_path / "bridge.csv")
        assert table["line"].iloc[[0, -1]].tolist() == ["forecast", "actual"] and answer["rows"] == len(table)
        assert table["amount"].iloc[:-1].sum() == pytest.approx(answer["actual"])
        assert table["amount"].iloc[0] == pytest.approx(answer["forecast"])


def test_bridge_without_an_earlier_forecast_is_not_enough_data(
    kept: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clv_core.strategy.forecast.last_expected", lambda scored: None)
    assert kept.refused("forecast", "--bridge", tmp_path / "bridge.csv")[1] == "forecast_no_bridge"
    assert not (tmp_path / "bridge.csv").exists()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--days", 366), "forecast_days"),
        (("--unit", "year"), "forecast_unit"),
        (("--new-customers", -0.5), "forecast_share"),
        (("--new-customers", "nan"), "forecast_share"),
        (("--out", "forecast.docx"), "segment_out"),
    ],
)
def test_what_cannot_be_answered_is_a_usage_error(kept: Shop, words: tuple[object, ...], code: str) -> None:
    assert kept.refused("forecast", *words) == (2, code)
