"""The OpenAPI document holds: schemathesis asks for all that it allows and much that it does not."""

from __future__ import annotations

import uuid
import warnings

import hypothesis
import pytest

from clv_core.deployment.api.auth import add_key
from clv_core.deployment.api.service import MAX_EXPLAINED
from clv_core.deployment.registry import Registry
from clv_core.workspace import Workspace
from tests.deployment.api.conftest import Serve

pytestmark = pytest.mark.slow

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import schemathesis


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "path", ["/v1/score", "/v1/models", "/v1/customers/{customer_id}", "/healthz", "/readyz", "/metrics"]
)
def test_no_finding(serve: Serve, shop: Workspace, path: str) -> None:
    Registry(shop).promote("shop", 1)
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
