"""What other programs and agents may ask a workspace over the Model Context Protocol; nothing here changes anything.

Every answer about customers carries the model with its verdict, and how old model and predictions are; arguments and
answers are described in :mod:`clv_core.mcp_answers`. Who asks over HTTP shows an API key, whose role decides as on
the pages: a viewer sees sums and single cards, an analyst lists and contacts too. People on the do-not-contact list are
in no answer. Over stdio whoever runs the process may ask everything.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import date
from functools import wraps
from typing import Annotated, Any, Final, ParamSpec, TypeVar

import pandas as pd
from mcp.server import MCPServer
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import AnyHttpUrl, Field
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from clv_core import __version__, audit
from clv_core.collection.privacy import SuppressionList, note_card
from clv_core.collection.store import list_datasets, open_dataset
from clv_core.columns import CUSTOMER_ID
from clv_core.deployment import (
    Bundle,
    Scored,
    list_bundles,
    model_age,
    old_scores_warnings,
    shared_error,
    today_in,
    training_cutoff,
    trust_of,
)
from clv_core.deployment.api import ANALYST, KeysUnusable, error_response, find_key, language_of, list_keys
from clv_core.deployment.registry import Registry, resolve_bundle_id
from clv_core.errors import ClvError, Message, Refused
from clv_core.i18n import DEFAULT_LANGUAGE
from clv_core.jobs import NoProgress
from clv_core.locks import running
from clv_core.mcp_answers import (
    MAX_CUSTOMERS,
    MAX_PRODUCTS,
    Budget,
    BudgetPreview,
    CampaignResults,
    Contacts,
    CostOfOffer,
    CustomerAnswer,
    CustomerId,
    DatasetFacts,
    DatasetName,
    DemandRows,
    DemandWeeks,
    ExpectedDemand,
    ForecastDays,
    ForecastUnit,
    Listed,
    MarginRate,
    ModelFacts,
    ModelReference,
    MostProducts,
    NewCustomers,
    Offers,
    PaidFor,
    RealisedValue,
    Scheme,
    SegmentSummary,
    ShopForecast,
    TopCustomers,
    TrustVerdict,
)
from clv_core.monitoring.realized import compare_realized, outside, with_tier_name
from clv_core.records import JsonObject
from clv_core.strategy.audiences.stored_contacts import stored_contacts
from clv_core.strategy.campaigns import (
    choose_next_list,
    headline,
    learned_offers,
    offer_json,
    outcome_json,
    outcomes,
    say_next,
)
from clv_core.strategy.customer import load_card
from clv_core.strategy.demand import find_asked_demand
from clv_core.strategy.demand import headline as demand_finding
from clv_core.strategy.forecast import find_asked_forecast
from clv_core.strategy.plans import OfferCost, make_plan, parse_offers
from clv_core.strategy.segments import load_scored_customers, parse_scheme, segment_table, table
from clv_core.workspace import Workspace

P = ParamSpec("P")
T = TypeVar("T")
ABOUT: Final = (
    "Predicted customer lifetime value of an online shop: datasets, models with their verdict (trusted, caution,"
    " not_trusted), segments, single customers, budget previews, the shop's forecast, demand by product, what campaigns"
    " brought, and how earlier predictions came true. Money is in the currency that an answer names. Say the verdict"
    " with every figure, and how old the predictions are."
)
TESTED: Final = ("cutoff", "weeks", "units", "error", "inside", "ranged")
"""Parts of a test of demand that are answered."""
READS: Final = ToolAnnotations(read_only_hint=True, open_world_hint=False)


class _Keys:
    """Checks the keys of requests against those of the workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return who a key belongs to, with the role as scope; None if it is unknown or revoked.

        Raises:
            KeysUnusable: the key file cannot be read.
        """
        key = find_key({key.id: key for key in list_keys(self._workspace) if not key.revoked}, token)
        return None if key is None else AccessToken(token=token, client_id=key.name, scopes=[key.role])


class _WithKeys:
    """Answers what the HTTP service answers while the key file cannot be read: 503 and what to do."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except KeysUnusable as error:
            await error_response(error, language_of(Request(scope)))(scope, receive, send)


def make_server(workspace: Workspace, *, address: str = "") -> MCPServer[Any]:
    """Return the server of a workspace.

    Args:
        workspace: whose datasets and models it answers about.
        address: of the server, where it serves HTTP and needs keys; empty: stdio.
    """
    auth = None
    if address:
        auth = AuthSettings(issuer_url=AnyHttpUrl(address), resource_server_url=None)
    server: MCPServer[Any] = MCPServer(
        "CLV Studio",
        instructions=ABOUT,
        version=__version__,
        auth=auth,
        token_verifier=_Keys(workspace) if address else None,
        log_level="WARNING",
    )
    tools = Tools(workspace, by_key=bool(address))
    for tool in (
        *(tools.list_datasets, tools.list_models, tools.trust_verdict, tools.segment_summary, tools.customer_card),
        *(tools.top_customers, tools.budget_preview, tools.forecast, tools.demand, tools.realised_against_predicted),
        tools.campaign_results,
    ):
        server.tool(annotations=READS)(_as_served(workspace, tool))
    return server


def make_http_app(workspace: Workspace, host: str, address: str) -> Starlette:
    """Return the application that answers over HTTP at ``/mcp``, who has shown a key.

    Args:
        workspace: whose datasets and models it answers about.
        host: that it listens on; on one of this machine only its own names are answered to.
        address: of the server.
    """
    app: Starlette = make_server(workspace, address=address).streamable_http_app(stateless_http=True, host=host)
    app.add_middleware(_WithKeys)
    return app


def _as_served(workspace: Workspace, tool: Callable[P, T]) -> Callable[P, T]:
    """Return a tool whose errors are sentences, that waits for no erasure, and acts in the name of the key's owner."""

    @wraps(tool)
    def answer(*args: P.args, **kwargs: P.kwargs) -> T:
        token = get_access_token()
        audit.set_actor("" if token is None else token.client_id)
        try:
            with running(workspace):
                return tool(*args, **kwargs)
        except ClvError as error:
            raise ToolError(error.message()) from error

    return answer


class Tools:
    """The tools of the server.

    Args:
        workspace: whose datasets and models they answer about.
        by_key: whether the caller has shown a key.
    """

    def __init__(self, workspace: Workspace, *, by_key: bool) -> None:
        self._workspace, self._by_key = workspace, by_key

    def list_datasets(self) -> list[DatasetFacts]:
        """List the datasets: size, net revenue, first and last day, how old the data are, and the current model."""
        registry, answers = Registry(self._workspace), []
        facts = ("name", "version", "customers", "orders", "lines", "net_revenue", "currency", "log_start", "log_end")
        for dataset in list_datasets(self._workspace):
            champion = registry.champion(dataset.name)
            bundle = champion.as_bundle if champion is not None and champion.is_readable else None
            answers.append(
                DatasetFacts(
                    **{name: getattr(dataset.manifest, name) for name in facts},
                    as_of=dataset.log_end.isoformat(),
                    days_since_as_of=(today_in(dataset.manifest.timezone) - dataset.log_end).days,
                    model=None if bundle is None else bundle.id,
                    cutoff=None if bundle is None else bundle.record.cutoff.isoformat(),
                    verdict=None if bundle is None else trust_of(self._workspace, bundle).verdict,
                )
            )
        return answers

    def list_models(
        self,
        dataset: Annotated[
            str | None, Field(description="Name of a dataset, of list_datasets; left out: models of all.")
        ] = None,
    ) -> list[ModelFacts]:
        """List the models, newest first: id, dataset, kind, cutoff, forecast days, verdict, role in the registry."""
        registry, answers = Registry(self._workspace), []
        datasets = {entry.name: entry for entry in list_datasets(self._workspace)}
        for bundle in list_bundles(self._workspace, dataset):
            name, version = bundle.record.dataset.name, registry.find(bundle.id)
            trained_on = datasets.get(name)
            about = (
                self._about_model(bundle)
                if trained_on is None
                else self._about(Scored.of(self._workspace, trained_on, bundle))
            )
            answers.append(
                ModelFacts(
                    **about,
                    dataset=name,
                    kind=bundle.record.model,
                    role=None if version is None else version.role,
                )
            )
        return answers

    def trust_verdict(self, dataset: DatasetName, model: ModelReference = "champion") -> TrustVerdict:
        """Return whether a model's predictions may be trusted, the reasons, and its figures on data it never saw."""
        scored = self._open(dataset, model)
        record = scored.model.record
        return TrustVerdict(
            **self._about(scored),
            reasons=[reason.text() for reason in trust_of(self._workspace, scored.model).reasons],
            metrics=record.metrics,
            baselines=record.baselines,
        )

    def segment_summary(
        self,
        dataset: DatasetName,
        model: ModelReference = "champion",
        scheme: Scheme = "quantile",
        offer_cost: CostOfOffer = None,
        offer_paid: PaidFor = "everyone",
        margin_rate: MarginRate = 1.0,
    ) -> SegmentSummary:
        """Return size, predicted value with 80% range and typical customer of each tier or segment.

        With the cost of an offer also the uplift from which it pays; that is arithmetic, not a measured effect.
        """
        offer = None if offer_cost is None else OfferCost(offer_cost, offer_paid, margin_rate)
        scored = self._open(dataset, model)
        customers = load_scored_customers(scored, parse_scheme(scheme, scored.dataset), progress=NoProgress())
        shared = shared_error(self._workspace, scored.model)
        if customers.assignment is None:
            rows = table(customers.frame, customers.names(scored.dataset), shared)
        else:
            rows = segment_table(customers.frame, customers.assignment, shared)
        rows = rows if offer is None else offer.added_to_groups(rows)
        return SegmentSummary(**self._about(scored), scheme=scheme, segments=_records(rows))

    def customer_card(
        self, dataset: DatasetName, customer: CustomerId, model: ModelReference = "champion"
    ) -> CustomerAnswer:
        """Return one customer's past and predicted value, next order, tier, reasons, and similar customers."""
        scored = self._open(dataset, model)
        card = load_card(scored, customer, progress=NoProgress())
        note_card(self._workspace, dataset, scored.model.id, card.customer_id)
        fields = {**card.to_json(), **self._about(scored), "next_order": card.next_order.message().text()}
        return CustomerAnswer(**fields)

    def top_customers(
        self, dataset: DatasetName, model: ModelReference = "champion", most: Listed = 20, contacts: Contacts = False
    ) -> TopCustomers:
        """List the customers of the highest predicted value; needs an analyst's key. Contacts only where asked for."""
        self._need_analyst()
        scored = self._open(dataset, model)
        stop = SuppressionList.of(self._workspace, scored.dataset)
        customers = stop.without(scored.scores(NoProgress()))
        scores = customers.nlargest(max(1, min(most, MAX_CUSTOMERS)), "predicted_clv")
        rows = scores[[CUSTOMER_ID, "p_purchase", "predicted_clv", "clv_p10", "clv_p90"]]
        fields = stored_contacts(scored.dataset) if contacts else None
        if fields is not None:
            rows = rows.merge(fields, how="left", on=CUSTOMER_ID)
        audit.note(self._workspace, "list", dataset=dataset, model=scored.model.id, customers=len(rows))
        notes = []
        if len(rows) != min(most, len(customers)):
            limits = {"most": most, "low": 1, "high": MAX_CUSTOMERS}
            notes = [Message("warning.listed_most", {**limits, "listed": len(rows), "customers": len(customers)})]
        return TopCustomers(
            **self._about(scored, notes),
            listed=len(rows),
            customers_total=len(customers),
            customers=_records(rows),
        )

    def budget_preview(
        self,
        dataset: DatasetName,
        budget: Budget,
        offers: Offers,
        model: ModelReference = "champion",
        scheme: Scheme = "quantile",
    ) -> BudgetPreview:
        """Preview which segments would get which offer for a budget, at what cost and gain; nothing is saved."""
        scored = self._open(dataset, model)
        customers = load_scored_customers(scored, parse_scheme(scheme, scored.dataset), progress=NoProgress())
        people = SuppressionList.of(self._workspace, scored.dataset).without(customers.numbered())
        parsed, files = parse_offers(offers)
        if files:
            raise Refused("offer_file_here")
        made = make_plan(people, customers.count, parsed, budget)
        names = customers.names(scored.dataset)
        rows = made.table.assign(segment=[names[number - 1] for number in made.table["tier"]]).drop(columns="tier")
        return BudgetPreview(
            **self._about(scored),
            spent=made.allocation.spent,
            expected_gain=made.allocation.gain,
            gain_is="assumed",
            plan=_records(rows),
        )

    def forecast(
        self,
        dataset: DatasetName,
        model: ModelReference = "champion",
        days: ForecastDays = None,
        unit: ForecastUnit = "week",
        new_customers: NewCustomers = None,
    ) -> ShopForecast:
        """Return the saved forecast of revenue: of customers known today, of those still to be won, of both; ranged."""
        scored = self._open(dataset, model)
        asked = find_asked_forecast(scored, days=days, unit=unit, new_customers=new_customers)
        said = asked.to_json()
        return ShopForecast(
            **self._about(scored),
            **{name: said[name] for name in ("by", "sum", "unit", "periods", "tests")},
            notes=[note.text() for note in asked.notes],
        )

    def demand(
        self,
        dataset: DatasetName,
        model: ModelReference = "champion",
        weeks: DemandWeeks = 4,
        by: DemandRows = "product",
        most: MostProducts = 20,
    ) -> ExpectedDemand:
        """Return the saved demand: pieces and net revenue expected of each product or category by week; ranged."""
        scored = self._open(dataset, model)
        asked = find_asked_demand(scored, weeks=weeks, by=by)
        rows = asked.rows(max(1, min(most, MAX_PRODUCTS)))
        tests = [{name: test[name] for name in TESTED} for test in asked.to_json()["tests"]]
        return ExpectedDemand(
            **self._about(scored),
            finding=demand_finding(asked.made, DEFAULT_LANGUAGE, weeks).text(),
            method=asked.made.by,
            listed=len(rows) // weeks,
            products=len(asked.made.products),
            rows=rows,
            tests=tests,
            notes=[note.text() for note in asked.notes],
        )

    def realised_against_predicted(self, dataset: DatasetName, model: ModelReference = "champion") -> RealisedValue:
        """Return what customers spent since the model's cutoff beside what was predicted, by then and by value tier."""
        scored = self._open(dataset, model)
        unknown: dict[str, Any] = {}
        spans, tiers, _ = compare_realized(scored, scored.scores(NoProgress()), unknown, NoProgress())
        found = outside(spans, tiers, scored.dataset.manifest.currency)
        notes = [with_tier_name(message).text() for message in (*unknown.values(), *found.values())]
        return RealisedValue(**self._about(scored), by_day=_plain(spans), by_tier=_plain(tiers), notes=notes)

    def campaign_results(self, dataset: DatasetName, model: ModelReference = "champion") -> CampaignResults:
        """Return what each campaign brought beside its control group, after costs, and whom to write to next."""
        scored = self._open(dataset, model)
        currency = scored.dataset.manifest.currency
        measured = outcomes(self._workspace, scored.dataset)
        learned = learned_offers(measured)
        made = choose_next_list(scored, learned, progress=NoProgress())
        return CampaignResults(
            **self._about(scored),
            finding=headline(measured, currency).text(),
            campaigns=[outcome_json(one, currency) for one in measured],
            offers=[offer_json(offer) for offer in learned],
            next=[message.text() for message in say_next(made, currency)],
        )

    def _open(self, dataset: str, model: str) -> Scored:
        open_dataset(self._workspace, dataset)
        return Scored.open(self._workspace, dataset, resolve_bundle_id(self._workspace, model, dataset))

    def _about(self, scored: Scored, notes: Sequence[Message] = ()) -> JsonObject:
        """Return what every figure has to be read with (:class:`~clv_core.mcp_answers.Answer`).

        Args:
            scored: model and dataset.
            notes: warnings of this answer alone.
        """
        bundle, today = scored.model, today_in(scored.dataset.manifest.timezone)
        old = old_scores_warnings(scored.as_of, scored.trained_days, today)
        return {
            **self._about_model(bundle),
            "days_since_cutoff": model_age(training_cutoff(bundle), scored.as_of)["days_since_cutoff"],
            "as_of": scored.as_of.isoformat(),
            "days_since_as_of": (today - scored.as_of).days,
            "warnings": [message.text() for message in (*notes, *scored.warnings(), *old)],
        }

    def _about_model(self, bundle: Bundle) -> JsonObject:
        """Return the facts of a model that need no dataset (:class:`~clv_core.mcp_answers.AboutModel`)."""
        record, trust = bundle.record, trust_of(self._workspace, bundle)
        return {
            "model": bundle.id,
            "cutoff": record.cutoff.isoformat(),
            "horizon_days": record.horizon_days,
            "currency": record.currency,
            "verdict": trust.verdict,
            "verdict_reason": trust.reasons[0].text(),
            "warnings": [],
        }

    def _need_analyst(self) -> None:
        token = get_access_token()
        if self._by_key and (token is None or ANALYST not in token.scopes):
            raise Refused("key_role", needed=ANALYST)


def _records(rows: pd.DataFrame) -> list[JsonObject]:
    return [{str(name): _plain(value) for name, value in row.items()} for row in rows.to_dict("records")]


def _plain(value: Any) -> Any:
    """Return a value in JSON's types: days as ISO dates, null for what is missing."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, date):
        return None if pd.isna(value) else value.isoformat()[:10]
    if value is None or value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value.item() if hasattr(value, "item") else value
