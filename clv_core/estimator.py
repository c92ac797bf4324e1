"""Customer lifetime value in Python: ``CLV(horizon_days=182).fit(events).predict()``, in scikit-learn's manners.

The same steps as ``clv ingest``, ``clv train`` and ``clv score``, with the same figures; the dataset and the model lie
in a workspace of their own, or in one that the command line and the app use too.
"""

from __future__ import annotations

import inspect
import shutil
import weakref
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import TYPE_CHECKING, Any, Final, Self

from clv_core.errors import ClvError, UsageError
from clv_core.jobs import ConsoleProgress, NoProgress, Progress
from clv_core.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

    from clv_core.deployment import Bundle, Scored
    from clv_core.evaluation import Trust
    from clv_core.evaluation.explain import Explanation
    from clv_core.plot import Figure
    from clv_core.training import OwnModelProtocol

NAME: Final = "events"
EVENTS_FILE: Final = "events.parquet"


class NotFittedError(ClvError, ValueError, AttributeError):
    """A method that needs a model was called before :meth:`CLV.fit`; of the same kinds as scikit-learn's error."""


class CLV:
    """Predicts what each customer will be worth over the coming days, from a log of events.

    Args:
        horizon_days: how far ahead is predicted.
        model: id of a model (``hybrid``, ``bgnbd``, ``lightgbm``, ...), or a model of your own that was not fitted yet
            (:class:`~clv_core.training.OwnModelProtocol`); None is the default for a log of this size.
        seed: of everything random.
        settings: further settings of training by name, as ``clv train --set`` has them: ``{"ensemble": 1}``.
        workspace: folder in which dataset and model are kept; None is a temporary one, gone with this object.
        name: of the dataset in it.
        progress: whether stages are printed to stderr.

    Attributes:
        trust_: verdict (``trusted``, ``caution``, ``not_trusted``) and its reasons.
        metrics_: figures on the held-out last horizon by name; empty where the log was too short for one.
        currency_: of all money; empty where the log names none.
    """

    def __init__(
        self,
        horizon_days: int = 182,
        *,
        model: str | OwnModelProtocol | None = None,
        seed: int = 1,
        settings: Mapping[str, Any] | None = None,
        workspace: str | Path | None = None,
        name: str = NAME,
        progress: bool = False,
    ) -> None:
        self.horizon_days = horizon_days
        self.model = model
        self.seed = seed
        self.settings = settings
        self.workspace = workspace
        self.name = name
        self.progress = progress
        self._bundle: Bundle | None = None

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002 - scikit-learn passes it
        """Return the arguments of this object by name."""
        return {name: getattr(self, name) for name in _parameters()}

    def set_params(self, **params: Any) -> Self:
        """Set arguments by name.

        Raises:
            UsageError: there is no such argument.
        """
        for name, value in params.items():
            if name not in _parameters():
                raise UsageError("setting_unknown", setting=name, known=sorted(_parameters()))
            setattr(self, name, value)
        return self

    def fit(self, events: Any, *, columns: Mapping[str, str] | None = None, **reading: Any) -> Self:
        """Read a log and train on it.

        Args:
            events: a pandas, polars or Arrow table, a DuckDB relation, or the path of a file: one row an event.
            columns: which column is what, where its name does not say so: ``{"amount": "dollar_value"}``. The names are
                ``customer_id``, ``event_time``, ``event_type``, ``amount``, ``order_id``, ``product_id``, ``quantity``,
                ``unit_price``, ``rating`` and the others of ``clv check``.
            reading: how the log is to be read otherwise (``currency="EUR"``, ``timezone="Asia/Tokyo"``), as
                :class:`~clv_core.collection.answers.Answers` has it.

        Raises:
            NeedsAnswer: something can be read in two ways; the message names what settles it.
            Refused: the log cannot be used.
            NotEnoughData: it is too short, or too few customers buy.
        """
        from clv_core import pipeline
        from clv_core.config import TrainConfig

        self._open_workspace()
        self._ingest(events, columns, reading)
        config = TrainConfig.from_json(
            {
                "horizon_days": self.horizon_days,
                "seed": self.seed,
                **self._model_settings(),
                **(self.settings or {}),
            }
        )
        self._bundle = pipeline.train(self._workspace, self.name, config, progress=self._listener())
        return self

    def _model_settings(self) -> dict[str, str]:
        """Return the settings that name the model."""
        from clv_core import pipeline
        from clv_core.config import OWN
        from clv_core.training import register

        if self.model is None or isinstance(self.model, str):
            return {"model": self.model or pipeline.default_model(self._workspace, self.name)}
        return {"model": OWN, "code": register(self.model)}

    @property
    def trust_(self) -> Trust:
        """Verdict and reasons."""
        from clv_core.deployment import trust_of

        bundle = self._fitted()
        return trust_of(self._workspace, bundle)

    @property
    def metrics_(self) -> dict[str, float]:
        """Figures of the model on the held-out last horizon."""
        return dict(self._fitted().record.metrics)

    @property
    def currency_(self) -> str:
        """Of all money."""
        return self._fitted().record.currency

    def predict(
        self, *, horizon_days: int | str | None = None, discount_rate: float = 0.0, margin_rate: float = 1.0
    ) -> pd.DataFrame:
        """Return what every customer of the log is worth from its end on.

        Args:
            horizon_days: another horizon, ``"lifetime"`` or ``"lifetime:8"`` (years); None is that of training.
            discount_rate: a year, .1 for 10%.
            margin_rate: share of revenue that is earned.

        Returns:
            One row a customer, in the order of their ids: customer_id, as_of, horizon_days,
            p_purchase, predicted_clv, clv_p10, clv_p50, clv_p90, model. Money in :attr:`currency_`.
        """
        from clv_core.deployment import score

        scored = self._scored().at_horizon(horizon_days, discount_rate, margin_rate)
        return score(scored, progress=self._listener())

    def evaluate(self) -> pd.DataFrame:
        """Return all figures on the held-out last horizon, one column each for the model and the models beside it.

        Raises:
            ClvError: the log was too short for a held-out horizon.
        """
        import pandas as pd

        record = self._measured().record
        return pd.DataFrame({record.model: record.metrics, **record.baselines}).rename_axis("metric")

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
        """
        explanation = self._explanation(customer, sample)
        return explanation.importance() if customer is None else explanation.waterfall(str(customer))

    def plot_deciles(self) -> Figure:
        """Return predicted and actual mean value by tenth of predicted value, on the held-out last horizon.

        All ``plot_`` methods return a Plotly figure, the one of the app's page.

        Raises:
            ClvError: the log was too short for a held-out horizon, or the model was loaded from a file, which has no
                customers.
        """
        return self._plot_holdout("deciles")

    def plot_gains(self) -> Figure:
        """Return which share of the actual value the customers put first hold, against the best simple model."""
        return self._plot_holdout("gains")

    def plot_calibration(self) -> Figure:
        """Return how many of those with a predicted purchase probability bought, for ten groups of customers."""
        return self._plot_holdout("calibration")

    def plot_scatter(self) -> Figure:
        """Return predicted against actual value, one dot a customer."""
        return self._plot_holdout("scatter")

    def plot_training(self) -> Figure:
        """Return the loss by training step, one line a network.

        Raises:
            ClvError: the model has no training steps (``bgnbd``, ``lightgbm``, ...).
        """
        from clv_core.plot import evaluation

        bundle = self._fitted()
        losses = evaluation.loss_frame(bundle.history())
        if losses.empty:
            raise ClvError("no_losses", model=bundle.record.model)
        return evaluation.loss_history(losses, height=340).standalone()

    def plot_explanation(self, customer: str | None = None, *, sample: int = 300) -> Figure:
        """Return what moves predictions: of a sample of all one dot a customer, of one the way from the average.

        Args:
            customer: whose prediction; None is a sample of all.
            sample: how many customers that is.

        Raises:
            NotFound: the customer is not in the log.
        """
        from clv_core.plot import reasons

        explanation = self._explanation(customer, sample)
        if customer is None:
            return reasons.swarm(explanation, self.currency_).standalone()
        return reasons.waterfall(explanation, str(customer), self.currency_).standalone()

    def segments(self, scheme: str = "quantile") -> pd.DataFrame:
        """Return every customer with scores, purchase history, tier, and the segment of a scheme.

        Args:
            scheme: as ``clv segment --scheme`` has it: ``quantile``, ``quadrant``, ``rfm``, ``clusters:5`` and others.
        """
        from clv_core.strategy.segments import load_scored_customers, parse_scheme

        scored = self._scored()
        chosen = parse_scheme(scheme, scored.dataset)
        return load_scored_customers(scored, chosen, progress=self._listener()).frame

    def save(self, path: str | Path) -> Path:
        """Write the model, without customers, to a ``.zip`` that :meth:`load` and ``clv models import`` read."""
        from clv_core.deployment.model_archive import export_bundle
        from clv_core.deployment.registry import Registry

        version = Registry(self._opened()).find(self._fitted().id)
        if version is None:
            raise ClvError("no_name", name=self.name, known="-")
        out = Path(path)
        export_bundle(self._workspace, version, out)
        return out

    @classmethod
    def load(cls, path: str | Path, events: Any = None, **params: Any) -> Self:
        """Return a saved model; it predicts the customers of ``events``.

        Args:
            path: what :meth:`save` wrote.
            events: a log as :meth:`fit` takes it, with the same column names; it may be added later by
                :meth:`read_events`.
            params: arguments of this class.
        """
        from clv_core.deployment import open_bundle
        from clv_core.deployment.model_archive import import_bundle

        clv = cls(**params)
        clv._open_workspace()
        bundle = open_bundle(clv._workspace, import_bundle(clv._workspace, Path(path), name=clv.name).bundle)
        clv.set_params(horizon_days=bundle.record.horizon_days, model=bundle.record.model)
        clv._bundle = bundle
        return clv if events is None else clv.read_events(events)

    def read_events(self, events: Any, *, columns: Mapping[str, str] | None = None, **reading: Any) -> Self:
        """Read a log whose customers are predicted by the model that is there; arguments as :meth:`fit`'s."""
        self._opened()
        self._ingest(events, columns, reading)
        return self

    def __repr__(self) -> str:
        """Return the call that makes this object: what differs from the defaults."""
        changed = [
            f"{name}={getattr(self, name)!r}"
            for name, default in _parameters().items()
            if getattr(self, name) != default
        ]
        return f"CLV({', '.join(changed)})"

    def _repr_html_(self) -> str:
        """Return the verdict with its reasons and main figures, for a notebook."""
        from html import escape

        if self._bundle is None:
            return f"<code>{escape(repr(self))}</code>"
        trust, record = self.trust_, self._fitted().record
        reasons = "".join(f"<li>{escape(reason.text())}</li>" for reason in trust.reasons)
        figures = ", ".join(
            f"{name} {self.metrics_[name]:.3g}" for name in ("gini", "bias", "mae") if name in self.metrics_
        )
        about = f"{record.model}, {record.horizon_days} days from {record.cutoff}. {figures}"
        return f"<div><b>{escape(trust.verdict)}</b> &middot; {escape(about)}<ul>{reasons}</ul></div>"

    def _open_workspace(self) -> None:
        if self.workspace is not None:
            self._workspace = Workspace(Path(self.workspace).absolute())
            return
        folder = mkdtemp(prefix="clv-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self._workspace = Workspace(Path(folder) / "workspace")  # its key lies beside it

    def _ingest(self, events: Any, columns: Mapping[str, str] | None, reading: Mapping[str, Any]) -> None:
        from clv_core.collection.ingest import ingest

        with TemporaryDirectory() as folder:
            source = as_file(events, Path(folder) / EVENTS_FILE)
            mapping = dict(columns or {})
            ingest(self._workspace, source, self.name, mapping=mapping, progress=self._listener(), **reading)

    def _opened(self) -> Workspace:
        self._fitted()
        return self._workspace

    def _fitted(self) -> Bundle:
        if self._bundle is None:
            raise NotFittedError("not_fitted")
        return self._bundle

    def _measured(self) -> Bundle:
        bundle = self._fitted()
        if not bundle.record.holdout:
            raise ClvError("not_measured", horizon=self.horizon_days)
        return bundle

    def _scored(self) -> Scored:
        from clv_core.collection.store import open_dataset
        from clv_core.deployment import Scored

        bundle = self._fitted()
        return Scored.of(self._workspace, open_dataset(self._workspace, self.name), bundle)

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
            raise ClvError("holdout_left_out", horizon=self.horizon_days)
        return FIGURES[name](Holdout.of(bundle.record, holdout_predictions(bundle))).standalone()

    def _listener(self) -> Progress:
        return ConsoleProgress("en") if self.progress else NoProgress()


def as_file(events: Any, path: Path) -> Path:
    """Return a file with the events: the one that is named, or a table written to ``path`` as Parquet.

    Raises:
        UsageError: they are neither a path nor a table.
    """
    if isinstance(events, str | Path):
        return Path(events)
    if not hasattr(events, "__arrow_c_stream__"):
        raise UsageError("events_no_table", kind=type(events).__name__)
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(events)
    if unnamed := [name for name in table.column_names if name.startswith("__index_level_")]:  # a filtered frame's own
        table = table.drop_columns(unnamed)
    pq.write_table(table.replace_schema_metadata(None), path)
    return path


def _parameters() -> dict[str, Any]:
    """Return the arguments of :class:`CLV` with their defaults."""
    return {name: item.default for name, item in inspect.signature(CLV).parameters.items()}
