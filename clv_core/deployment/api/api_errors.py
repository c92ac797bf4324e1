"""Answers that are none: every one is {code, params, message} in the language that was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from fastapi.responses import JSONResponse
from starlette.requests import Request

from clv_core.deployment.api.auth import KeysUnusable
from clv_core.deployment.api.batcher import Busy
from clv_core.deployment.api.worker import Lost
from clv_core.deployment.registry.database import Unusable
from clv_core.errors import ClvError, NotFound, Refused, UsageError
from clv_core.i18n import DEFAULT_LANGUAGE, LANGUAGES, translate

MOST_WRONG: Final = 5
"""Things that are wrong with a body that are listed."""

FAMILIES: Final = {
    "missing": "missing", "extra_forbidden": "unknown", "json_invalid": "json", "json_type": "json",
    "too_short": "short", "string_too_short": "short", "too_long": "long", "string_too_long": "long",
    "greater_than_equal": "bounds", "less_than_equal": "bounds", "finite_number": "finite",
    "string_type": "text", "float_type": "number", "float_parsing": "number", "int_type": "number",
    "bool_type": "truth", "list_type": "list", "dict_type": "object", "typed_dict_type": "object",
    "datetime_type": "time", "datetime_parsing": "time", "datetime_from_date_parsing": "time",
    "datetime_object_invalid": "time", "timezone_naive": "time",
    "date_type": "date", "date_parsing": "date", "date_from_datetime_parsing": "date",
    "date_from_datetime_inexact": "date",
}  # fmt: skip
"""Sentences for what the reader of bodies finds; others are ``other``."""


class Unauthorized(ClvError):
    """No key, or none that is known."""


class TooMany(ClvError):
    """The key's bucket is empty."""


class TooLarge(ClvError):
    """More than a request may hold."""


class WrongType(ClvError):
    """The body is no JSON."""


STATUS: Final[tuple[tuple[type[ClvError], int], ...]] = (
    (Unauthorized, 401), (NotFound, 404), (TooLarge, 413), (WrongType, 415), (UsageError, 422), (TooMany, 429),
    (Busy, 503), (Lost, 503), (Unusable, 503), (KeysUnusable, 503), (Refused, 409),
)  # fmt: skip
"""The first that fits counts; what fits none is 500."""


class BadBody(UsageError):
    """The body does not have the form that is described; its parameters say what is wrong where."""

    @classmethod
    def of(cls, found: Sequence[Mapping[str, Any]], language: str) -> BadBody:
        """Return what a validation found, in words, at most :data:`MOST_WRONG` of it; no value is repeated."""
        wrong = [
            {
                "where": ".".join(map(str, one["loc"])) or "body",
                "what": _family(one["type"]),
                "message": translate(f"service.wrong.{_family(one['type'])}", language, **_limits(one.get("ctx", {}))),
            }
            for one in found[:MOST_WRONG]
        ]
        first, others = wrong[0], len(found) - 1
        more = translate("service.wrong.more", language, others=others) if others else ""
        said = {"where": first["where"], "what": first["message"], "more": more}
        return cls("service_body", **said, others=others, wrong=wrong)


def problem(error: ClvError, language: str) -> JSONResponse:
    """Return the answer that an error becomes."""
    status = next((code for kind, code in STATUS if isinstance(error, kind)), 500)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    if status in (429, 503):
        headers["Retry-After"] = str(error.params.get("seconds", 1))
    return JSONResponse({"error": error.to_json(language)}, status, headers)


def plain_problem(code: str, status: int, language: str, **params: Any) -> JSONResponse:
    """Return the answer for what the framework refuses before any of our code sees it."""
    return JSONResponse({"error": ClvError(code, **params).to_json(language)}, status)


def language_of(request: Request) -> str:
    """Return the language of the header ``Accept-Language`` that is spoken here, by preference."""
    return _preferred(request.headers.get("accept-language", "")[:200])


@lru_cache(maxsize=256)
def _preferred(asked: str) -> str:
    weighted = []
    for part in asked.split(",")[:20]:
        tag, _, rest = part.strip().partition(";")
        try:
            weight = float(rest.strip().removeprefix("q=")) if rest else 1.0
        except ValueError:
            weight = 0.0
        weighted.append((-weight, tag.strip().lower().split("-")[0]))
    return next((tag for weight, tag in sorted(weighted) if tag in LANGUAGES and weight < 0), DEFAULT_LANGUAGE)


def _family(kind: str) -> str:
    return FAMILIES.get(kind, "other")


def _limits(context: Mapping[str, Any]) -> dict[str, Any]:
    """Return the bounds that a sentence may name, each there or empty."""
    low = context.get("ge", context.get("min_length", "-"))
    high = context.get("le", context.get("max_length", "-"))
    return {"low": low, "high": high}
