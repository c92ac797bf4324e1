"""The OpenAPI document, and a page made of it that loads nothing from anywhere."""

from __future__ import annotations

from html import escape
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from clv_core.deployment.api.schemas import REQUEST, Problems
from clv_core.i18n import translate

REFERENCE: Final = "#/components/schemas/{model}"
SECURED: Final[dict[str, Any]] = {"security": [{"bearer": []}, {"key": []}]}
SCHEMES: Final = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
MEANINGS: Final = {
    401: "No key, or one that is not known", 404: "No such model or customer", 409: "The model cannot be used",
    413: "More than a request may hold", 415: "The body is no JSON, or it is packed",
    422: "The request does not have this form", 429: "The key was used too often", 503: "Too many customers wait",
}  # fmt: skip


def problems(*codes: int) -> dict[int | str, dict[str, Any]]:
    """Return the answers that are none, as routes describe them."""
    return {code: {"model": Problems, "description": MEANINGS[code]} for code in codes}


def document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of a service, made once."""
    if not app.openapi_schema:
        said = get_openapi(title=app.title, version=app.version, routes=app.routes)
        schemas = said["components"]["schemas"]
        schema = REQUEST.json_schema(ref_template=REFERENCE)
        schemas |= schema.pop("$defs")
        schemas["ScoreRequest"] = schema
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        said["components"]["securitySchemes"] = SCHEMES
        app.openapi_schema = said
    return app.openapi_schema


def page(said: dict[str, Any], language: str, call: str) -> str:
    """Return a page that lists what can be asked for.

    Args:
        said: the OpenAPI document.
        language: of the page.
        call: of :func:`~clv_core.deployment.api.call.example`.
    """
    routes = []
    for path, methods in said["paths"].items():
        for method, about in methods.items():
            answers = "".join(
                f"<li><code>{escape(code)}</code> {escape(answer['description'])}</li>"
                for code, answer in about["responses"].items()
            )
            words = escape(about.get("description", "")).replace("\n\n", "<br>")
            routes.append(
                f"<section><h2><code>{method.upper()} {escape(path)}</code></h2>"
                f"<p>{escape(about['summary'])}. {words}</p><ul>{answers}</ul></section>"
            )
    title, lead = translate("service.page.title", language), translate("service.page.lead", language)
    shown = f"<p>{escape(translate('service.page.example', language))}</p><pre>{escape(call)}</pre>"
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width">'
        "<style>pre { white-space: pre-wrap; overflow-wrap: anywhere }</style></head>"
        '<body style="font-family: sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem">'
        f'<h1>{escape(title)}</h1><p>{escape(lead)} <a href="openapi.json">openapi.json</a></p>{shown}{"".join(routes)}'
        "</body></html>"
    )
