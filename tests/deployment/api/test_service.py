"""The service over HTTP: what it answers, what it refuses and how it says so."""

from __future__ import annotations

import asyncio
import gc
import html
import json
import logging
import re
import shlex
import shutil
import socket
import subprocess
import threading
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import pandas as pd
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.privacy.objections import objection_list
from clv_core.collection.privacy.suppression_list import SuppressionList
from clv_core.collection.store.version_store import open_dataset
from clv_core.deployment.api import model_runner
from clv_core.deployment.api.auth import add_key, keys_path, revoke_key
from clv_core.deployment.api.model_cache import ModelCache
from clv_core.deployment.api.model_runner import FIGURES, load_scorer
from clv_core.deployment.api.schemas import example_call
from clv_core.deployment.api.service import LatestScores
from clv_core.deployment.api.workers import Worker
from clv_core.deployment.bundle import Bundle, list_bundles, open_bundle, write_record
from clv_core.deployment.registry import Registry
from clv_core.deployment.registry.database import Unusable, path_of
from clv_core.deployment.saved_scores import Scored, score
from clv_core.deployment.scoring_warnings import model_age, old_scores_warnings
from clv_core.errors import Refused
from clv_core.evaluation.evidence import Evidence
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace
from tests.deployment.api.conftest import Serve, asked_meanwhile, process
from tests.deployment.registry import tiny
from tests.deployment.test_verdict import compared
from tests.records import judged

BUY = {"event_time": "2023-05-01T10:00:00Z", "event_type": "purchase", "amount": 20.0}
ONE = {"customers": [{"customer_id": "c1", "events": [BUY]}], "as_of": "2024-02-05"}


def error_of(answer: httpx.Response) -> tuple[int, str]:
    said = answer.json()["error"]
    assert set(said) == {"code", "params", "message"} and said["message"] and "{" not in said["message"]
    return answer.status_code, said["code"]


def test_customers_are_scored_and_who_cannot_be_is_told_why(
    shop: Workspace, bundles: dict[str, Bundle], sent: dict[str, dict[str, Any]], serve: Serve
) -> None:
    end, some = open_dataset(shop, "shop").log_end.isoformat(), [sent[who] for who in sorted(sent)[:150]]
    whole = score(Scored.open(shop, "shop", bundles["bgnbd"].id), progress=NoProgress()).set_index("customer_id")
    odd = [
        {"customer_id": "nothing", "events": []},
        {"customer_id": "huge", "events": [{"event_time": BUY["event_time"], "unit_price": 1e6, "quantity": 1e6}]},
        {"customer_id": "ancient", "events": [{**BUY, "event_time": "0001-01-01T00:00:00+23:00"}]},
        {"customer_id": "later", "events": [{**BUY, "event_time": f"{end}T00:00:00"}]},
    ]
    with serve() as client:
        said = client.post("/v1/score", json={"customers": [*odd, *some], "as_of": end}).json()
    codes = [one["error"]["code"] for one in said["predictions"][:4]]
    assert codes == ["service_events_missing", "service_amount", "service_time", "service_events_later"]
    assert (said["name"], said["version"], said["model"]) == ("shop", 1, bundles["bgnbd"].id)
    assert (said["horizon_days"], said["currency"], said["as_of"]) == (60, "CNY", end)
    for one in said["predictions"][4:]:
        np.testing.assert_allclose([one[name] for name in FIGURES], whole.loc[one["customer_id"], list(FIGURES)])
        assert one["clv_p10"] <= one["clv_p50"] <= one["clv_p90"] and one["events"] > 0


def test_concurrent_requests_are_scored_together_and_each_gets_its_own(
    bundles: dict[str, Bundle], sent: dict[str, dict[str, Any]], serve: Serve
) -> None:
    some = [sent[who] for who in sorted(sent)[:60]]
    with serve(wait_ms=30.0) as client:
        body = {"as_of": "2024-02-05", "model": bundles["lightgbm"].id}
        together = client.post("/v1/score", json={"customers": some, **body}).json()["predictions"]
        calls = _metric(client, "clv_call_customers_count")
        found: dict[str, Any] = {}

        def ask(one: dict[str, Any]) -> None:
            said = httpx.post(f"{client.base_url}/v1/score", json={"customers": [one], **body}, timeout=60).json()
            found[one["customer_id"]] = said["predictions"][0]

        threads = [threading.Thread(target=ask, args=(one,)) for one in some]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        calls = _metric(client, "clv_call_customers_count") - calls
    assert [found[one["customer_id"]] for one in together] == together
    assert calls < len(some)


def test_reasons_add_up_to_the_prediction(bundles: dict[str, Bundle], sent: dict[str, Any], serve: Serve) -> None:
    buyer = max(sent.values(), key=lambda one: sum(e.get("amount", 0) for e in one["events"]))
    with serve() as client:
        for kind in ("lightgbm", "hybrid"):
            body = {"customers": [buyer], "as_of": "2024-02-05", "model": bundles[kind].id, "reasons": True}
            one = client.post("/v1/score", json=body, headers={"accept-language": "zh-CN"}).json()["predictions"][0]
            total = one["base"] + sum(reason["value"] for reason in one["reasons"])
            assert total == pytest.approx(one["predicted_clv"], rel=1e-4) and one["predicted_clv"] > one["base"]
            assert len(one["reasons"]) == 6 and re.search(r"[\u4e00-\u9fff]", one["reasons"][0]["label"])
        many = {"customers": [{**ONE["customers"][0]}] * 21, "reasons": True}  # type: ignore[dict-item]
        assert error_of(client.post("/v1/score", json=many)) == (413, "service_customers")


def test_what_may_not_be_meant_is_scored_and_warned_of(shop: Workspace, serve: Serve) -> None:
    end = open_dataset(shop, "shop").log_end
    typed = [{**BUY, "event_type": name} for name in ("frobnicate", "frobnicate", "x" * 200, "ORDER", "view", None)]
    twice = [{"customer_id": "c1", "events": [BUY, *typed]}, {"customer_id": "c1", "events": [BUY]}]
    with serve() as client:
        said = client.post("/v1/score", json={"customers": twice, "as_of": end.isoformat()}).json()
        found = {one["code"]: one["params"] for one in said["warnings"]}
        assert set(found) == {"service_types", "service_twice"}
        assert found["service_types"]["events"] == 3 and "x" * 41 not in found["service_types"]["names"]
        assert found["service_types"]["names"].startswith("frobnicate (2), xxx")
        assert all("predicted_clv" in one for one in said["predictions"])
        assert client.post("/v1/score", json={**ONE, "as_of": end.isoformat()}).json()["warnings"] == []
        late = client.post("/v1/score", json={**ONE, "as_of": "2199-01-01"}, headers={"accept-language": "zh"}).json()
        codes = [one["code"] for one in late["warnings"]]
        assert codes == ["service_future", "service_late"] and "训练" in late["warnings"][1]["message"]
        early = client.post("/v1/score", json={**ONE, "as_of": (end - timedelta(days=1)).isoformat()}).json()
        assert [(one["code"], one["params"]["days"]) for one in early["warnings"]] == [("before_cutoff", 1)]


def test_purchases_without_an_amount_and_attributes_of_another_kind_are_warned_of(
    shop: Workspace, bundles: dict[str, Bundle], serve: Serve
) -> None:
    end, free = open_dataset(shop, "shop").log_end.isoformat(), {**BUY, "amount": None}
    some = [{"customer_id": "a", "events": [free]}, {"customer_id": "b", "events": [free, BUY, {**BUY, "amount": 0}]}]
    old = [
        {"customer_id": who, "events": [BUY], "attributes": {"age": age}} for who, age in (("c", "vierzig"), ("d", 4))
    ]
    with serve() as client:
        for kind, bundle in bundles.items():
            asked = {"model": bundle.id, "as_of": end, "customers": [*some, *old]}
            said = client.post("/v1/score", json=asked).json()
            found = {one["code"]: one["params"] for one in said["warnings"]}
            assert found.pop("service_unpriced") == {"events": 2, "customers": 2}
            learned = bool(bundle.record.signals.attributes)
            assert learned == (kind not in ("bgnbd", "paretonbd"))
            assert found == ({"service_attribute_texts": {"names": ["age"], "values": 1}} if learned else {})
            first, *others = said["predictions"]
            assert first["error"]["code"] == "service_no_event" and all("predicted_clv" in one for one in others)


def test_a_date_is_the_midnight_of_the_logs_own_zone(serve: Serve) -> None:
    def one(time: str) -> dict[str, Any]:
        return {"customer_id": time, "events": [{**BUY, "event_time": time}, {**BUY, "event_time": "2023-03-01"}]}

    times = ("2023-05-01", "2023-05-01T00:00:00", "2023-05-01T00:00:00+08:00")
    with serve() as client:
        said = client.post("/v1/score", json={"customers": [one(time) for time in times], "as_of": "2024-02-05"})
        figures = [{name: row[name] for name in FIGURES} for row in said.json()["predictions"]]
        assert figures[0] == figures[1] == figures[2]
        for wrong in ("2023-13-01", "01.05.2023", "2023-05"):
            answer = client.post("/v1/score", json={"customers": [one(wrong)]})
            said = answer.json()["error"]["params"]
            assert answer.status_code == 422 and len(said["wrong"]) == 1 and said["where"].endswith("event_time")
        event = client.get("/openapi.json").json()["components"]["schemas"]["Event"]["properties"]["event_time"]
        assert {one["format"] for one in event["anyOf"]} == {"date-time", "date"}


def test_faults_are_said_in_words_that_fit_them(serve: Serve) -> None:
    with serve() as client:
        kind = {"content-type": "application/json"}
        packed = client.post("/v1/score", content=b"\x1f\x8b", headers={**kind, "content-encoding": "gzip"})
        assert error_of(packed) == (415, "service_encoding")
        assert "Content-Encoding: gzip" in packed.json()["error"]["message"]
        body = json.dumps({"customers": [{"customer_id": "c", "events": [{**BUY, "amount": float("nan")}]}]})
        said = client.post("/v1/score", content=body, headers=kind).json()["error"]
        assert "number needed" in said["message"] and "other problems" not in said["message"]
        two = client.post("/v1/score", json={"customers": [{"customer_id": 7, "events": 7}]}).json()["error"]
        assert "other problems: 1" in two["message"] and two["params"]["others"] == 1


@pytest.mark.examples(3)
@pytest.mark.parametrize(
    ("body", "where", "what"),
    [
        ({"customers": []}, "customers", "short"),
        ({}, "customers", "missing"),
        ({"customers": [{"customer_id": "c", "events": [{**BUY, "amount": "20"}]}]}, "amount", "number"),
        ({"customers": [{"customer_id": "c", "events": [{**BUY, "amount": 1e12}]}]}, "amount", "bounds"),
        ({"customers": [{"customer_id": "c", "events": [{**BUY, "price": 1}]}]}, "price", "unknown"),
        ({"customers": [{"customer_id": "c", "events": [{**BUY, "event_time": 5}]}]}, "event_time", "time"),
        ({"customers": [{"customer_id": 7, "events": [BUY]}]}, "customer_id", "text"),
        ({**ONE, "as_of": "31.12.2023"}, "as_of", "date"),
        ({**ONE, "reasons": "yes"}, "reasons", "truth"),
        ([1], "body", "object"),
    ],
)
def test_what_is_wrong_with_a_body_is_said_in_words(serve: Serve, body: Any, where: str, what: str) -> None:
    with serve() as client:
        answers = [client.post("/v1/score", json=body, headers={"accept-language": name}) for name in ("en", "zh")]
    assert [error_of(one) for one in answers] == [(422, "service_body")] * 2
    wrong = [one.json()["error"]["params"]["wrong"][0] for one in answers]
    assert all(one["where"].endswith(where) and one["what"] == what for one in wrong)
    assert [bool(re.search(r"[\u4e00-\u9fff]", one["message"])) for one in wrong] == [False, True]


def test_what_does_not_fit_is_refused_with_its_reason(shop: Workspace, serve: Serve) -> None:
    score, typed = "/v1/score", {"headers": {"content-type": "application/json"}}
    one = {"customer_id": "c"}
    with serve(max_bytes=1500, max_customers=2, max_events=5) as client:
        for method, path, sent, status, code in (
            ("POST", score, {"content": b"{", **typed}, 422, "service_body"),
            ("POST", score, {"content": b"\xff\xfe", **typed}, 422, "service_body"),
            ("POST", score, {"content": b"[" * 1000, **typed}, 422, "service_body"),
            ("POST", score, {"content": b'{"customers": [{"customer_id": "\\ud800"}]}', **typed}, 422, "service_body"),
            ("POST", score, {"json": {"customers": [{**one, "events": [BUY] * 30}]}}, 413, "service_bytes"),
            ("POST", score, {"json": {"customers": [{**one, "events": [BUY] * 6}]}}, 413, "service_events"),
            ("POST", score, {"json": {"customers": ONE["customers"] * 3}}, 413, "service_customers"),
            ("POST", score, {"content": "x", "headers": {"content-type": "text/csv"}}, 415, "service_type"),
            ("POST", score, {"json": {**ONE, "model": "../x"}}, 404, "no_model"),
            ("GET", score, {}, 405, "service_method"),
            ("GET", "/v2", {}, 404, "service_no_route"),
            ("GET", "/v1/models?name=" + "x" * 201, {}, 422, "service_body"),
            ("GET", "/v1/models?name=shop&name=other", {}, 422, "service_body"),
            ("GET", "/v1/customers/c1?name=shop&name=other", {}, 422, "service_body"),
            ("POST", "/v1/score/", {"json": ONE}, 404, "service_no_route"),
            ("POST", "/v1/models/", {"json": ONE}, 404, "service_no_route"),
            ("POST", "/healthz/", {"json": ONE}, 404, "service_no_route"),
            ("POST", "/v1/customers", {"json": ONE}, 404, "service_no_route"),
        ):
            answer = client.request(method, path, **sent)
            assert error_of(answer) == (status, code), path
            assert "location" not in answer.headers and ("name=other" not in path or "query.name" in answer.text)


def test_who_finds_the_queue_full_is_turned_away(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    going, scored = threading.Event(), model_runner.ModelRunner.score

    def slow(*words: Any) -> Any:
        going.wait(20)
        return scored(*words)

    with serve(answer_seconds=0.3, max_customers=1, max_waiting=1) as client:
        monkeypatch.setattr(model_runner.ModelRunner, "score", slow)
        answers = [client.post("/v1/score", json=ONE) for _ in range(3)]
        going.set()
    assert [error_of(one) for one in answers] == [(503, "service_late"), (503, "service_late"), (503, "service_busy")]
    assert answers[2].headers["retry-after"] == "1"


def test_what_takes_too_long_is_turned_away_and_answered_once_the_model_is_there(
    bundles: dict[str, Bundle], serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    going, wanted = threading.Event(), {**ONE, "model": bundles["lightgbm"].id}

    def slow(*words: Any) -> Any:
        going.wait(20)
        return load_scorer(*words)

    with serve(answer_seconds=0.2) as client:
        monkeypatch.setattr(model_runner, "load_scorer", slow)
        answer = client.post("/v1/score", json=wanted)
        assert error_of(answer) == (503, "service_late") and answer.headers["retry-after"] == "1"
        going.set()
        for _ in range(100):
            answer = client.post("/v1/score", json=wanted)
            if answer.status_code == 200:
                break
        assert answer.status_code == 200


def test_keys_are_asked_for_and_turned_away_once_revoked(
    shop: Workspace, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clv_core.deployment.api.auth.KEY_CHECK_SECONDS", 0.0)
    _, key = add_key(shop, "backend")
    with serve(open=False, rate=0.01, burst=4) as client:
        assert error_of(client.post("/v1/score", json=ONE)) == (401, "service_key_missing")
        wrong = {"authorization": f"Bearer {key[:-1]}{'A' if key[-1] != 'A' else 'B'}"}
        answer = client.post("/v1/score", json=ONE, headers=wrong)
        assert error_of(answer) == (401, "service_key_unknown") and answer.headers["www-authenticate"] == "Bearer"
        for headers in ({"authorization": f"Bearer {key}"}, {"x-api-key": key}):
            assert client.post("/v1/score", json=ONE, headers=headers).status_code == 200
            assert client.get("/v1/models", headers=headers).status_code == 200
        answer = client.get("/v1/models", headers={"x-api-key": key})
        assert error_of(answer) == (429, "service_rate") and int(answer.headers["retry-after"]) > 1
        revoke_key(shop, "backend")
        assert error_of(client.get("/v1/models", headers={"x-api-key": key})) == (401, "service_key_unknown")
        assert client.get("/healthz").status_code == client.get("/openapi.json").status_code == 200


NO_HASH = b'{"keys": [{"id": "%s", "name": "backend", "slot": 0, "hash": "\xc3\xbc", "created": ""}]}'
DAMAGED_KEYS = {
    "garbage": b"\x00\xff",
    "a list": b"[]",
    "no keys": b'{"keys": [{"id": 7}]}',
    "nested too deep": b"[" * 100_000 + b"]" * 100_000,
    "a hash that is none": NO_HASH,
}


@pytest.mark.parametrize("kept", DAMAGED_KEYS.values(), ids=DAMAGED_KEYS)
def test_while_the_file_of_keys_is_damaged_nobody_is_let_through_and_all_are_told_what_to_do(
    kept: bytes, tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("clv_core.deployment.api.auth.KEY_CHECK_SECONDS", 0.0)
    workspace = Workspace(tmp_path)
    _, key = add_key(workspace, "backend")
    sound = keys_path(workspace).read_bytes()
    with serve(workspace, open=False, ready=False) as client:
        known = {"authorization": f"Bearer {key}"}
        assert client.get("/v1/models", headers=known).status_code == 200
        keys_path(workspace).write_bytes(kept.replace(b"%s", key[4:12].encode()))
        for _ in range(2):
            for answer in (client.get("/v1/models", headers=known), client.post("/v1/score", json=ONE, headers=known)):
                assert error_of(answer) == (503, "keys_damaged") and answer.headers["retry-after"] == "1"
                assert "service/keys.json" in answer.text and str(tmp_path) not in answer.text
        assert error_of(client.get("/v1/models")) == (401, "service_key_missing")
        assert caplog.text.count("service/keys.json") == 1
        with pytest.raises(Refused, match="keys add"):
            add_key(workspace, "other")
        keys_path(workspace).write_bytes(sound)
        assert client.get("/v1/models", headers=known).status_code == 200
        keys_path(workspace).unlink()
        keys_path(workspace).mkdir()
        assert error_of(client.get("/v1/models", headers=known)) == (503, "keys_closed")


def test_without_keys_only_this_machines_own_names_are_answered_to(serve: Serve) -> None:
    """A page from elsewhere that has its own name lead here (DNS rebinding) asks by that name."""
    with serve() as client:
        for host in ("localhost", "LOCALHOST:8000", "127.0.0.1:8000", "[::1]:8000"):
            assert client.get("/v1/models", headers={"host": host}).status_code == 200
        for host in ("evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example", ""):
            for answer in (
                client.get("/v1/models", headers={"host": host}),
                client.get("/v1/customers/c1", headers={"host": host}),
                client.post("/v1/score", json=ONE, headers={"host": host}),
            ):
                assert error_of(answer) == (401, "service_elsewhere")


def test_the_latest_batch_is_looked_up(
    shop: Workspace, bundles: dict[str, Bundle], sent: dict[str, Any], serve: Serve
) -> None:
    whole = score(Scored.open(shop, "shop", bundles["bgnbd"].id), progress=NoProgress()).set_index("customer_id")
    with serve() as client:
        for who in sorted(sent)[::40]:
            said = client.get(f"/v1/customers/{who}").json()
            assert said["predicted_clv"] == whole.loc[who, "predicted_clv"] and said["model"] == bundles["bgnbd"].id
        assert error_of(client.get("/v1/customers/a%2Fb")) == (404, "service_not_scored")
        assert error_of(client.get("/v1/customers/x?name=nobody")) == (404, "no_name")
        other = shop.datasets / "other" / "made" / ("0" * 12) / bundles["bgnbd"].id / "scores-20990101.parquet"
        other.parent.mkdir(parents=True)
        whole.reset_index().assign(predicted_clv=-1.0).to_parquet(other)
        assert client.get(f"/v1/customers/{max(sent)}").json()["predicted_clv"] == whole.loc[max(sent), "predicted_clv"]
        shutil.rmtree(shop.datasets / "other")
        (kept,) = shop.datasets.glob(f"shop/made/*/{bundles['bgnbd'].id}/scores-*.parquet")
        scores = pd.read_parquet(kept)
        scores.assign(customer_id=scores["customer_id"].replace(max(sent), "ann@a.example")).to_parquet(kept)
        for who in ("ann@a.example", "Ann@A.example"):
            assert client.get(f"/v1/customers/{who}").json()["customer_id"] == "ann@a.example"
        scores.to_parquet(kept)
        hidden, people = min(sent), SuppressionList.of(shop)
        people.add([hidden])
        try:
            assert error_of(client.get(f"/v1/customers/{hidden}")) == (404, "service_not_scored")
        finally:
            people.remove([hidden])


def test_who_objected_to_profiling_is_neither_scored_nor_looked_up(
    shop: Workspace, tmp_path: Path, sent: dict[str, Any], serve: Serve
) -> None:
    workspace = Workspace(tmp_path / "workspace")
    shutil.copytree(shop.root, workspace.root)
    bundle = next(one for one in list_bundles(workspace) if one.record.model == "bgnbd")
    score(Scored.open(workspace, "shop", bundle.id), progress=NoProgress())
    hidden, other = sorted(sent)[:2]
    end = open_dataset(workspace, "shop").log_end.isoformat()
    body = {"customers": [sent[hidden], sent[other]], "as_of": end, "model": bundle.id}
    with serve(workspace) as client:
        assert client.get(f"/v1/customers/{hidden}").json()["customer_id"] == hidden
        objection_list(workspace).add([hidden])
        assert error_of(client.get(f"/v1/customers/{hidden}")) == (404, "customer_objected")
        said = client.post("/v1/score", json=body).json()
        hers, others = said["predictions"]
        assert hers["error"]["code"] == "customer_objected" and not {*FIGURES} & {*hers}
        assert others["customer_id"] == other and others["predicted_clv"] >= 0
        (warning,) = [one for one in said["warnings"] if one["code"] == "objected"]
        assert warning["params"] == {"customers": 1}
        score(Scored.open(workspace, "shop", bundle.id), progress=NoProgress())
        codes = [one["code"] for one in client.get(f"/v1/customers/{other}").json()["warnings"]]
        assert {"objected", "learned_from_objected"} <= set(codes)
        assert error_of(client.get(f"/v1/customers/{hidden}")) == (404, "customer_objected")


def test_answers_about_customers_carry_todays_verdict_and_how_old_model_and_scores_are(
    shop: Workspace, tmp_path: Path, sent: dict[str, Any], serve: Serve
) -> None:
    workspace = Workspace(tmp_path / "workspace")
    shutil.copytree(shop.root, workspace.root)
    bundle = next(one for one in list_bundles(workspace) if one.record.model == "bgnbd")
    write_record(bundle.folder, judged(bundle.record, Evidence(60)))
    bundle = open_bundle(workspace, bundle.id)
    cutoff, end, who = bundle.record.cutoff, open_dataset(workspace, "shop").log_end, min(sent)
    score(Scored.open(workspace, "shop", bundle.id), progress=NoProgress())
    later = (cutoff + timedelta(days=61)).isoformat()
    chinese = {"accept-language": "zh"}
    with serve(workspace) as client:

        def ask() -> list[dict[str, Any]]:
            kept = client.get(f"/v1/customers/{who}", headers=chinese)
            listed = client.get("/v1/models", headers=chinese).json()["models"]
            (model,) = [one for one in listed if one["model"] == bundle.id]
            sent_now = client.post("/v1/score", json={**ONE, "as_of": later}, headers=chinese).json()
            return [sent_now, kept.json(), {"trust": {"verdict": model["trust"], "reasons": model["reasons"]}}]

        scored, kept, listed = ask()
        trained = [one.to_json("zh") for one in bundle.record.trust.reasons]
        assert [one["trust"]["verdict"] for one in (scored, kept, listed)] == [bundle.record.trust.verdict] * 3
        assert scored["trust"]["reasons"] == kept["trust"]["reasons"] == listed["trust"]["reasons"] == trained
        assert re.search(r"[\u4e00-\u9fff]", trained[0]["message"])
        assert (scored["cutoff"], scored["days_since_cutoff"]) == (cutoff.isoformat(), 61)
        assert [one["code"] for one in scored["warnings"]] == ["service_late"]
        today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
        assert (kept["as_of"], kept["cutoff"]) == (end.isoformat(), cutoff.isoformat())
        assert kept["days_since_cutoff"] == (end - cutoff).days
        assert kept["days_since_as_of"] in ((today - end).days, (today - end).days + 1)  # midnight may pass
        assert kept["terms"] == {"horizon_days": 60, "discount_rate": 0.0, "margin_rate": 1.0, "lifetime": False}
        (old,) = kept["warnings"]
        assert (old["code"], old["params"]["as_of"]) == ("scores_old", end.isoformat())
        compared(workspace, bundle, 0.5, -0.4, 0.1, model="bgnbd")
        for _ in range(200):
            codes = [[reason["code"] for reason in one["trust"]["reasons"]] for one in ask()]
            if codes[0] == codes[1]:
                break
        assert codes == [["unvalidated", "level_off_often"]] * 3


def test_scores_are_called_old_once_all_that_they_are_about_has_passed_and_a_model_by_the_day_of_the_scores() -> None:
    day = date(2026, 3, 1)
    assert old_scores_warnings(day, 60, date(2026, 4, 30)) == []
    (old,) = old_scores_warnings(day, 60, date(2026, 5, 1))
    assert (old.code, old.params["days"]) == ("warning.scores_old", 61)
    assert "61 days ago" in old.text("en") and "61 天" in old.text("zh")
    assert model_age(date(2026, 3, 11), day) == {"cutoff": "2026-03-11", "days_since_cutoff": -10}
    assert model_age(None, day) == {"cutoff": None, "days_since_cutoff": None}


def test_a_challengers_newer_score_answers_only_where_the_champion_has_none(tmp_path: Path) -> None:
    workspace, registry = Workspace(tmp_path / "workspace"), Registry(Workspace(tmp_path / "workspace"))
    (tmp_path / "log.csv").write_text("customer_id,event_time,amount\nc1,2025-01-01,5\nc2,2025-12-01,7\n")
    ingest(workspace, tmp_path / "log.csv", "shop", timezone="UTC", currency="EUR")
    dataset, written = open_dataset(workspace, "shop"), []
    for seed, day, value in ((1, date(2025, 11, 1), 10.0), (2, date(2025, 12, 1), 99.0)):
        bundle = registry.register(tiny.save(workspace, seed)).bundle
        written.append(Scored.of(workspace, dataset, open_bundle(workspace, bundle), cutoff=day).scores_path)
        written[-1].parent.mkdir(parents=True)
        pd.DataFrame({"customer_id": ["c1"], "predicted_clv": value, "model": bundle}).to_parquet(written[-1])
    latest, (champion, challenger) = LatestScores(workspace, registry), (path.parent.name for path in written)
    said = latest.of("shop", "c1")
    assert (said["model"], said["predicted_clv"]) == (champion, 10.0)
    written[0].unlink()
    said = latest.of("shop", "c1")
    assert (said["model"], said["predicted_clv"]) == (challenger, 99.0)


def test_who_has_no_key_learns_no_name_of_a_dataset_or_model(serve: Serve, bundles: dict[str, Bundle]) -> None:
    with serve(open=False) as client:
        said = "".join(client.get(path).text for path in ("/healthz", "/readyz", "/metrics", "/openapi.json", "/"))
        version = client.get("/healthz").json()["version"]
        assert f"clv_model_version {float(version)}\n" in said and "clv_model_loads_total 1.0\n" in said
        assert "shop" not in said and not any(one.id in said for one in bundles.values())


def test_models_are_listed_and_the_page_loads_nothing_from_elsewhere(shop: Workspace, serve: Serve) -> None:
    with serve() as client:
        said = client.get("/v1/models?name=shop").json()
        assert [one["role"] for one in said["models"] if one["model"] == said["serving"]] == ["champion"]
        assert len(said["models"]) == 5
        for language, word in (("en", "prediction service"), ("zh", "预测接口")):
            page = client.get("/", headers={"accept-language": language}).text
            assert word in page and not re.search("<script|<link|src=|href=.http|url[(]", page)
        text = json.dumps(client.get("/openapi.json").json())
        assert "http://" not in text.replace("http://127.0.0.1", "")


def test_the_page_shows_a_call_that_works_as_it_stands(serve: Serve) -> None:
    with serve() as client:
        shown = re.search("<pre>(.*)</pre>", client.get("/").text, re.DOTALL)
        assert shown is not None
        program, url, *words = shlex.split(html.unescape(shown[1]))
        given = dict(zip(words[::2], words[1::2], strict=True))
        assert program == "curl" and set(given) == {"-H", "-d"}  # open: no key
        kind, value = given["-H"].split(": ")
        answer = client.post(url, content=given["-d"], headers={kind: value})
        assert answer.status_code == 200 and answer.json()["predictions"][0]["predicted_clv"] > 0
    assert "Authorization: Bearer KEY" in example_call("https://api.example/", secured=True)


def test_a_registry_that_cannot_be_read_now_may_be_asked_again(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(*_: Any) -> None:
        raise Unusable("registry_busy", path="registry.sqlite")

    with serve() as client:
        monkeypatch.setattr(Registry, "versions", closed)
        for path in ("/v1/models", "/v1/customers/c1"):
            answer = client.get(path)
            assert error_of(answer) == (503, "registry_busy") and answer.headers["retry-after"] == "1"
        assert client.post("/v1/score", json=ONE).status_code == 200


def test_a_registry_that_is_damaged_while_serving_and_moved_away_is_made_anew_by_the_service(
    shop: Workspace, bundles: dict[str, Bundle], tmp_path: Path, serve: Serve
) -> None:
    workspace = Workspace(tmp_path / "workspace")
    shutil.copytree(shop.root, workspace.root)
    with serve(workspace, poll_seconds=0.02) as client:
        known = {one["model"] for one in client.get("/v1/models").json()["models"]}
        path_of(workspace).write_bytes(b"no database" * 1000)
        answer = client.get("/v1/models")
        assert error_of(answer) == (409, "registry_damaged") and "is damaged" in answer.text
        assert client.post("/v1/score", json=ONE).status_code == 200
        path_of(workspace).rename(tmp_path / "damaged")
        assert {one["model"] for one in client.get("/v1/models").json()["models"]} == known
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            assert client.post("/v1/score", json=ONE).status_code == 200
        assert client.post("/v1/score", json={**ONE, "model": bundles["lightgbm"].id}).status_code == 200


@pytest.mark.slow
def test_a_workspace_that_may_only_be_read_is_served(shop: Workspace, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "workspace")
    shutil.copytree(shop.root, workspace.root)
    score(Scored.open(workspace, "shop", list_bundles(workspace)[0].id), progress=NoProgress())
    for path in workspace.root.rglob("serving-*.json"):
        path.unlink()
    alone = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    shut = f"mount --bind {workspace.root} {workspace.root} && mount -o remount,bind,ro {workspace.root}"
    if not shutil.which("unshare") or subprocess.run([*alone, shut], capture_output=True, check=False).returncode:
        pytest.skip("nothing can be made read-only here: unshare --map-root-user --mount is not allowed")
    with process(workspace, before=[*alone, f'{shut} && exec "$@"', "-"]) as (url, log):
        with httpx.Client(base_url=url, timeout=60) as client:
            for asked in (ONE, {**ONE, "reasons": True}):
                answer = client.post("/v1/score", json=asked)
                assert answer.status_code == 200 and answer.json()["predictions"][0]["predicted_clv"] > 0
            assert len(client.get("/v1/models").json()["models"]) == 5
            assert error_of(client.get("/v1/customers/nobody")) == (404, "service_not_scored")
    assert "nothing can be kept" in log.read_text() and not list(workspace.root.rglob("serving-*.json"))


def test_a_new_champion_takes_over_without_a_failed_request(shop: Workspace, serve: Serve) -> None:
    registry = Registry(shop)
    with serve() as client:
        with asked_meanwhile(client.base_url, ONE) as answers:
            for number in (3, 1, 4, 1, 3, 1):
                registry.promote("shop", number)
                for _ in range(2000):
                    if client.get("/healthz").json()["version"] == number:
                        break
        assert _metric(client, "clv_model_loads_total") >= 7
    assert {one.status_code for one in answers} == {200}
    assert {1, 3, 4} <= {one.json().get("version", 0) for one in answers}


def test_no_model_is_no_crash_and_one_that_comes_is_found(tmp_path: Any, shop: Workspace, serve: Serve) -> None:
    with serve(Workspace(tmp_path / "empty"), ready=False) as client:
        assert error_of(client.post("/v1/score", json=ONE)) == (404, "service_no_model")
        assert client.get("/healthz").json()["ready"] is False and client.head("/healthz").status_code == 200
        waits = client.get("/readyz")
        assert (waits.status_code, waits.json()) == (503, client.get("/healthz").json())
        assert (client.head("/readyz").status_code, client.head("/readyz").content) == (503, b"")
        assert client.get("/v1/models").json() == {"serving": None, "models": []}
    with serve() as client:
        assert client.get("/readyz").json() == client.get("/healthz").json()
        assert client.get("/readyz").status_code == client.head("/readyz").status_code == 200


def test_no_log_line_names_a_customer(
    serve: Serve, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*words: Any) -> Any:
        raise ValueError("c1 is a secret")

    monkeypatch.setattr("clv_core.deployment.api.model_runner.event_columns", broken)
    with caplog.at_level(logging.DEBUG), serve(ready=False, name="shop") as client:
        assert client.post("/v1/score", json={**ONE, "model": "shop"}).status_code == 500
    assert "secret" not in caplog.text


def test_a_load_that_nobody_waits_for_any_more_names_no_customer(
    shop: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        async def load(self, key: Any) -> Any:
            await asyncio.sleep(0)
            raise ValueError("c1 is a secret")

    async def stopped() -> None:
        worker = cast("Worker", Broken())
        models = ModelCache(shop, [worker], worker, "shop", 1, lambda: None)
        waits = asyncio.create_task(models.get(None))
        while not models._loading:
            await asyncio.sleep(0)
        waits.cancel()
        await asyncio.gather(waits, return_exceptions=True)
        while models._loading:
            await asyncio.sleep(0.001)
        models.close()
        gc.collect()

    asyncio.run(stopped())
    assert "secret" not in caplog.text


def _metric(client: httpx.Client, name: str) -> float:
    lines = client.get("/metrics").text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(name))


def test_who_goes_before_the_request_is_whole_is_no_failure_of_the_service(serve: Serve) -> None:
    head = (
        b"POST /v1/score HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
    )
    with serve(ready=False) as client:
        for _ in range(3):
            with socket.create_connection((client.base_url.host, client.base_url.port or 0)) as gone:
                gone.sendall(head)
        while 'route="/v1/score",status="499"} 3.0' not in (said := client.get("/metrics").text):
            assert 'status="500"' not in said
