"""The OpenAPI document holds: answers have no field that it does not name, and schemathesis asks for all it allows."""

from __future__ import annotations

import copy
import shutil
import uuid
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import hypothesis
import jsonschema_rs
import pytest

from clv_core.deployment.api.app import make
from clv_core.deployment.api.auth import add_key
from clv_core.deployment.api.service import MAX_EXPLAINED
from clv_core.deployment.bundle import Bundle, write_record
from clv_core.deployment.registry import Registry
from clv_core.deployment.saved_scores import Scored
from clv_core.environment import ServiceSettings
from clv_core.evaluation.metrics import METRICS
from clv_core.jobs import NoProgress
from clv_core.strategy.demand import demand, find_asked_demand
from clv_core.strategy.forecast import find_asked_forecast
from clv_core.workspace import Workspace
from tests.deployment.api.conftest import Serve

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import schemathesis


OPEN_OBJECTS = {("Problem", "params"), ("TrustReason", "params")}
"""Which fields they have depends on the code beside them."""
KEYS = [{"bearer": []}, {"key": []}]
BUY = {"event_time": "2023-05-01T10:00:00Z", "event_type": "purchase", "amount": 20.0}


def document(shop: Workspace, *, is_open: bool = False) -> dict[str, Any]:
    app: Any = make(shop, ServiceSettings(open=is_open), find_asked_forecast, find_asked_demand).app
    made: dict[str, Any] = app.openapi()
    return made


def objects(schema: Any, *path: str) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Yield every schema of an object within a schema, with the names that lead there."""
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield path, schema
        for name, inner in schema.items():
            if name not in ("examples", "example"):
                yield from objects(inner, *path, *([] if name in ("properties", "anyOf", "items") else [name]))
    elif isinstance(schema, list):
        for inner in schema:
            yield from objects(inner, *path)


def test_every_object_of_the_document_is_closed_and_every_field_and_parameter_is_described(shop: Workspace) -> None:
    made = document(shop)
    schemas = made["components"]["schemas"]
    for path, schema in objects(schemas):
        typed_values = isinstance(schema.get("additionalProperties"), dict)
        assert typed_values or schema["additionalProperties"] is (path in OPEN_OBJECTS), path
        for name, field in schema.get("properties", {}).items():
            forms = (field, *field.get("anyOf", []))
            assert any(one.get("description") or "$ref" in one for one in forms), (path, name)
    measured = schemas["ModelVersion"]["properties"]["metrics"]["properties"]
    assert set(measured) == set(METRICS) and "ranking" in measured["spearman"]["description"]
    assert schemas["ModelVersion"]["properties"]["digest"]["pattern"] == "^[0-9a-f]{64}$"
    for path, methods in made["paths"].items():
        for operation in methods.values():
            assert {"200", "405", "500", "503"} <= set(operation["responses"]), path
            assert all(one["description"] for one in operation.get("parameters", [])), path
            assert operation["summary"] and operation["description"], path
    assert "clv_customers_scored" in made["paths"]["/metrics"]["get"]["description"]
    for name, schema in schemas.items():
        for example in schema.get("examples", []):
            checked(made, name, example)


def test_document_says_which_addresses_need_a_key_and_an_open_service_needs_none(shop: Workspace) -> None:
    for is_open, expected in ((False, KEYS), (True, [])):
        made = document(shop, is_open=is_open)
        operations = [(path, one) for path, methods in made["paths"].items() for one in methods.values()]
        assert made["security"] == expected and set(made["components"]["securitySchemes"]) == {"bearer", "key"}
        for path, operation in operations:
            assert operation["security"] == (expected if path.startswith("/v1/") else []), path


def checked(made: dict[str, Any], name: str, answer: Any) -> None:
    """Raise unless an answer has the form of a schema of the document."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": made["components"]}
    jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(answer)


def test_no_answer_has_a_field_that_the_document_does_not_name(
    shop: Workspace, bundles: dict[str, Bundle], sent: dict[str, Any], serve: Serve, tmp_path: Path
) -> None:
    shop = Workspace(shutil.copytree(shop.root, tmp_path / "workspace"))
    measured = replace(bundles["bgnbd"].record, metrics=dict.fromkeys(METRICS, 0.5))
    write_record(shop.models / bundles["bgnbd"].id, measured)
    demand(Scored.open(shop, "shop", bundles["bgnbd"].id), NoProgress())  # and the forecast
    who = min(sent)
    customers = [sent[who], {"customer_id": "nothing", "events": []}, {"customer_id": "c1", "events": [BUY]}]
    asked = {"as_of": "2030-01-01", "customers": customers}
    with serve(shop) as client:
        made = client.get("/openapi.json").json()
        answers: dict[str, list[httpx.Response]] = {
            "ScoreAnswer": [
                client.post("/v1/score", json=body, headers={"accept-language": language})
                for body in (asked, {**asked, "reasons": True, "model": bundles["lightgbm"].id})
                for language in ("en", "zh")
            ],
            "KeptPrediction": [client.get(f"/v1/customers/{who}", headers={"accept-language": "zh"})],
            "RevenueForecast": [
                client.get("/v1/forecast"),
                client.get("/v1/forecast?name=shop&days=200&unit=month&new_customers=1.5"),
            ],
            "ProductDemand": [
                client.get("/v1/demand", headers={"accept-language": "zh"}),
                client.get("/v1/demand?name=shop&weeks=6&by=category&most=2"),
            ],
            "ModelList": [client.get("/v1/models"), client.get("/v1/models?name=nobody")],
            "Health": [client.get("/healthz"), client.get("/readyz")],
            "Problems": [
                *(client.get("/v1/customers/nobody"), client.get("/v1/customers/x?name=nobody"), client.get("/v2")),
                *(client.get("/v1/forecast?name=nobody"), client.get("/v1/forecast?unit=year")),
                *(client.get("/v1/demand?name=nobody"), client.get("/v1/demand?weeks=2")),
                *(client.put("/v1/models"), client.post("/v1/score", json={}), client.post("/v1/score", content="x")),
                client.get("/v1/models", headers={"host": "elsewhere.example"}),
                client.post("/v1/score", json={**asked, "model": "nobody"}),
            ],
        }
    listed = answers["ModelList"][0].json()["models"]
    assert [len(one["metrics"]) for one in listed if one["model"] == bundles["bgnbd"].id] == [len(METRICS)]
    statuses = {one.status_code for one in answers["Problems"]}
    assert statuses == {401, 404, 405, 415, 422} and answers["ScoreAnswer"][0].json()["warnings"]
    for name, own in answers.items():
        for answer in own:
            assert (answer.status_code == 200) is (name != "Problems"), answer.text
            checked(made, name, answer.json())
    for name, field in (("ModelVersion", "digest"), ("ModelVersion", "reasons"), ("TrainingCost", "seconds")):
        lacking = copy.deepcopy(made)
        del lacking["components"]["schemas"][name]["properties"][field]
        with pytest.raises(jsonschema_rs.ValidationError, match=field):
            checked(lacking, "ModelList", answers["ModelList"][0].json())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "path",
    [
        "/v1/score",
        "/v1/models",
        "/v1/customers/{customer_id}",
        "/v1/forecast",
        "/v1/demand",
        "/healthz",
        "/readyz",
        "/metrics",
    ],
)
def test_no_finding(serve: Serve, shop: Workspace, bundles: dict[str, Bundle], path: str) -> None:
    Registry(shop).promote("shop", 1)
    demand(Scored.open(shop, "shop", bundles["bgnbd"].id), NoProgress())  # and the forecast
    key = add_key(shop, f"contract {uuid.uuid4().hex}")[1]
    headers = {"Authorization": f"Bearer {key}"}
    with serve(open=False, name="shop", rate=1e5, burst=1e5) as client:
        schema = schemathesis.openapi.from_url(f"{client.base_url}/openapi.json")
        operation = next(one.ok() for one in schema.get_all_operations() if one.ok().path == path)
        modes = list(schemathesis.GenerationMode)

        for mode in modes:
            strategy = operation.as_strategy(generation_mode=mode)

            @hypothesis.given(case=strategy)
            @hypothesis.settings(
                max_examples=15,
                deadline=None,
                suppress_health_check=list(hypothesis.HealthCheck),
                database=None,
                derandomize=True,
            )
            def ask(case: schemathesis.Case) -> None:
                hypothesis.assume(not _too_many_reasons(case.body))
                case.call_and_validate(headers=headers)

            try:
                ask()
            except hypothesis.errors.Unsatisfiable:  # nothing about this route can be wrong
                assert mode == schemathesis.GenerationMode.NEGATIVE and path in ("/healthz", "/readyz", "/metrics")


def _too_many_reasons(body: object) -> bool:
    """Say whether reasons are asked for more customers than may be explained at once, which no schema says."""
    asked = body if isinstance(body, dict) else {}
    customers = asked.get("customers")
    return bool(asked.get("reasons")) and isinstance(customers, list) and len(customers) > MAX_EXPLAINED
