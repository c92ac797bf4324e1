"""Error responses: each is ``{"error": {code, params, message}}`` in the requested language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse

from clv_core.deployment.api.auth import KeysUnusable, TooMany, Unauthorized
from clv_core.deployment.api.batcher import Busy
from clv_core.deployment.api.workers import Lost
from clv_core.deployment.registry.database import Unusable
from clv_core.errors import ClvError, NotFound, Refused, UsageError
from clv_core.i18n import DEFAULT_LANGUAGE, LANGUAGES, translate

MAX_FAULTS: Final = 5
"""Faults of a body that are listed."""

FAULTS: Final = {
    "missing": "missing", "extra_forbidden": "unknown", "json_invalid": "json", "json_type": "json",
    "too_short": "short", "string_too_short": "short", "too_long": "long", "string_too_long": "long",
    "greater_than_equal": "bounds", "less_than_equal": "bounds", "finite_number": "finite",
    "string_type": "text", "float_type": "number", "float_parsing": "number", "int_type": "number",
    "int_parsing": "number", "bool_type": "truth", "list_type": "list", "dict_type": "object",
    "typed_dict_type": "object",
    "datetime_type": "time", "datetime_parsing": "time", "datetime_from_date_parsing": "time",
    "datetime_object_invalid": "time", "timezone_naive": "time",
    "date_type": "date", "date_parsing": "date", "date_from_datetime_parsing": "date",
    "date_from_datetime_inexact": "date",
}  # fmt: skip
"""pydantic's error types to catalogue keys ``service.wrong.<key>``; others are ``other``."""


class TooLarge(ClvError):
    """More than a request may hold."""


class WrongType(ClvError):
    """The body is no JSON, or it is compressed."""


STATUS: Final[tuple[tuple[type[ClvError], int], ...]] = (
    (Unauthorized, 401), (NotFound, 404), (TooLarge, 413), (WrongType, 415), (UsageError, 422), (TooMany, 429),
    (Busy, 503), (Lost, 503), (Unusable, 503), (KeysUnusable, 503), (Refused, 409),
)  # fmt: skip
"""HTTP status by class of error; the first match counts, without one it is 500."""


class BadBody(UsageError):
    """The body does not match the schema; its parameters list each fault and its place."""

    @classmethod
    def of(cls, faults: Sequence[Mapping[str, Any]], language: str) -> BadBody:
        """Return the error for pydantic's faults, at most :data:`MAX_FAULTS` of them; no value is repeated."""
        wrong = [
            {
                "where": ".".join(map(str, fault["loc"])) or "body",
                "what": FAULTS.get(fault["type"], "other"),
                "message": _fault_text(fault, language),
            }
            for fault in faults[:MAX_FAULTS]
        ]
        first, other_count = wrong[0], len(faults) - 1
        more = translate("service.wrong.more", language, others=other_count) if other_count else ""
        return cls(
            "service_body", where=first["where"], what=first["message"], more=more, others=other_count, wrong=wrong
        )


def _fault_text(fault: Mapping[str, Any], language: str) -> str:
    context = fault.get("ctx", {})
    low = context.get("ge", context.get("min_length", "-"))
    high = context.get("le", context.get("max_length", "-"))
    return translate(f"service.wrong.{FAULTS.get(fault['type'], 'other')}", language, low=low, high=high)


def error_response(error: ClvError, language: str, status: int | None = None) -> JSONResponse:
    """Return the response for an error; None looks its status up in :data:`STATUS`."""
    status = status or next((code for kind, code in STATUS if isinstance(error, kind)), 500)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    if status in (429, 503):
        headers["Retry-After"] = str(error.params.get("seconds", 1))
    return JSONResponse({"error": error.to_json(language)}, status, headers)


def language_of(request: Request) -> str:
    """Return the supported language that the header ``Accept-Language`` prefers."""
    return _preferred(request.headers.get("accept-language", "")[:200])


@lru_cache(maxsize=256)
def _preferred(header: str) -> str:
    weighted = []
    for part in header.split(",")[:20]:
        tag, _, rest = part.strip().partition(";")
        try:
            weight = float(rest.strip().removeprefix("q=")) if rest else 1.0
        except ValueError:
            weight = 0.0
        weighted.append((-weight, tag.strip().lower().split("-")[0]))
    return next((tag for weight, tag in sorted(weighted) if tag in LANGUAGES and weight < 0), DEFAULT_LANGUAGE)
