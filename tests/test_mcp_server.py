"""Questions over the Model Context Protocol, asked by the SDK's own client: in the process, over stdio, over HTTP."""

import asyncio
import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from clv_core import audit
from clv_core.collection.privacy.objections import objection_list
from clv_core.collection.privacy.suppression_list import SuppressionList
from clv_core.collection.store.version_store import open_dataset
from clv_core.deployment.api.auth import add_key, keys_path
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.saved_scores import Scored
from clv_core.jobs import NoProgress
from clv_core.mcp_server import make_server
from clv_core.strategy.demand import demand
from clv_core.strategy.plans.offers import MAX_OFFERS
from clv_core.workspace import Workspace

DATASET = {"dataset": "shop"}


@pytest.fixture(scope="module")
def workspace(small_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("asked")
    shutil.copytree(small_workspace.root, folder / "workspace")
    return Workspace(folder / "workspace")


def ask(server: Any, tool: str, key: str = "", **arguments: Any) -> Any:
    """Return what a tool answers, or the sentence of its error."""

    async def call() -> Any:
        async with AsyncExitStack() as stack:
            asked = server
            if key:
                http = httpx2.AsyncClient(headers={"Authorization": f"Bearer {key}"}, timeout=60)
                asked = streamable_http_client(server, http_client=await stack.enter_async_context(http))
            client = await stack.enter_async_context(Client(asked))
            answer = await client.call_tool(tool, arguments)
            if answer.is_error:
                return answer.content[0].text
            content = answer.structured_content
            return content["result"] if set(content) == {"result"} else content

    return asyncio.run(call())


def test_every_tool_answers_with_model_cutoff_and_verdict(workspace: Workspace, small_bundle: Bundle) -> None:
    server = make_server(workspace)

    async def tools() -> list[Any]:
        async with Client(server) as client:
            return (await client.list_tools()).tools

    listed = asyncio.run(tools())
    assert all(tool.annotations.read_only_hint and tool.description for tool in listed)
    scores = Scored.open(workspace, "shop", small_bundle.id).scores(NoProgress())
    made = demand(Scored.open(workspace, "shop", small_bundle.id), NoProgress())  # and the forecast
    best = scores.loc[scores["predicted_clv"].idxmax()]
    arguments: dict[str, dict[str, Any]] = {
        "list_datasets": {},
        "list_models": {},
        "trust_verdict": DATASET,
        "segment_summary": DATASET | {"scheme": "quadrant", "offer_cost": 5.0, "margin_rate": 0.4},
        "customer_card": DATASET | {"customer": best["customer_id"]},
        "top_customers": DATASET | {"most": 3},
        "budget_preview": DATASET | {"budget": 50, "offers": ["name=Voucher,cost=2,effect=20%"]},
        "forecast": DATASET | {"days": 60, "unit": "month"},
        "demand": DATASET | {"weeks": 6, "by": "category"},
        "realised_against_predicted": DATASET,
        "campaign_results": DATASET,
    }
    assert {tool.name for tool in listed} == set(arguments)
    answers = {tool: ask(server, tool, **given) for tool, given in arguments.items()}
    assert answers["list_datasets"][0]["name"] == "shop" and answers["list_models"][0]["model"] == small_bundle.id
    end, trust = open_dataset(workspace, "shop").log_end, small_bundle.record.trust
    today = datetime.now(ZoneInfo(open_dataset(workspace, "shop").manifest.timezone)).date()
    ages = ((today - end).days, (today - end).days - 1)  # midnight may have passed
    about_model = [answers["list_models"][0], *(answers[one] for one in list(arguments)[2:])]
    for said in (answers["list_datasets"][0], *about_model):
        assert (said["model"], said["cutoff"]) == (small_bundle.id, small_bundle.record.cutoff.isoformat())
        assert (said["as_of"], said["verdict"]) == (end.isoformat(), trust.verdict)
        assert said["days_since_as_of"] in ages
    for said in about_model:
        assert said["days_since_cutoff"] == (end - small_bundle.record.cutoff).days
        assert said["verdict_reason"] == trust.reasons[0].text()
        (old,) = said["warnings"]
        assert f"{ages[0]:,} days ago" in old or f"{ages[1]:,} days ago" in old
    assert answers["customer_card"]["predicted"] == pytest.approx(best["predicted_clv"])
    assert answers["top_customers"]["customers"][0]["customer_id"] == best["customer_id"]
    assert sum(one["customers"] for one in answers["segment_summary"]["segments"]) == len(scores)
    for one in answers["segment_summary"]["segments"]:
        uplift, buyers = one["break_even_uplift"], one["buyers_expected"]
        assert uplift is None or uplift * one["value_sum"] * 0.4 == pytest.approx(5 * buyers)
    assert 0 < answers["budget_preview"]["spent"] <= 50
    demanded = sum(row["expected"] for row in answers["demand"]["rows"])
    assert demanded == pytest.approx(made.by_category.units[:, :6].sum(), rel=1e-3)
    json.dumps(answers, allow_nan=False)


def test_schemas_of_tools_describe_every_parameter_and_every_field_of_an_answer(workspace: Workspace) -> None:
    async def tools() -> list[Any]:
        async with Client(make_server(workspace)) as client:
            return (await client.list_tools()).tools

    listed = {tool.name: tool for tool in asyncio.run(tools())}
    for tool in listed.values():
        for name, parameter in tool.input_schema["properties"].items():
            assert len(parameter["description"]) > 10, (tool.name, name)
        closed = [tool.output_schema, *tool.output_schema.get("$defs", {}).values()]
        closed = [one for one in closed if "result" not in one["properties"]]
        assert closed and all(one["additionalProperties"] is False for one in closed), tool.name
        for name, field in [item for one in closed for item in one["properties"].items()]:
            assert field["description"], (tool.name, name)
    most = listed["top_customers"].input_schema["properties"]["most"]
    assert (most["minimum"], most["maximum"], most["default"]) == (1, 200, 20)
    assert listed["budget_preview"].input_schema["properties"]["offers"]["maxItems"] == MAX_OFFERS
    assert "Args" not in "".join(tool.description for tool in listed.values())


def test_list_that_is_cut_says_how_many_there_are_and_how_many_it_lists(
    workspace: Workspace, small_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = len(Scored.open(workspace, "shop", small_bundle.id).scores(NoProgress()))
    assert count > 200
    server = make_server(workspace)
    for most, listed in ((500, 200), (0, 1), (200, 200), (7, 7)):
        said = ask(server, "top_customers", most=most, **DATASET)
        assert (said["listed"], len(said["customers"]), said["customers_total"]) == (listed, listed, count)
        cut = [one for one in said["warnings"] if "are listed" in one]
        expected = f"1 to 200 customers, {most} were asked for: {listed} of {count:,} are listed."
        assert cut == ([] if most == listed else [f"One answer lists {expected}"])
    monkeypatch.setattr("clv_core.mcp_server.MAX_CUSTOMERS", count + 1)
    said = ask(server, "top_customers", most=count + 5, **DATASET)
    assert said["listed"] == count and not any("are listed" in one for one in said["warnings"])


def test_model_that_was_too_old_for_its_scores_is_warned_of_in_every_answer(
    workspace: Workspace, small_bundle: Bundle, tmp_path: Path
) -> None:
    own = Workspace(shutil.copytree(workspace.root, tmp_path / "workspace"))
    (manifest,) = own.datasets.glob("shop/*/manifest.json")
    later = small_bundle.record.cutoff + timedelta(days=small_bundle.record.horizon_days + 1)
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "log_end": later.isoformat()}))
    server = make_server(own)
    for said in (ask(server, "trust_verdict", **DATASET), ask(server, "list_models", **DATASET)[0]):
        assert said["days_since_cutoff"] == small_bundle.record.horizon_days + 1
        assert any("Retrain" in one and small_bundle.record.cutoff.isoformat() in one for one in said["warnings"])


def test_model_whose_dataset_is_not_here_is_listed_without_an_age(workspace: Workspace, tmp_path: Path) -> None:
    own = Workspace(shutil.copytree(workspace.root, tmp_path / "workspace"))
    shutil.rmtree(own.datasets / "shop")
    server = make_server(own)
    (said,) = ask(server, "list_models")
    assert said["dataset"] == "shop" and said["verdict"] and said["cutoff"]
    assert said["as_of"] is said["days_since_as_of"] is said["days_since_cutoff"] is None
    assert ask(server, "list_datasets") == []


def test_person_on_the_do_not_contact_list_is_in_no_answer(workspace: Workspace, small_bundle: Bundle) -> None:
    scores = Scored.open(workspace, "shop", small_bundle.id).scores(NoProgress())
    best = scores.nlargest(1, "predicted_clv")["customer_id"].iloc[0]
    own = Workspace(workspace.root.parent / "stop")
    shutil.copytree(workspace.root, own.root)
    suppressed(own, best)
    server = make_server(own)
    assert "do-not-contact" in ask(server, "customer_card", customer=best, **DATASET)
    listed = ask(server, "top_customers", most=200, **DATASET)
    assert best not in json.dumps(listed)
    alike = ask(make_server(workspace), "customer_card", customer=best, **DATASET)["similar"][0]["customer_id"]
    assert best in json.dumps(ask(make_server(workspace), "customer_card", customer=alike, **DATASET))
    assert best not in json.dumps(ask(server, "customer_card", customer=alike, **DATASET))


def test_person_who_objected_to_profiling_is_in_no_answer_and_every_answer_counts_her(
    workspace: Workspace, small_bundle: Bundle, tmp_path: Path
) -> None:
    scores = Scored.open(workspace, "shop", small_bundle.id).scores(NoProgress())
    best = str(scores.nlargest(1, "predicted_clv")["customer_id"].iloc[0])
    own = Workspace(shutil.copytree(workspace.root, tmp_path / "workspace"))
    objection_list(own).add([best])
    server = make_server(own)
    assert "objected to profiling" in ask(server, "customer_card", customer=best, **DATASET)
    asked: dict[str, dict[str, Any]] = {
        "top_customers": {"most": 200},
        "segment_summary": {},
        "budget_preview": {"budget": 50, "offers": ["name=Voucher,cost=2,effect=20%"]},
        "trust_verdict": {},
    }
    for tool, given in asked.items():
        said = ask(server, tool, **given, **DATASET)
        assert best not in json.dumps(said)
        assert any(one.startswith("1 customer objected to profiling") for one in said["warnings"]), tool
        assert any("trained with 1 customer who objected" in one for one in said["warnings"]), tool
    assert ask(server, "top_customers", **DATASET)["customers_total"] == len(scores) - 1
    (model,) = ask(server, "list_models")
    assert any("Retrain it" in one for one in model["warnings"])


def suppressed(workspace: Workspace, customer: str) -> None:
    command = ["suppress", "add", customer, "--workspace", str(workspace.root)]
    subprocess.run([sys.executable, "-m", "clv_core", *command], check=True, capture_output=True)
    assert SuppressionList.of(workspace).holds(customer)


HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}


@pytest.mark.parametrize(
    "stopped", [signal.SIGTERM, *(pytest.param(one, marks=pytest.mark.slow) for one in (None, signal.SIGINT))]
)
def test_standard_output_holds_the_protocol_alone(workspace: Workspace, stopped: signal.Signals | None) -> None:
    words = [sys.executable, "-m", "clv_core", "mcp", "--workspace", str(workspace.root)]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as server:
        assert server.stdin is not None and server.stdout is not None
        server.stdin.write(json.dumps(HELLO) + "\n")
        server.stdin.flush()
        answer = json.loads(server.stdout.readline())
        if stopped is not None:
            server.send_signal(stopped)
        rest, _ = server.communicate(timeout=60)
    assert (answer["id"], answer["result"]["serverInfo"]["name"]) == (1, "CLV Studio")
    assert rest == "" and server.returncode == 0


def test_command_answers_over_stdio(workspace: Workspace) -> None:
    words = ["-m", "clv_core", "mcp", "--workspace", str(workspace.root)]
    server = StdioServerParameters(command=sys.executable, args=words)
    assert ask(server, "list_datasets")[0]["name"] == "shop"
    assert "nothing" in ask(server, "trust_verdict", dataset="nothing")


@pytest.fixture(scope="module")
def address(workspace: Workspace) -> Iterator[str]:
    """Return where the server of a workspace answers over HTTP."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = ["mcp", "--http", "--port", str(port), "--workspace", str(workspace.root)]
    server = subprocess.Popen([sys.executable, "-m", "clv_core", *words])
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        server.terminate()
        server.wait(30)


def test_role_of_a_key_decides_over_http(workspace: Workspace, address: str) -> None:
    viewer, analyst = (add_key(workspace, role, role)[1] for role in ("viewer", "analyst"))
    assert ask(address, "trust_verdict", viewer, **DATASET)["model"]
    refused = ask(address, "top_customers", viewer, contacts=True, **DATASET)
    assert "analyst" in refused and "customer_id" not in refused
    assert len(ask(address, "top_customers", analyst, most=2, contacts=True, **DATASET)["customers"]) == 2
    assert audit.lines(workspace)[0] | {"at": "", "number": 0, "previous": ""} == {
        "at": "", "number": 0, "previous": "", "who": "analyst", "action": "list", "dataset": "shop", "customers": 2,
        "model": ask(address, "list_models", viewer)[0]["model"],
    }  # fmt: skip
    unknown = {"Authorization": "Bearer clv_00000000_" + "x" * 43}
    assert httpx2.post(address, headers=unknown, json={}).status_code == 401


def test_while_the_file_of_keys_is_damaged_a_key_gets_503_and_what_to_do(workspace: Workspace, address: str) -> None:
    _, key = add_key(workspace, "agent")
    sound = keys_path(workspace).read_bytes()
    headers = {"Authorization": f"Bearer {key}", "Accept": "application/json, text/event-stream"}
    for damaged in (b"\x00\xff", b"[]", b'{"keys": [{"id": 7}]}'):
        keys_path(workspace).write_bytes(damaged)
        for language, word in (("en", "damaged"), ("zh", "已损坏")):
            answer = httpx2.post(address, headers={**headers, "Accept-Language": language}, json=HELLO)
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "keys_damaged")
            assert word in answer.text and "service/keys.json" in answer.text and answer.headers["retry-after"] == "1"
            assert str(workspace.root) not in answer.text
    assert httpx2.post(address, json=HELLO).status_code == 401
    keys_path(workspace).write_bytes(sound)
    assert httpx2.post(address, headers=headers, json=HELLO).status_code == 200
