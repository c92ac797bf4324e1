"""Orders of a Shopify shop by its bulk operations: one row a line item, as JSON lines that the reader knows by name.

The Admin API runs a query in the background and offers its result as JSON lines, in which the items of an order follow
the order and name it as ``__parentId`` (https://shopify.dev/docs/api/usage/bulk-operations/queries). A file of such
lines, made by :data:`ORDERS`, is taken as well.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from clv_core.collection.sources.files import Listed, RemoteFile, tls_context
from clv_core.collection.sources.saved_sources import Source, unreachable
from clv_core.errors import ClvError, Refused
from clv_core.records import JsonObject

VERSION: Final = "2025-07"
"""Of the Admin API; Shopify answers a version that it no longer has by the oldest that it has."""
POLL_SECONDS: Final = 3.0
"""Between two looks at a bulk operation, which takes minutes."""
TIMEOUT_SECONDS: Final = 4 * 3600
"""Longest that a bulk operation may take (a guess)."""
ORDERS: Final = """
{ orders(query: "%s") { edges { node {
    id name createdAt updatedAt displayFinancialStatus customer { id }
    lineItems { edges { node {
        id sku currentQuantity product { id }
        discountedUnitPriceAfterAllDiscountsSet { shopMoney { amount currencyCode } } } } } } } } }
"""
START: Final = """
mutation($query: String!) { bulkOperationRunQuery(query: $query, groupObjects: true) {
    bulkOperation { id } userErrors { message } } }
"""
STATUS: Final = "query($id: ID!) { node(id: $id) { ... on BulkOperation { status errorCode url } } }"


@contextmanager
def shopify(source: Source, token: str, since: str = "") -> Iterator[Listed]:
    """Yield one file, the line items of all orders; with ``since``, an ISO day, of those updated since."""
    if not source.where.startswith(("https://", "http://")):
        path = Path(source.where)
        if not path.is_file():
            raise Refused("source_no_folder", source=source.name, path=source.where)
        about = path.stat()
        mark = f"{about.st_size}-{about.st_mtime_ns}"
        yield Listed([RemoteFile(path.name, mark, partial(_from_file, source, path))])
        return
    yield Listed([RemoteFile("orders.jsonl", "", partial(_from_shop, source, token, since))])


def _from_file(source: Source, path: Path, target: Path) -> Path:
    with path.open(encoding="utf-8") as lines:
        return write_items(source, lines, target / "orders.jsonl")


def _from_shop(source: Source, token: str, since: str, target: Path) -> Path:
    """Run the bulk operation, wait for it, and write its line items as they come."""
    import httpx

    address = f"{source.where.rstrip('/')}/admin/api/{VERSION}/graphql.json"
    headers = {"X-Shopify-Access-Token": token}
    try:
        with httpx.Client(headers=headers, timeout=60, verify=tls_context(source)) as client:
            query = ORDERS % (f"updated_at:>={since}" if since else "")
            started = _ask(source, client.post(address, json={"query": START, "variables": {"query": query}}))
            started = started["bulkOperationRunQuery"]
            if started["userErrors"]:
                raise unreachable(source, ValueError(started["userErrors"][0]["message"]))
            operation, begun = started["bulkOperation"]["id"], time.monotonic()
            while True:
                body = {"query": STATUS, "variables": {"id": operation}}
                state = _ask(source, client.post(address, json=body))["node"]
                if state["status"] == "COMPLETED":
                    break
                if state["status"] not in ("CREATED", "RUNNING"):
                    raise unreachable(source, ValueError(f"{state['status']} {state.get('errorCode') or ''}".strip()))
                if time.monotonic() - begun > TIMEOUT_SECONDS:
                    raise ClvError("source_timeout", seconds=TIMEOUT_SECONDS)
                time.sleep(POLL_SECONDS)
            out = target / "orders.jsonl"
            if not state["url"]:  # no order matches
                out.touch()
                return out
            with httpx.stream(
                "GET", state["url"], timeout=60, verify=tls_context(source)
            ) as answer:  # without the token
                answer.raise_for_status()
                return write_items(source, answer.iter_lines(), out)
    except httpx.HTTPError as error:
        raise unreachable(source, ValueError(type(error).__name__)) from error  # its text has the signed address


def _ask(source: Source, answer: Any) -> JsonObject:
    if answer.status_code != 200:
        raise Refused("source_http", source=source.name, host=source.host, status=answer.status_code)
    body = answer.json()
    if body.get("errors"):
        raise unreachable(source, ValueError(json.dumps(body["errors"])))
    data: JsonObject = body["data"]
    return data


def write_items(source: Source, lines: Iterable[str], out: Path) -> Path:
    """Write one JSON line for each line item, with the fields of its order, and return ``out``.

    Raises:
        Refused: an item does not follow its order, or a line is not of the query :data:`ORDERS`.
    """
    order: JsonObject = {}
    with out.open("w", encoding="utf-8") as file:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                item = json.loads(line)
                if "__parentId" not in item:
                    order = item
                    continue
                if item["__parentId"] != order.get("id"):
                    raise KeyError("__parentId")
                money = item["discountedUnitPriceAfterAllDiscountsSet"]["shopMoney"]
                row = {
                    "order_id": order["name"],
                    "customer_id": (order["customer"] or {}).get("id"),
                    "event_time": order["createdAt"],
                    "updated_at": order["updatedAt"],
                    "order_status": order["displayFinancialStatus"],
                    "product_id": (item["product"] or {}).get("id") or item["sku"],
                    "quantity": item["currentQuantity"],
                    "unit_price": money["amount"],
                    "currency": money["currencyCode"],
                }
            except (ValueError, KeyError, TypeError) as error:
                raise Refused("source_shopify_line", source=source.name, line=number) from error
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return out
