"""Reports of a fitted model: figures on the held-out horizon, reasons, charts, segments, the shop's forecast."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clv_core.errors import ClvError
from clv_core.estimator.fitted_model import FittedModel, python_door
from clv_core.estimator.python_words import warn

if TYPE_CHECKING:
    import pandas as pd

    from clv_core.evaluation import Trust
    from clv_core.evaluation.explain import Explanation
    from clv_core.plot import Figure


class ModelFigures(FittedModel):
    """The part of :class:`~clv_core.estimator.clv.CLV` that measures, explains and draws."""

    @property
    def trust_(self) -> Trust:
        """Verdict and reasons.

        Examples:
            >>> print(clv.trust_.verdict, [reason.code for reason in clv.trust_.reasons][:2])
            caution ['reason.small_sample', 'reason.ranking_holds']
        """
        from clv_core.deployment import trust_of

        bundle = self._fitted()
        return trust_of(self._workspace, bundle)

    @property
    def metrics_(self) -> dict[str, float]:
        """Figures of the model on the held-out last horizon.

        Examples:
            >>> round(clv.metrics_["gini"], 2)
            0.48
        """
        return dict(self._fitted().record.metrics)

    @property
    def currency_(self) -> str:
        """Of all money.

        Examples:
            >>> clv.currency_
            'EUR'
        """
        return self._fitted().record.currency

    @python_door
    def evaluate(self) -> pd.DataFrame:
        """Return all figures on the held-out last horizon, one column each for the model and its baselines.

        Raises:
            ClvError: the log was too short for a held-out horizon.

        Examples:
            >>> clv.evaluate().loc[["gini", "mae", "bias"]].round(2)
                    bgnbd  naive
            metric
            gini     0.48   0.43
            mae     27.03  33.35
            bias     0.09   0.54
        """
        import pandas as pd

        record = self._measured().record
        return pd.DataFrame({record.model: record.metrics, **record.baselines}).rename_axis("metric")

    @python_door
    def explain(self, customer: str | None = None, *, sample: int = 300) -> pd.DataFrame:
        """Return what drives the predictions, the strongest first.

        Args:
            customer: whose prediction; None is a sample of all.
            sample: how many customers that is.

        Returns:
            Of a customer: part, representative, reading, value, start, end, from the average prediction to theirs. Of
            all: part, representative, mean_abs, share, mean. Money in :attr:`currency_`.

        Raises:
            NotFound: the customer is not in the log.

        Examples:
            >>> clv.explain(sample=50)[["part", "share"]].head(1)
                 part  share
            0  anchor    1.0
            >>> way = clv.explain("7")
            >>> way[["part", "start", "end"]].head(1).round(2)
                 part  start    end
            0  anchor  27.29  15.28
        """
        explanation = self._explanation(customer, sample)
        return explanation.importance() if customer is None else explanation.waterfall(str(customer))

    @python_door
    def plot_deciles(self) -> Figure:
        """Return predicted and actual mean value by tenth of predicted value, on the held-out last horizon.

        All ``plot_`` methods return a Plotly figure, the one of the app's page.

        Raises:
            ClvError: the log was too short for a held-out horizon, or the model was loaded from a file, which has no
                customers.

        Examples:
            >>> print(clv.plot_deciles().layout.title.text)
            Top decile: 64.5 EUR per customer predicted, 71 EUR actual
        """
        return self._plot_holdout("deciles")

    @python_door
    def plot_gains(self) -> Figure:
        """Return which share of the actual value the customers put first hold, against the best simple model.

        Examples:
            >>> figure = clv.plot_gains()
            >>> print(figure.layout.yaxis.title.text, "by", figure.layout.xaxis.title.text)
            Share of value by Share of customers
        """
        return self._plot_holdout("gains")

    @python_door
    def plot_calibration(self) -> Figure:
        """Return how many of those with a predicted purchase probability bought, for ten groups of customers.

        Examples:
            >>> print(clv.plot_calibration().layout.title.text)
            Highest tenth: 77% predicted to buy, 82% bought
        """
        return self._plot_holdout("calibration")

    @python_door
    def plot_scatter(self) -> Figure:
        """Return predicted against actual value, one dot a customer.

        Examples:
            >>> print(clv.plot_scatter().layout.title.text)
            The predicted top fifth brought 48% of spending; bottom dots bought nothing net of returns
        """
        return self._plot_holdout("scatter")

    @python_door
    def plot_training(self) -> Figure:
        """Return the loss by training step, one line a network.

        Raises:
            ClvError: the model has no training steps (``bgnbd``, ``lightgbm``, ...).

        Examples:
            >>> network = CLV(horizon_days=90, model="mlp", settings={"ensemble": 1, "steps": 20})
            >>> [trace.name for trace in network.fit(past, currency="EUR").plot_training().data]
            ['Network 1']
        """
        from clv_core.plot import evaluation

        bundle = self._fitted()
        losses = evaluation.loss_frame(bundle.history())
        if losses.empty:
            raise ClvError("no_losses", model=bundle.record.model)
        return evaluation.loss_history(losses, height=340).standalone()

    @python_door
    def plot_explanation(self, customer: str | None = None, *, sample: int = 300) -> Figure:
        """Return what moves predictions: of a sample of all one dot a customer, of one the way from the average.

        Args:
            customer: whose prediction; None is a sample of all.
            sample: how many customers that is.

        Raises:
            NotFound: the customer is not in the log.

        Examples:
            >>> print(clv.plot_explanation("7").layout.title.text)
            From average (27.3 EUR) to 15.3 EUR, reason by reason
        """
        from clv_core.plot import reasons

        explanation = self._explanation(customer, sample)
        if customer is None:
            return reasons.swarm(explanation, self.currency_).standalone()
        return reasons.waterfall(explanation, str(customer), self.currency_).standalone()

    @python_door
    def segments(
        self,
        scheme: str = "quantile",
        *,
        offer_cost: float | None = None,
        offer_paid: str = "everyone",
        margin_rate: float = 1.0,
    ) -> pd.DataFrame:
        """Return every customer with scores, purchase history, tier, and the segment of a scheme.

        Args:
            scheme: as ``clv segment --scheme`` has it: ``quantile``, ``quadrant``, ``rfm``, ``clusters:5`` and others.
            offer_cost: money per customer for whom an offer is paid; adds the column ``break_even_uplift``: by how much
                the offer must raise a customer's purchase probability before it pays.
            offer_paid: for whom it is paid: ``everyone`` who gets it, or ``buyers`` alone, such as a voucher.
            margin_rate: share of predicted value that is margin, for the break-even alone.

        Examples:
            >>> clv.segments()["tier_name"].value_counts().to_dict()
            {'Low value': 118, 'Medium value': 89, 'High value': 59, 'Top value': 30}
            >>> clv.segments("quadrant").columns[-2:].tolist()
            ['segment', 'segment_name']
            >>> clv.segments(offer_cost=5, offer_paid="buyers", margin_rate=0.4).columns[-1]
            'break_even_uplift'
        """
        from clv_core.deployment import distrust_warnings
        from clv_core.strategy.plans import OfferCost
        from clv_core.strategy.segments import load_scored_customers, parse_scheme

        offer = None if offer_cost is None else OfferCost(offer_cost, offer_paid, margin_rate)
        scored = self._scored()
        warn(distrust_warnings(scored.model, self.trust_))
        parsed = parse_scheme(scheme, scored.dataset)
        customers = load_scored_customers(scored, parsed, progress=self._listener()).frame
        return customers if offer is None else offer.added_to(customers)

    @python_door
    def forecast(self, days: int | None = None, unit: str = "week", new_customers: float | None = None) -> pd.DataFrame:
        """Return what the shop will take from the log's end on, one row a period.

        Revenue of the customers known today (``known``) and of those still to be won (``won``) adds up to ``total``.
        How it was tested on past dates, and what was assumed, is warned of.

        Args:
            days: how far ahead, up to a year or the model's horizon; None is the horizon.
            unit: of the periods: ``day``, ``week`` (from the log's end on) or calendar ``month``.
            new_customers: as many as in the last four weeks, times this share, are expected; None: the log's own trend.

        Returns:
            first and until (the day after the last), known, won and total, each with its 80% range (``_low`` and
            ``_high``; of the total ``low`` and ``high``), and customers (how many new ones). Money in
            :attr:`currency_`.

        Raises:
            UsageError: there is no such unit, the share is none, or a forecast does not go so far.

        Examples:
            >>> by_month = clv.forecast(unit="month")
            >>> by_month[["first", "until", "known", "won", "total"]].round(0)
                    first       until   known   won   total
            0  2024-10-01  2024-11-01  2770.0  70.0  2839.0
            1  2024-11-01  2024-12-01  2717.0  74.0  2791.0
            2  2024-12-01  2024-12-30  2584.0  69.0  2653.0
        """
        from clv_core.deployment import distrust_warnings
        from clv_core.strategy.forecast import ask_forecast

        scored = self._scored()
        asked = ask_forecast(scored, self._listener(), days=days, unit=unit, new_customers=new_customers)
        warn([*distrust_warnings(scored.model, self.trust_), *asked.notes])
        return asked.table()

    @python_door
    def campaign_results(self) -> pd.DataFrame:
        """Return what each campaign of the log's customers brought beside its control group, the latest start first.

        Campaigns begin where a list leaves with a control group: on the app's pages, or with ``--campaign`` on the
        command line, in the same workspace. The log that was fitted answers: fit again once it has the days after.

        Returns:
            One row a campaign: campaign, started, due (ISO days), state (``due``, ``early``, ``waiting``, ``too_few``
            or ``declined``), verdict (``pays``, ``loses``, ``unsure``, ``confounded``, else the state), customers and
            control (who is counted), left_out, and in :attr:`currency_` cost, incremental_margin, gain (after costs)
            with its 90% range gain_low and gain_high, and return (for each unit of cost). No row without a campaign.

        Examples:
            >>> from datetime import date
            >>> from pathlib import Path
            >>> from clv_core.collection.store import open_dataset
            >>> from clv_core.strategy.campaigns import CampaignRequest, with_control
            >>> from clv_core.workspace import Workspace
            >>> shop = CLV(horizon_days=90, model="bgnbd", workspace="work", name="shop").fit(past, currency="EUR")
            >>> mail = CampaignRequest("Mail", date(2024, 8, 1), 30, share=0.3, cost=0.1)
            >>> groups = with_control(open_dataset(Workspace(Path("work")), "shop"), mail, shop.predict())
            >>> shop.campaign_results()[["campaign", "due", "verdict", "customers", "control", "cost"]]
              campaign         due verdict  customers  control  cost
            0     Mail  2024-08-31  unsure        194      100  19.4
        """
        from clv_core.strategy.campaigns import outcome_table, outcomes

        return outcome_table(outcomes(self._workspace, self._scored().dataset))

    @python_door
    def demand(self, weeks: int = 4, by: str = "product", stock: Path | str | None = None) -> pd.DataFrame:
        """Return what will be bought of each product or category from the log's end on, one row for each week.

        How it was tested on past dates, and what was left out or assumed, is warned of.

        Args:
            weeks: how far ahead, 4 to 13.
            by: ``product`` or ``category``.
            stock: a table of ``product_id`` and ``stock``, for how long it lasts.

        Returns:
            product_id, name and state of products; category; week (from 1), first and until (the day after the last),
            expected (pieces sold) with its 80% range (``low`` and ``high``), returns, net, and net revenue in
            :attr:`currency_`. With stock also stock, cover_weeks, and order: pieces that stock does not cover.

        Raises:
            UsageError: there are no such rows, demand does not go so far, or stock goes with categories.
            NotEnoughData: the log names no products.

        Examples:
            >>> sold = past.assign(product_id=np.where(past["amount"] < 40, "tea", "pot"))
            >>> orders = CLV(horizon_days=90, model="bgnbd").fit(sold, currency="EUR").demand()
            >>> orders.loc[orders["week"] == 1, ["product_id", "first", "expected", "low", "high"]].round(1)
              product_id       first  expected  low  high
            0        pot  2024-10-01      10.0  4.0  17.0
            4        tea  2024-10-01       8.0  3.0  14.0
        """
        from clv_core.deployment import distrust_warnings
        from clv_core.strategy.demand import ask_demand

        scored = self._scored()
        asked = ask_demand(scored, self._listener(), weeks=weeks, by=by, stock=None if stock is None else Path(stock))
        warn([*distrust_warnings(scored.model, self.trust_), *asked.notes])
        return asked.table()

    def _explanation(self, customer: str | None, sample: int) -> Explanation:
        from clv_core.deployment import explain_scores

        scored = self._scored()
        who = None if customer is None else str(customer)
        return explain_scores(scored, customer=who, sample=sample, progress=self._listener()).value

    def _plot_holdout(self, name: str) -> Figure:
        from clv_core.deployment import holdout_predictions
        from clv_core.plot import FIGURES, Holdout

        bundle = self._measured()
        if not bundle.has_holdout:
            raise ClvError("holdout_left_out", horizon=bundle.record.horizon_days)
        return FIGURES[name](Holdout.of(bundle.record, holdout_predictions(bundle))).standalone()
