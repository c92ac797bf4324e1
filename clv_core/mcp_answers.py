"""What the tools of the MCP server take and answer; descriptions are in the schemas that agents read."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from clv_core.records import JsonObject

MAX_CUSTOMERS: Final = 200
"""That one answer lists. A guess: about as many rows as an agent reads without losing the question."""
MAX_PRODUCTS: Final = 500
"""That one answer lists, each with its weeks. A guess: an agent that looks for one product finds it among them."""
MAX_OFFERS: Final = 12
"""Of one preview. A guess."""

DatasetName = Annotated[str, Field(description="Name of a dataset, of list_datasets.")]
ModelReference = Annotated[
    str,
    Field(
        description="Which model: an id of list_models, or champion or challenger, the dataset's current or candidate"
        " model."
    ),
]
Scheme = Annotated[
    str,
    Field(
        description="How customers are cut: quantile (four value tiers), share:50,80,95 (of the value),"
        " thresholds:500,100 (of money), quadrant, rfm, clusters:5, or rules:NAME, the shop's own."
    ),
]
CostOfOffer = Annotated[
    float | None,
    Field(description="Cost of an offer for each customer it is paid for; adds break_even_uplift to each segment."),
]
PaidFor = Annotated[
    str, Field(description="For whom the offer is paid: everyone who gets it, or buyers alone (a voucher).")
]
MarginRate = Annotated[
    float, Field(description="Share of predicted value that is margin, above 0 to 1; for the break-even alone.")
]
CustomerId = Annotated[str, Field(description="Id of a customer, as in the log.")]
Listed = Annotated[
    int,
    Field(
        description="How many customers; a number outside these limits counts as the nearer of them, and a warning says"
        " so.",
        json_schema_extra={"minimum": 1, "maximum": MAX_CUSTOMERS},
    ),
]
Contacts = Annotated[
    bool, Field(description="Whether the contact fields of the customers table, such as e-mail, are included.")
]
Budget = Annotated[
    float, Field(description="Money to spend, in the answer's currency.", json_schema_extra={"minimum": 0})
]
Offers = Annotated[
    list[str],
    Field(
        description="Each as name=Voucher,cost=2,effect=5%: what it costs for one customer, and what it adds to her"
        " predicted value, as a share or in money. An effect is assumed until an experiment measures it. Also"
        " capacity=500 (customers) and tiers=1+2.",
        json_schema_extra={"minItems": 1, "maxItems": MAX_OFFERS},
    ),
]
ForecastDays = Annotated[
    int | None,
    Field(description="How many days ahead, up to a year or the model's horizon; left out: the horizon."),
]
ForecastUnit = Annotated[str, Field(description="Of its periods: day, week (from as_of on) or calendar month.")]
DemandWeeks = Annotated[
    int, Field(description="How many weeks ahead.", json_schema_extra={"minimum": 4, "maximum": 13})
]
DemandRows = Annotated[str, Field(description="What has a row for each week: product or category.")]
MostProducts = Annotated[
    int,
    Field(
        description="How many products or categories, those of the highest expected revenue first.",
        json_schema_extra={"minimum": 1, "maximum": MAX_PRODUCTS},
    ),
]
NewCustomers = Annotated[
    float | None,
    Field(
        description="What if: as many new customers as in the last four weeks, times this share (1.2: a fifth more);"
        " left out: the log's own trend."
    ),
]
Verdict = Literal["trusted", "caution", "not_trusted"]
Rows = list[JsonObject]


class Closed(BaseModel):
    """An answer that has no other fields than those that are named."""

    model_config = ConfigDict(extra="forbid")


class AboutModel(Closed):
    """What every figure of a model has to be read with."""

    model: str = Field(description="Id of the model.")
    cutoff: str = Field(description="First day that the model has not learned from.")
    horizon_days: int = Field(description="Days that are predicted, from as_of on.")
    currency: str = Field(description="Of all money in the answer; empty where the log's has no name.")
    verdict: Verdict = Field(description="Today's verdict on the model: say it with every figure.")
    verdict_reason: str = Field(description="The strongest reason for it; trust_verdict has them all.")
    warnings: list[str] = Field(
        description="What to know of this answer: a model or predictions that are too old, columns that are missing,"
        " a list that was cut."
    )


SINCE_CUTOFF: Final = (
    "Days from cutoff to as_of: how old the model was. Negative where it had seen later days; null where it learned"
    " nothing from the log."
)
AS_OF: Final = "Predictions are as of this midnight: the end of the log."
SINCE_AS_OF: Final = (
    "Days from as_of until today, in the log's time zone: how old the predictions are. Beyond horizon_days, all that"
    " was predicted has passed."
)


class Answer(AboutModel):
    """What every figure of a model in its dataset has to be read with."""

    days_since_cutoff: int | None = Field(description=SINCE_CUTOFF)
    as_of: str = Field(description=AS_OF)
    days_since_as_of: int = Field(description=SINCE_AS_OF)


class DatasetFacts(Closed):
    """A dataset, and its current model."""

    name: str = Field(description="The dataset's name.")
    version: str = Field(description="Content hash of its current version.")
    customers: int = Field(description="Customers with any event.")
    orders: int | None = Field(description="Orders; null where an early version did not count them.")
    lines: int = Field(description="Purchase rows.")
    net_revenue: float = Field(description="Purchases less returns.")
    currency: str = Field(description="Of its money; empty where it has no name.")
    log_start: str = Field(description="Day of the first event.")
    log_end: str = Field(description="First midnight after the last event.")
    as_of: str = Field(description="Predictions are as of this midnight: log_end.")
    days_since_as_of: int = Field(description="Days from as_of until today: how old its data are.")
    model: str | None = Field(description="Id of its current model (champion); null where there is none.")
    cutoff: str | None = Field(description="First day that this model has not learned from.")
    verdict: Verdict | None = Field(description="Today's verdict on it.")


class ModelFacts(AboutModel):
    """A model; its age is null where its dataset is not here."""

    days_since_cutoff: int | None = Field(None, description=SINCE_CUTOFF)
    as_of: str | None = Field(None, description=AS_OF)
    days_since_as_of: int | None = Field(None, description=SINCE_AS_OF)
    dataset: str = Field(description="What it was trained on.")
    kind: str = Field(description="How it predicts: hybrid, bgnbd, ...")
    role: Literal["champion", "challenger", ""] | None = Field(
        description="In the registry: champion answers, challenger is compared; null where it is not registered."
    )


class TrustVerdict(Answer):
    """Whether a model's predictions may be relied on."""

    reasons: list[str] = Field(description="Why, the strongest first.")
    metrics: dict[str, float] = Field(
        description="What was measured on data that it never saw, by metric (gini: ranking, bias: total, auc: who buys;"
        " all are in the documentation's list of metrics); empty where the log was too short."
    )
    baselines: dict[str, dict[str, float]] = Field(description="The same of simpler models, by model.")


class SegmentSummary(Answer):
    """The segments of a scheme."""

    scheme: str = Field(description="How customers were cut.")
    segments: Rows = Field(
        description="Each with name, customers, shares (0 to 1), value_mean and value_sum (predicted), the 80% range"
        " value_sum_low to value_sum_high (null where the log was too short to test, or too few are expected to buy),"
        " p_purchase_mean, buyers_expected, and what its customers did before. With offer_cost also break_even_uplift:"
        " share of its customers who must buy because of the offer before it pays; null: it never does."
    )


class CustomerAnswer(Answer):
    """One customer."""

    customer_id: str = Field(description="Who.")
    historic: float = Field(description="Net value so far.")
    predicted: float = Field(description="Expected net value in the horizon (the mean).")
    low: float = Field(description="The 80% range of predicted runs from low to high.")
    high: float = Field(description="Its upper end.")
    total: float = Field(description="Historic plus predicted.")
    total_low: float = Field(description="Its 80% range runs from total_low to total_high.")
    total_high: float = Field(description="Its upper end.")
    p_purchase: float = Field(description="Chance of a net value above 0 in the horizon, 0 to 1.")
    days_since_last: float | None = Field(description="Days from her last purchase to as_of; null: never bought.")
    rank: int = Field(description="Place by predicted value, 1 is the highest.")
    customers: int = Field(description="Of how many.")
    tier: int = Field(description="Value tier, 1 is the highest.")
    tier_name: str = Field(description="Its name.")
    action: str = Field(description="What is suggested for such customers.")
    next_order: str = Field(description="When her next order is expected.")
    why: dict[str, Any] = Field(
        description="sentences: why the prediction is what it is; source: model (its own reasons) or facts (she is"
        " compared with all others)."
    )
    similar: Rows = Field(description="Customers like her, the nearest first; distance in standard deviations.")
    recommended: Rows = Field(description="Products for her; empty where none were computed.")
    history: Rows = Field(description="Her days: day, net_value, cumulative, purchased.")
    events: Rows = Field(description="Her days by kind of event: day, event_type, events.")


class TopCustomers(Answer):
    """The customers of the highest predicted value."""

    listed: int = Field(description="How many are listed.")
    customers_total: int = Field(description="How many there are, without those on the do-not-contact list.")
    customers: Rows = Field(
        description="The highest first: customer_id, p_purchase, predicted_clv (mean), clv_p10 and clv_p90 (80% range),"
        " and contact fields where they were asked for."
    )


class BudgetPreview(Answer):
    """Who would get what."""

    spent: float = Field(description="What the plan costs.")
    expected_gain: float = Field(description="What it adds to the predicted value.")
    gain_is: Literal["assumed"] = Field(description="It rests on effects that no experiment has measured.")
    plan: Rows = Field(description="By offer and segment: customers, cost, expected gain, evidence.")


class ShopForecast(Answer):
    """What the shop will take."""

    by: str = Field(
        description="What gives the total: parts (known customers and new ones), or the simple forecast that was closer"
        " on past dates."
    )
    sum: JsonObject = Field(
        description="Of all days asked for: first, until (the day after the last), known (customers known today), won"
        " (customers still to be won), total of both, each with its 80% range (_low and _high, of the total low and"
        " high; null where untested), and customers, how many new ones."
    )
    unit: str = Field(description="Of the periods.")
    periods: Rows = Field(description="The same by period; the last may be shorter.")
    tests: Rows = Field(
        description="Forecasts as of past dates: cutoff, days, known and won, what came (actual), the range low to"
        " high, wape (weekly errors as a share of what came)."
    )
    notes: list[str] = Field(description="How it was tested, what gives the total, what was assumed: say it too.")


class ExpectedDemand(Answer):
    """What will be bought of each product."""

    finding: str = Field(description="Pieces and net revenue of all products, in one sentence.")
    listed: int = Field(description="How many products or categories have rows here.")
    products: int = Field(description="How many products have a forecast.")
    method: str = Field(
        description="What gives the sums of categories: parts (customers' purchases), or the simple method that was"
        " closer on past dates."
    )
    rows: Rows = Field(
        description="By product or category and week: expected (pieces sold) with their 80% range low to high, returns"
        " of these, net pieces, net revenue; of a product also its state: new, fading (may have ended) or empty."
    )
    tests: Rows = Field(
        description="Demand as of past dates: cutoff, weeks, units (pieces that came), error (of products, as a share"
        " of what came, weighed by money), inside: how many of the ranged products came within their range."
    )
    notes: list[str] = Field(description="How it was tested, what was left out or assumed: say it too.")


class CampaignResults(Answer):
    """What campaigns brought."""

    finding: str = Field(description="All campaigns that are due, in one sentence.")
    campaigns: Rows = Field(
        description="By campaign, the latest first: state (declined, waiting, too_few, early, due), verdict (pays,"
        " loses, unsure, confounded or the state), due day, customers and control group, cost, effect a customer,"
        " incremental_margin and gain (less cost) of all with their intervals, return, secondary outcomes, left_out by"
        " reason, message and notes: say them too."
    )
    offers: Rows = Field(
        description="What campaigns taught: effect by tier, money of margin a customer, 90% interval; by_trait"
        " (new, active, lapsed) where these differ beyond chance."
    )
    next: list[str] = Field(description="Whom to write to next, and the cheapest test of what nobody knows yet.")


class RealisedValue(Answer):
    """What came of a model's predictions."""

    by_day: Rows = Field(
        description="Until a day: realised and expected value of those who were customers at the cutoff, the 80% range"
        " low to high, buyers, and the value of newcomers."
    )
    by_tier: Rows = Field(description="By value tier of the cutoff: customers, realised and expected value.")
    notes: list[str] = Field(description="Why something cannot be said yet.")
