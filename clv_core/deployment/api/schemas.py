"""Schemas of requests and answers, which the OpenAPI document is made of, and an example call; no web server is loaded.

Requests are typed dictionaries: pydantic builds no object for each event. Names and docstrings are in the document.
"""

from __future__ import annotations

import json
import shlex
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal, NotRequired

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, TypeAdapter, WithJsonSchema, with_config
from pydantic_core import CoreSchema, core_schema
from typing_extensions import TypedDict

from clv_core.evaluation import METRICS
from clv_core.i18n import translate
from clv_core.records import JsonObject

STRICT: Final = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
MAX_NUMBER: Final = 1e9
"""Of amounts, prices and quantities of one event. A guess: above any order line, and far below what float32 holds."""

MAX_DAYS: Final = 365
"""How far ahead a forecast may be asked for, whatever the model's horizon: as far as every forecast goes."""
LEAST_WEEKS, MOST_WEEKS = 4, 13
"""How far ahead demand may be asked for: as far as it goes, and no less than it was tested on."""
MAX_PRODUCTS: Final = 1000
"""Products of an answer. A guess: its 13,000 rows at most are 4 MB."""
MAX_SHARE: Final = 100.0
"""Of the new customers of a what-if. A guess: far above any campaign."""

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
    order_id: NotRequired[Annotated[Text, Field(description="Lines of one order share it.")]]
    product_id: NotRequired[Annotated[Text, Field(description="What was bought or viewed.")]]
    category: NotRequired[Annotated[Text, Field(description="The product's, as the log names it.")]]
    quantity: NotRequired[Annotated[Number, Field(description="Units of the line; negative: a return.")]]
    unit_price: NotRequired[Annotated[Number, Field(description="Price of one unit, before the discount.")]]
    discount: NotRequired[Annotated[Number, Field(description="Money taken off the line.")]]
    rating: NotRequired[Annotated[Annotated[float, Field(ge=0, le=100)] | None, Field(description="Of a product.")]]
    review_text: NotRequired[
        Annotated[Annotated[str, Field(max_length=10_000)] | None, Field(description="Words of a review.")]
    ]
    channel: NotRequired[Annotated[Text, Field(description="Where it was bought, as the log names it.")]]
    country: NotRequired[Annotated[Text, Field(description="Of the customer, as the log names it.")]]
    session_id: NotRequired[Annotated[Text, Field(description="Events of one visit share it.")]]


@with_config(STRICT)
class Customer(TypedDict):
    """A customer and her events, in any order; those at or after as_of are not read."""

    customer_id: Annotated[str, Field(min_length=1, max_length=200, description="It is repeated in the answer.")]
    events: Annotated[list[Event], Field(max_length=100_000, description="Her complete history.")]
    attributes: NotRequired[
        Annotated[
            dict[Annotated[str, Field(max_length=200)], Attribute],
            Field(max_length=200, description="Columns of the customers table that the model learned from, by name."),
        ]
    ]


@with_config(STRICT)
class ScoreRequest(TypedDict):
    """Who is to be scored."""

    customers: Annotated[
        list[Customer], Field(min_length=1, max_length=100_000, description="At most 20 where reasons are wanted.")
    ]
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


EXAMPLE_REASON: Final[JsonObject] = {
    "code": "small_sample",
    "params": {"buyers": 214, "customers": 1500, "origin": "2024-03-01", "horizon": 90},
    "message": "Only 214 customers bought in the test.",
}
EXAMPLE_TRUST: Final[JsonObject] = {"verdict": "caution", "reasons": [EXAMPLE_REASON]}
EXAMPLE_FIGURES: Final[JsonObject] = {
    "p_purchase": 0.62, "predicted_clv": 41.7, "clv_p10": 0.0, "clv_p50": 28.5, "clv_p90": 103.2,
}  # fmt: skip
EXAMPLE_SUMS: Final[JsonObject] = {
    "first": "2024-06-24", "until": "2024-07-01", "known": 812.4, "known_low": 700.1, "known_high": 930.8, "won": 190.6,
    "won_low": 120.0, "won_high": 270.3, "total": 1003.0, "low": 850.2, "high": 1170.9, "customers": 4.2,
}  # fmt: skip
EXAMPLE_DEMAND: Final[JsonObject] = {
    "product_id": "P130", "name": "Moka pot", "state": "", "category": "Coffee", "week": 1, "first": "2024-06-24",
    "until": "2024-07-01", "expected": 6.1, "low": 2.0, "high": 11.0, "returns": 0.7, "net": 5.4, "revenue": 75.01,
}  # fmt: skip
EXAMPLE_MODEL: Final = "orders-hybrid-0123456789ab"
EXAMPLE_ERROR: Final[JsonObject] = {
    "code": "no_model",
    "params": {"model": "odrers", "known": "orders"},
    "message": "There is no model odrers. There are: orders.",
}


class _Answer(BaseModel):
    """An object that has no other fields than those that are named."""

    model_config = ConfigDict(extra="forbid")


class Problem(_Answer):
    """What is wrong, for programs and, in the language of Accept-Language, for people."""

    code: str = Field(description="Never changes its meaning.")
    params: JsonObject = Field(description="Values in the sentence; which there are depends on the code.")
    message: str = Field(description="The sentence.")


class Problems(_Answer):
    """An answer that is none."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"error": EXAMPLE_ERROR}]})

    error: Problem


class TrustReason(Problem):
    """Why a model has its verdict, in the language of Accept-Language."""


class Verdict(_Answer):
    """Whether a model's predictions may be relied on, by what it was tested on until today."""

    verdict: Literal["trusted", "caution", "not_trusted"] = Field(
        description="not_trusted: do not act on it; caution: read the reasons first."
    )
    reasons: list[TrustReason] = Field(description="The strongest first.")


class Reason(_Answer):
    """What a group of features adds to the prediction, compared with the average customer."""

    part: str = Field(description="The group; `rest` is the sum of the weaker ones.")
    label: str = Field(description="Its name, in the language of Accept-Language.")
    value: float = Field(description="Money that it adds; negative: takes off.")


CustomerId = Annotated[str, Field(description="As it was sent, or as the log has it.")]
Chance = Annotated[float, Field(ge=0, le=1, description="Chance of a net value above 0 in the horizon.")]
Clv = Annotated[float, Field(description="Expected net value in the horizon (the mean).")]
Low = Annotated[float, Field(description="The 80% interval runs from clv_p10 to clv_p90.")]
Median = Annotated[float, Field(description="Median.")]
High = Annotated[float, Field(description="Upper end of the 80% interval.")]
Name = Annotated[str, Field(description="Of the model in the registry: by default its dataset's.")]
VersionNumber = Annotated[int, Field(description="Of the version: 1, 2, ... of its name.")]
ModelId = Annotated[str, Field(description="Id of the model.")]
HorizonDays = Annotated[int, Field(description="Days that are predicted, from as_of on.")]
CurrencyName = Annotated[str, Field(description="Of all money in the answer; empty where the log's has no name.")]
Cutoff = Annotated[
    date | None,
    Field(description="First day that the model has not learned from; null where it learned nothing from a log."),
]
SinceCutoff = Annotated[
    int | None,
    Field(description="Days from cutoff to as_of: how old the model was; negative where it had seen later days."),
]


class Prediction(_Answer):
    """A customer's value in the horizon, or why there is none; money in the log's currency."""

    customer_id: CustomerId
    events: int = Field(description="How many of her events count.")
    p_purchase: Chance | None = None
    predicted_clv: Clv | None = None
    clv_p10: Low | None = None
    clv_p50: Median | None = None
    clv_p90: High | None = None
    base: float | None = Field(None, description="Where the reasons start from: base + their sum is predicted_clv.")
    reasons: list[Reason] | None = Field(None, description="Where they were wanted: the strongest, then the rest.")
    error: Problem | None = Field(None, description="Why there is no prediction.")


class ScoreAnswer(_Answer):
    """Predictions in the order of the customers that were sent."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "orders",
                    "version": 3,
                    "model": EXAMPLE_MODEL,
                    "as_of": "2024-06-24",
                    "cutoff": "2024-05-30",
                    "days_since_cutoff": 25,
                    "horizon_days": 90,
                    "currency": "EUR",
                    "trust": EXAMPLE_TRUST,
                    "warnings": [],
                    "predictions": [{"customer_id": "c1", "events": 2, **EXAMPLE_FIGURES}],
                }
            ]
        }
    )

    name: Name
    version: VersionNumber | None
    model: ModelId
    as_of: date = Field(description="Midnight before which events count.")
    cutoff: Cutoff
    days_since_cutoff: SinceCutoff
    horizon_days: HorizonDays
    currency: CurrencyName
    trust: Verdict = Field(description="Today's verdict on the model.")
    warnings: list[Problem] = Field(description="What to know of these predictions, such as a model that is too old.")
    predictions: list[Prediction] = Field(description="One for each customer that was sent.")


class ScoreTerms(_Answer):
    """What the values of a batch are."""

    horizon_days: HorizonDays
    discount_rate: float = Field(description="Yearly rate at which later value is discounted; 0.1 is 10%.")
    margin_rate: float = Field(description="Share of net value that is margin; 1: the values are revenue.")
    lifetime: bool = Field(description="Whether the horizon is the years of a lifetime.")


class KeptPrediction(_Answer):
    """The latest batch prediction of a customer."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "customer_id": "c1",
                    "as_of": "2024-06-24",
                    "horizon_days": 90,
                    **EXAMPLE_FIGURES,
                    "model": EXAMPLE_MODEL,
                    "name": "orders",
                    "currency": "EUR",
                    "terms": {"horizon_days": 90, "discount_rate": 0.0, "margin_rate": 1.0, "lifetime": False},
                    "cutoff": "2024-05-30",
                    "days_since_cutoff": 25,
                    "days_since_as_of": 7,
                    "trust": EXAMPLE_TRUST,
                    "warnings": [],
                }
            ]
        }
    )

    customer_id: CustomerId
    as_of: date = Field(description="Midnight before which events counted.")
    horizon_days: HorizonDays
    p_purchase: Chance
    predicted_clv: Clv
    clv_p10: Low
    clv_p50: Median
    clv_p90: High
    model: ModelId
    name: Name
    currency: CurrencyName
    terms: ScoreTerms = Field(description="Horizon, discount and margin of the values.")
    cutoff: Cutoff
    days_since_cutoff: SinceCutoff
    days_since_as_of: int = Field(description="Days from as_of until today, in the log's time zone: age of the scores.")
    trust: Verdict = Field(description="Today's verdict on the model.")
    warnings: list[Problem] = Field(description="What to know of these scores, such as that their horizon is over.")


ForecastUnit = Literal["day", "week", "month"]
RangeEnd = Annotated[float | None, Field(description="End of the 80% range; null where no past sums were tested.")]


class ForecastSums(_Answer):
    """Expected revenue of a span in two parts that add up, each with its 80% range."""

    first: date = Field(description="First day.")
    until: date = Field(description="The day after the last.")
    known: float = Field(description="Of customers known at as_of.")
    known_low: RangeEnd
    known_high: RangeEnd
    won: float = Field(description="Of customers still to be won.")
    won_low: RangeEnd
    won_high: RangeEnd
    total: float = Field(description="Of both.")
    low: RangeEnd
    high: RangeEnd
    customers: float = Field(description="How many new customers are expected.")


class ForecastTest(_Answer):
    """The forecast as of a past date, made from what lies before it, and what came."""

    cutoff: date = Field(description="The past date.")
    days: int = Field(description="Length of the span.")
    known: float = Field(description="Expected of customers known by then.")
    won: float = Field(description="Expected of customers still to be won.")
    buyers: float = Field(description="How many of the known were expected to buy.")
    by: str = Field(description="What gave the total: parts, or the simple forecast that was closer before.")
    known_actual: float = Field(description="What the known brought.")
    won_actual: float = Field(description="What the others brought.")
    actual: float = Field(description="What came in all.")
    low: RangeEnd
    high: RangeEnd
    errors: dict[str, float] = Field(description="Sum of absolute weekly errors by method: parts and simple forecasts.")
    wape: float | None = Field(description="Weekly errors as a share of what came; null where nothing came.")
    weeks: list[float] = Field(description="Actual revenue of each week; the last may be shorter.")
    expected: list[float] = Field(description="Expected revenue of each week.")


class _FoundAnswer(_Answer):
    """What is saved of a log's end, with what it has to be read with."""

    name: Name
    version: VersionNumber
    model: ModelId
    as_of: date = Field(description="First day that is forecast: the log's end.")
    cutoff: Cutoff
    days_since_cutoff: SinceCutoff
    days_since_as_of: int = Field(description="Days from as_of until today, in the log's time zone.")
    currency: CurrencyName
    notes: list[Problem] = Field(description="How it was tested, what was left out or assumed: say it too.")
    trust: Verdict = Field(description="Today's verdict on the model.")
    warnings: list[Problem] = Field(description="What to know of it, such as that its days are over.")


class RevenueForecast(_FoundAnswer):
    """Revenue expected from as_of on: neither discounted nor margin."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "orders",
                    "version": 3,
                    "model": EXAMPLE_MODEL,
                    "as_of": "2024-06-24",
                    "cutoff": "2024-05-30",
                    "days_since_cutoff": 25,
                    "days_since_as_of": 7,
                    "horizon_days": 90,
                    "currency": "EUR",
                    "by": "parts",
                    "sum": EXAMPLE_SUMS,
                    "unit": "month",
                    "periods": [EXAMPLE_SUMS],
                    "tests": [],
                    "notes": [],
                    "trust": EXAMPLE_TRUST,
                    "warnings": [],
                }
            ]
        }
    )

    horizon_days: HorizonDays
    by: str = Field(description="What gives the total: parts, or the simple forecast that was closer on past dates.")
    sum: ForecastSums = Field(description="Of all days asked for.")
    unit: ForecastUnit = Field(description="Of the periods.")
    periods: list[ForecastSums] = Field(description="The same by period; the first and the last may be shorter.")
    tests: list[ForecastTest] = Field(description="Forecasts as of past dates, the earliest first.")


DemandRows = Literal["product", "category"]
OfProduct = Annotated[str | None, Field(description="Of a product; null in rows of categories.")]


class DemandRow(_Answer):
    """What is expected of a product or a category in one week."""

    product_id: OfProduct
    name: OfProduct
    state: str | None = Field(description="Of a product: new, fading (may have ended) or empty; null of a category.")
    category: str = Field(description="Empty where the log names none.")
    week: int = Field(description="From 1.")
    first: date = Field(description="First day.")
    until: date = Field(description="The day after the last.")
    expected: float = Field(description="Pieces that are sold.")
    low: float = Field(description="End of their 80% range.")
    high: float = Field(description="End of their 80% range.")
    returns: float = Field(description="Of the expected pieces, those that come back.")
    net: float = Field(description="Expected pieces less returns.")
    revenue: float = Field(description="Net revenue.")


class DemandOfPast(_Answer):
    """Demand as of a past date, made from what lies before it, and what came."""

    cutoff: date = Field(description="The past date.")
    weeks: int = Field(description="Length of the span.")
    units: float = Field(description="Pieces that came.")
    value: float = Field(description="The same, each weighed by what a piece of its product usually brings.")
    errors: dict[str, float] = Field(description="Sum of products' absolute errors by method, weighed as value.")
    shown_error: float = Field(description="The same of what was shown then.")
    error: float | None = Field(description="shown_error as a share of value; null where nothing came.")
    inside: int = Field(description="Of products that sold weekly, how many came within their 80% range.")
    ranged: int = Field(description="Of how many.")


class ProductDemand(_FoundAnswer):
    """Pieces and net revenue expected of products from as_of on."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "orders",
                    "version": 3,
                    "model": EXAMPLE_MODEL,
                    "as_of": "2024-06-24",
                    "cutoff": "2024-05-30",
                    "days_since_cutoff": 25,
                    "days_since_as_of": 7,
                    "currency": "EUR",
                    "weeks": 4,
                    "by": "product",
                    "method": "parts",
                    "products": 144,
                    "units": 1598.8,
                    "revenue": 87465.28,
                    "rows": [EXAMPLE_DEMAND],
                    "tests": [],
                    "notes": [],
                    "trust": EXAMPLE_TRUST,
                    "warnings": [],
                }
            ]
        }
    )

    weeks: int = Field(description="How far ahead.")
    by: DemandRows = Field(description="What has rows.")
    method: str = Field(
        description="What gives the sums of categories: parts (customers' purchases), or the simple method that was"
        " closer on past dates."
    )
    products: int = Field(description="How many have a forecast.")
    units: float = Field(description="Pieces of all products in all weeks.")
    revenue: float = Field(description="Net revenue of these.")
    rows: list[DemandRow] = Field(
        description="One for each product or category and week; those that sell too rarely are in their category alone."
    )
    tests: list[DemandOfPast] = Field(description="Demand as of past dates, the earliest first.")


class TrainedOn(_Answer):
    """The version of a dataset that a model was trained on."""

    name: str = Field(description="Of the dataset.")
    version: str = Field(description="Content hash of its version.")


class TrainingCost(_Answer):
    """What training took."""

    seconds: float = Field(description="Wall time.")
    memory_mb: float = Field(description="Largest memory of the process and its workers together.")


MEASURED: Final[JsonObject] = {
    "type": "object",
    "description": "What was measured of it on the last horizon of the log, which it had not seen, by metric; empty"
    " where the log was too short. A metric that does not exist there (an AUC without buyers) is left out.",
    "properties": {
        name: {"type": "number", "description": f"{translate(f'metric.{name}')}. {translate(f'metric.{name}.meaning')}"}
        for name in METRICS
    },
    "additionalProperties": False,
}


class ModelVersion(_Answer):
    """A version of a model in the registry."""

    name: Name
    version: VersionNumber
    model: ModelId
    role: Literal["champion", "challenger", ""] = Field(description="The champion answers; a challenger is compared.")
    archived: bool = Field(description="Whether it is no longer offered.")
    kind: str = Field(description="How it predicts: `hybrid`, `bgnbd`, ...")
    digest: str = Field(
        pattern="^[0-9a-f]{64}$",
        description="SHA-256 of its settings, data and files: equal digests are the same model.",
    )
    source: Literal["trained", "imported", "found"] = Field(
        description="Trained here, imported from an archive, or found on disk."
    )
    registered: str = Field(description="When it came into the registry, ISO time in UTC.")
    created: str = Field(description="When it was trained, ISO time in UTC.")
    dataset: TrainedOn
    cutoff: date = Field(description="First day that it has not learned from.")
    horizon_days: HorizonDays
    currency: CurrencyName
    trust: Literal["trusted", "caution", "not_trusted"] = Field(description="Today's verdict on it.")
    reasons: list[TrustReason] = Field(description="Of the verdict, the strongest first.")
    metrics: Annotated[dict[str, float], WithJsonSchema(MEASURED)]
    cost: TrainingCost


class ModelList(_Answer):
    """All versions, the newest of each name first."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "serving": EXAMPLE_MODEL,
                    "models": [
                        {
                            "name": "orders",
                            "version": 3,
                            "model": EXAMPLE_MODEL,
                            "role": "champion",
                            "archived": False,
                            "kind": "hybrid",
                            "digest": "0123456789ab" + 52 * "0",
                            "source": "trained",
                            "registered": "2024-05-30T08:00:00+00:00",
                            "created": "2024-05-30T07:58:00+00:00",
                            "dataset": {"name": "orders", "version": "a1b2c3d4e5f6"},
                            "cutoff": "2024-05-30",
                            "horizon_days": 90,
                            "currency": "EUR",
                            "trust": "caution",
                            "reasons": [EXAMPLE_REASON],
                            "metrics": {"gini": 0.61, "bias": -0.04, "auc": 0.83},
                            "cost": {"seconds": 41.5, "memory_mb": 900.0},
                        }
                    ],
                }
            ]
        }
    )

    serving: str | None = Field(description="Id of the model that answers where a request names none.")
    models: list[ModelVersion] = Field(description="The versions.")


class Health(_Answer):
    """Whether the service answers, and whether a model is ready."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "ok", "ready": True, "version": 3}]})

    status: Literal["ok"] = Field(description="It answers.")
    ready: bool = Field(description="Whether a model is in memory.")
    version: int | None = Field(description="Its number, null before there is one.")


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
