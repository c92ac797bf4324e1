"""Schemas of requests and answers, which the OpenAPI document is made of, and an example call; no web server is loaded.

Requests are typed dictionaries: pydantic builds no object for each event. Names and docstrings are in the document.
"""

from __future__ import annotations

import json
import shlex
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal, NotRequired

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, TypeAdapter, with_config
from pydantic_core import CoreSchema, core_schema
from typing_extensions import TypedDict

from clv_core.records import JsonObject

STRICT: Final = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
MAX_NUMBER: Final = 1e9

Text = Annotated[str, Field(max_length=200)] | None
Number = Annotated[float, Field(ge=-MAX_NUMBER, le=MAX_NUMBER)] | None
Attribute = Annotated[float, Field(ge=-1e300, le=1e300)] | Annotated[str, Field(max_length=200)] | None


class _OneFault:
    """Reports a value that fits no member of a union as one fault, not one for each member."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.custom_error_schema(handler(source), custom_error_type="datetime_type")


Moment = Annotated[datetime | date, Field(union_mode="left_to_right"), _OneFault()]


@with_config(STRICT)
class Event(TypedDict):
    """One timed action. Unknown fields are left out or null."""

    event_time: Annotated[
        Moment,
        Field(
            description="ISO 8601; without an offset it is the time of the log's time zone, a date alone its midnight."
        ),
    ]
    event_type: NotRequired[
        Annotated[
            Text, Field(description="view, cart, purchase, return, rating, review or another; default: purchase.")
        ]
    ]
    amount: NotRequired[
        Annotated[
            Number,
            Field(
                description="Net value of the line; else quantity x unit_price - discount. Without either, an event"
                " of type purchase counts as behaviour alone; one without a type, or a return, does not count. Who"
                " has nothing but such purchases has an error."
            ),
        ]
    ]
    order_id: NotRequired[Text]
    product_id: NotRequired[Text]
    category: NotRequired[Text]
    quantity: NotRequired[Number]
    unit_price: NotRequired[Number]
    discount: NotRequired[Number]
    rating: NotRequired[Annotated[float, Field(ge=0, le=100)] | None]
    review_text: NotRequired[Annotated[str, Field(max_length=10_000)] | None]
    channel: NotRequired[Text]
    country: NotRequired[Text]
    session_id: NotRequired[Text]


@with_config(STRICT)
class Customer(TypedDict):
    """A customer and her events, in any order; those at or after as_of are not read."""

    customer_id: Annotated[str, Field(min_length=1, max_length=200)]
    events: Annotated[list[Event], Field(max_length=100_000)]
    attributes: NotRequired[
        Annotated[
            dict[Annotated[str, Field(max_length=200)], Attribute],
            Field(max_length=200, description="Columns of the customers table that the model learned from, by name."),
        ]
    ]


@with_config(STRICT)
class ScoreRequest(TypedDict):
    """Who is to be scored."""

    customers: Annotated[list[Customer], Field(min_length=1, max_length=100_000)]
    model: NotRequired[
        Annotated[
            Annotated[str, Field(min_length=1, max_length=200)] | None,
            Field(description="A name of the registry (its champion answers) or a model's id; else the service's own."),
        ]
    ]
    as_of: NotRequired[
        Annotated[date | None, Field(description="Midnight before which events count; else the one after now.")]
    ]
    reasons: NotRequired[Annotated[bool, Field(description="Whether the strongest reasons are wanted; far slower.")]]


class Problem(BaseModel):
    """What is wrong, for programs and, in the language of Accept-Language, for people."""

    code: str
    params: JsonObject
    message: str


class Problems(BaseModel):
    """An answer that is none."""

    error: Problem


class Reason(BaseModel):
    """What a group of features adds to the prediction, compared with the average customer."""

    part: str
    label: str
    value: float


class Prediction(BaseModel):
    """A customer's value in the horizon, or why there is none; money in the log's currency."""

    customer_id: str
    events: int = Field(description="How many of her events count.")
    p_purchase: float | None = Field(None, ge=0, le=1, description="Chance of a net value above 0 in the horizon.")
    predicted_clv: float | None = Field(None, description="Expected net value in the horizon (the mean).")
    clv_p10: float | None = Field(None, description="The 80% interval runs from clv_p10 to clv_p90.")
    clv_p50: float | None = Field(None, description="Median.")
    clv_p90: float | None = None
    base: float | None = Field(None, description="Where the reasons start from: base + their sum is predicted_clv.")
    reasons: list[Reason] | None = None
    error: Problem | None = None


class ScoreAnswer(BaseModel):
    """Predictions in the order of the customers that were sent."""

    name: str
    version: int | None
    model: str
    as_of: date
    horizon_days: int
    currency: str
    predictions: list[Prediction]
    warnings: list[Problem]


class KeptPrediction(BaseModel):
    """The latest batch prediction of a customer."""

    customer_id: str
    as_of: date
    horizon_days: int
    p_purchase: float
    predicted_clv: float
    clv_p10: float
    clv_p50: float
    clv_p90: float
    model: str
    name: str
    currency: str


class ModelVersion(BaseModel):
    """A version of a model in the registry."""

    model_config = ConfigDict(extra="allow")

    name: str
    version: int
    model: str
    role: Literal["champion", "challenger", ""]
    archived: bool
    kind: str
    cutoff: date
    horizon_days: int
    currency: str
    trust: str


class ModelList(BaseModel):
    """All versions, the newest of each name first."""

    serving: str | None
    models: list[ModelVersion]


class Health(BaseModel):
    """Whether the service answers, and whether a model is ready."""

    status: Literal["ok"]
    ready: bool
    version: int | None


REQUEST: Final[TypeAdapter[ScoreRequest]] = TypeAdapter(ScoreRequest)

EXAMPLE_REQUEST: Final[JsonObject] = {
    "customers": [
        {
            "customer_id": "c1",
            "events": [
                {"event_time": "2024-05-02T10:00:00Z", "event_type": "purchase", "amount": 49.9},
                {"event_time": "2024-05-20T18:30:00Z", "event_type": "view"},
            ],
        }
    ]
}


def example_call(base: str, *, secured: bool) -> str:
    """Return a shell command that scores :data:`EXAMPLE_REQUEST`.

    Args:
        base: URL of the service, ending with a slash.
        secured: whether a key is required.
    """
    words = ["curl", f"{base}v1/score", *(["-H", "Authorization: Bearer KEY"] if secured else [])]
    words += ["-H", "Content-Type: application/json", "-d", json.dumps(EXAMPLE_REQUEST)]
    return shlex.join(words)
