"""The estimator: one object that reads a log, trains on it, predicts, is measured, and can be kept or sent."""

from __future__ import annotations

import inspect
import logging
import shutil
import weakref
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import TYPE_CHECKING, Any, Final, Self, Unpack

from clv_core.collection import Said, check_said
from clv_core.config import OWN
from clv_core.errors import ClvError, UsageError
from clv_core.estimator.fitted_model import NAME, day_of_argument, python_door
from clv_core.estimator.fitted_model import NotFittedError as NotFittedError
from clv_core.estimator.keywords import Reading, answers_of
from clv_core.estimator.load_result import LoadResult
from clv_core.estimator.model_figures import ModelFigures
from clv_core.estimator.python_words import warn
from clv_core.workspace import Workspace

if TYPE_CHECKING:
    from datetime import date

    import numpy as np
    import pandas as pd

    from clv_core.config import TrainConfig
    from clv_core.training import OwnModelProtocol

log: Final = logging.getLogger("clv_core.estimator")

ARCHIVE: Final = "model.zip"
MAX_SEED: Final = 2**31 - 1
"""The largest seed that every library takes: LightGBM's is a signed 32-bit integer."""


class CLV(ModelFigures):
    """Predicts what each customer will be worth over the coming days, from a log of events.

    Whatever the command line would warn of is a :class:`~clv_core.estimator.python_words.ClvWarning`. Errors are
    :class:`~clv_core.errors.ClvError`; one that asks something names the keyword of :meth:`fit` that answers it.

    Args:
        horizon_days: how far ahead is predicted.
        model: id of a model (``hybrid``, ``bgnbd``, ``lightgbm``, ...), or a model of your own (see "Add a model");
            None is the default for a log of this size.
        random_state: of everything random: an integer, a NumPy generator, or None for another one at each fit.
        settings: further settings of training by name, as ``clv train --set`` has them: ``{"ensemble": 1}``;
            ``set_params(settings__ensemble=1)`` sets one of them.
        workspace: folder in which dataset and model are kept; None is a temporary one, removed with this object.
        name: of the dataset in it.
        progress: whether stages are shown; None shows them in a notebook alone. The log ``clv_core.estimator`` has them
            in any case.
        seed: former name of ``random_state``.

    Attributes:
        load_: what became of every row and column of the log (:class:`~clv_core.estimator.load_result.LoadResult`).
        trust_: verdict (``trusted``, ``caution``, ``not_trusted``) and its reasons.
        metrics_: figures on the held-out last horizon by name; empty where the log was too short for one.
        currency_: of all money; empty where the log names none.
        cutoff_: first day that the model has not seen.

    Examples:
        What its methods show goes on from here:

        >>> import numpy as np
        >>> import pandas as pd
        >>> from clv_core import CLV
        >>> random = np.random.default_rng(3)
        >>> customer = np.repeat(np.arange(300), 1 + random.poisson(random.gamma(1.0, 4.0, 300)))
        >>> day = pd.Timestamp("2023-01-01") + pd.to_timedelta(random.integers(0, 730, len(customer)), unit="D")
        >>> amount = random.gamma(4.0, 10.0, len(customer)).round(2)
        >>> events = pd.DataFrame({"customer_id": customer, "event_time": day, "amount": amount})
        >>> past = events[events["event_time"] < "2024-10-01"]
        >>> clv = CLV(horizon_days=90, model="bgnbd").fit(past, currency="EUR")
        >>> clv.predict().nlargest(3, "predicted_clv")[["customer_id", "p_purchase", "predicted_clv"]].round(2)
            customer_id  p_purchase  predicted_clv
        246          52        0.90          99.32
        212         291        0.86          85.68
        19          115        0.86          84.45
    """

    load_: LoadResult
    _release: Callable[[], object]

    def __init__(
        self,
        horizon_days: int = 182,
        *,
        model: Any = None,
        random_state: int | np.random.Generator | np.random.RandomState | None = 1,
        settings: Mapping[str, Any] | None = None,
        workspace: str | Path | None = None,
        name: str = NAME,
        progress: bool | None = None,
        seed: int | None = None,
    ) -> None:
        self.horizon_days = horizon_days
        self.model = model
        self.random_state = random_state
        self.settings = settings
        self.workspace = workspace
        self.name = name
        self.progress = progress
        self.seed = seed
        self._forget()

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002 - scikit-learn passes it
        """Return the arguments of this object by name.

        Examples:
            >>> CLV(horizon_days=90, model="bgnbd").get_params()["horizon_days"]
            90
        """
        return {name: getattr(self, name) for name in _parameters()}

    @python_door
    def set_params(self, **params: Any) -> Self:
        """Set arguments by name, or a setting: ``settings__ensemble=1``.

        Raises:
            UsageError: there is no such argument.

        Examples:
            >>> CLV().set_params(horizon_days=90, settings__ensemble=1)
            CLV(horizon_days=90, settings={'ensemble': 1})
        """
        for name, value in params.items():
            argument, _, setting = name.partition("__")
            if argument not in _parameters() or (setting and argument != "settings"):
                raise UsageError("setting_unknown", setting=name, known=sorted(_parameters()))
            setattr(self, argument, {**(self.settings or {}), setting: value} if setting else value)
        return self

    @python_door
    def fit(
        self,
        events: Any,
        y: Any = None,  # noqa: ARG002 - scikit-learn passes it
        *,
        columns: Mapping[str, str] | None = None,
        **reading: Unpack[Reading],
    ) -> Self:
        """Read a log and train on it.

        How the log is read is decided by its cells; where they leave it open, an error asks, and a keyword answers.

        Args:
            events: a pandas, polars or Arrow table, a DuckDB relation, or the path of a file: one row an event.
            y: not used; what comes true is in the log.
            columns: which column is what, where its name does not say so: ``{"amount": "dollar_value"}``. The names are
                ``customer_id``, ``event_time``, ``event_type``, ``amount``, ``order_id``, ``product_id``, ``quantity``,
                ``unit_price``, ``rating`` and the others of ``clv check``; an empty text is "none".
            reading: how the log is read where its cells leave it open: ``currency="EUR"``, ``duplicates="drop"``,
                ``date_order="dmy"`` and the other keywords of :class:`~clv_core.estimator.keywords.Reading`.

        Raises:
            NeedsAnswer: something can be read in two ways; the message names what settles it.
            Refused: the log cannot be used.
            NotEnoughData: it is too short, or too few customers buy.
            UsageError: an argument is none, or there is no such keyword.

        Examples:
            >>> shop = pd.concat([past, past.head(40)]).rename(columns={"amount": "paid"})
            >>> again = CLV(horizon_days=90, model="naive")
            >>> again.fit(shop, columns={"amount": "paid"}, duplicates="drop", currency="EUR").load_.rows_duplicate
            40
        """
        from clv_core import pipeline
        from clv_core.collection.rows import read_settings_of
        from clv_core.config import setting_warnings
        from clv_core.deployment import distrust_warnings
        from clv_core.deployment.registry import Registry

        seed = self._seed()
        if not isinstance(self.name, str):
            raise UsageError("setting_type", setting="name", value=str(self.name)[:60], type="str")
        self._config("hybrid" if self.model is None else self.model, seed)  # refused before a long log is read
        answers = answers_of(columns, reading)
        workspace, release = self._open_workspace()
        dataset, notes = self._ingest(workspace, events, answers)
        self.load_ = LoadResult.of(dataset)
        warn([*dataset.manifest.messages, *notes])
        log.info("read a log: %s", str(self.load_).partition("\n")[0])
        model = pipeline.default_model(workspace, self.name) if self.model is None else self.model
        config = self._config(model, seed)
        bundle = pipeline.train(workspace, self.name, config, progress=self._listener())
        self._release()
        self._workspace, self._release = workspace, release
        self._bundle, self._dataset, self._population = bundle, dataset, None
        self._answers, self._like = answers, asdict(read_settings_of(dataset.manifest))
        registry = Registry(workspace)
        vain = setting_warnings(config, set(self.settings or {}))
        behind = registry.challenger_warnings(registry.find(bundle.id)) if self.workspace is not None else []
        warn([*bundle.record.warnings, *vain, *behind, *distrust_warnings(bundle, self.trust_)])
        log.info("trained %s up to %s: %s", bundle.record.model, bundle.record.cutoff, self.trust_.verdict)
        return self

    @property
    def cutoff_(self) -> date:
        """First day that the model has not seen.

        Examples:
            >>> clv.cutoff_.isoformat()
            '2024-10-01'
        """
        return self._fitted().record.cutoff

    @python_door
    def predict(
        self,
        events: Any = None,
        *,
        as_of: date | str | None = None,
        horizon_days: int | str | None = None,
        discount_rate: float = 0.0,
        margin_rate: float = 1.0,
        columns: Mapping[str, str] | None = None,
        **reading: Unpack[Reading],
    ) -> pd.DataFrame:
        """Return what customers are worth from a day on: all of the log, or those of other events.

        Each customer of ``events`` is predicted as if among those of the log that the model was fitted on: one customer
        or a million, new or of the fitted log, the prediction does not depend on who else is there.

        Args:
            events: all that these customers did before ``as_of``, in the columns of the log that was fitted; read as
                that one was. None is the log itself.
            as_of: the day; None is the end of the log, of ``events`` the later one of their end and the log's.
            horizon_days: another horizon, ``"lifetime"`` or ``"lifetime:8"`` (years); None is that of training.
            discount_rate: a year, .1 for 10%.
            margin_rate: share of revenue that is earned.
            columns: as in :meth:`fit`, where ``events`` have other columns than the log.
            reading: as in :meth:`fit`, likewise.

        Returns:
            One row a customer, in the order of their ids: customer_id, as_of, horizon_days,
            p_purchase, predicted_clv, clv_p10, clv_p50, clv_p90, model. Money in :attr:`currency_`.

        Raises:
            NotFittedError: there is no model.
            UsageError: an argument is none; or the model was loaded without what it needs.

        Examples:
            >>> new = pd.DataFrame({"customer_id": ["new"], "event_time": ["2024-09-20"], "amount": [25.0]})
            >>> clv.predict(new)[["customer_id", "horizon_days", "p_purchase", "predicted_clv"]].round(2)
              customer_id  horizon_days  p_purchase  predicted_clv
            0         new            90        0.43          26.57
            >>> clv.predict(new, horizon_days=180)[["horizon_days", "p_purchase", "predicted_clv"]].round(2)
               horizon_days  p_purchase  predicted_clv
            0           180        0.63          53.77
        """
        from clv_core.deployment import Terms, score

        day, trained_days = day_of_argument(as_of), self._fitted().record.horizon_days
        terms = Terms.of(horizon_days, trained_days, discount_rate, margin_rate)
        if events is not None:
            return self._predict_events(events, day, terms, answers_of(columns, reading))
        scored = self._scored(day).at(terms)
        frame = score(scored, progress=self._listener())
        warn(scored.warnings())
        return frame

    @python_door
    def score(
        self,
        events: Any,
        y: Any = None,  # noqa: ARG002 - scikit-learn passes it
        *,
        metric: str = "gini",
        columns: Mapping[str, str] | None = None,
        **reading: Unpack[Reading],
    ) -> float:
        """Return how well the model predicted what came true: a log that goes on after the model's cutoff.

        Everyone seen before :attr:`cutoff_` is predicted as of that day from the rows before it, and compared with the
        rows of the horizon after it.

        Args:
            events: the log that was fitted, with later rows.
            y: not used.
            metric: id of a metric: ``gini`` (ranking; higher is better), ``mae``, ``rmse``, ``bias``, ``spearman``,
                ``auc`` and the others of :meth:`evaluate`. Errors are not negated: for scikit-learn's searches write
                ``scoring=lambda clv, X, y=None: -clv.score(X, metric="mae")``.
            columns: as in :meth:`fit`, where they are others than the fitted log's.
            reading: as in :meth:`fit`, likewise.

        Raises:
            NotEnoughData: no event is later than the model's cutoff, or the metric does not exist for these customers.
            UsageError: there is no such metric.

        Examples:
            >>> round(clv.score(events), 2), round(clv.score(events, metric="mae"), 1)
            (0.58, 26.1)
        """
        import numpy as np

        from clv_core.evaluation import METRICS

        if metric not in METRICS:
            raise UsageError("unknown_metric", metric=str(metric)[:60], known=sorted(METRICS))
        predicted, actual = self._outcome(events, answers_of(columns, reading))
        value = METRICS[metric].value(actual, predicted)
        if not np.isfinite(value):
            raise UsageError("metric_missing", metric=metric)
        return value

    @python_door
    def save(self, path: str | Path) -> Path:
        """Write the model, without customers, to a ``.zip`` that :meth:`load` and ``clv models import`` read.

        It holds what predictions share over all customers, so that :meth:`predict` needs no log where it is loaded.

        Examples:
            >>> clv.save("model.zip").name
            'model.zip'
        """
        from clv_core.deployment.model_archive import export_bundle
        from clv_core.deployment.registry import Registry

        bundle = self._fitted()
        version = Registry(self._workspace).find(bundle.id)
        if version is None:
            raise ClvError("no_name", name=self.name, known="-")
        out = Path(path)
        population = self._population_context() if self._dataset or self._population else None
        export_bundle(self._workspace, version, out, population=population)
        return out

    @classmethod
    @python_door
    def load(cls, path: str | Path, events: Any = None, **params: Any) -> Self:
        """Return a saved model: it predicts the events that :meth:`predict` is given, or the customers of a log.

        Args:
            path: what :meth:`save` wrote.
            events: a log as :meth:`fit` takes it, with the same column names; it may be added later by
                :meth:`read_events`.
            params: arguments of this class.

        Raises:
            Refused: the file is no such archive, or was changed.

        Examples:
            >>> loaded = CLV.load(clv.save("model.zip"))
            >>> new = pd.DataFrame({"customer_id": ["new"], "event_time": ["2024-09-20"], "amount": [25.0]})
            >>> loaded.predict(new)["predicted_clv"].round(2).tolist()  # as the model that was saved
            [26.57]
        """
        unknown = next((name for name in params if name not in _parameters()), None)
        if unknown is not None:
            raise UsageError("setting_unknown", setting=unknown, known=sorted(_parameters()))
        clv = cls(**params)
        clv._import(Path(path))
        clv.set_params(horizon_days=clv._fitted().record.horizon_days, model=clv._fitted().record.model)
        return clv if events is None else clv.read_events(events)

    @python_door
    def read_events(self, events: Any, *, columns: Mapping[str, str] | None = None, **reading: Unpack[Reading]) -> Self:
        """Read a full log whose customers :meth:`predict` is about from now on; arguments as :meth:`fit`'s.

        Examples:
            >>> loaded = CLV.load(clv.save("model.zip"))
            >>> len(loaded.read_events(past).predict()), past["customer_id"].nunique()
            (296, 296)
        """
        from clv_core.collection.rows import read_settings_of

        self._fitted()
        answers = answers_of(columns, reading)
        dataset, notes = self._ingest(self._workspace, events, answers)
        self._dataset, self._answers, self._like = dataset, answers, asdict(read_settings_of(dataset.manifest))
        self.load_ = LoadResult.of(dataset)
        warn([*dataset.manifest.messages, *notes])
        return self

    def __getstate__(self) -> dict[str, Any]:
        """Return what pickle, joblib and deepcopy carry: arguments, answers, and the model as a sealed archive.

        No customer and no path is in it: a copy predicts the events that it is given, in a workspace of its own.
        """
        from clv_core.deployment.model_archive import archive_bytes

        params = {**self.get_params(), "workspace": None}
        if self._bundle is None:
            return {"params": params, "archive": None}
        population = self._population_context() if self._dataset or self._population else None
        archive = archive_bytes(self._bundle, population=population)
        like = {name: value for name, value in self._like.items() if name not in ("events", "hidden")}
        return {"params": params, "archive": archive, "answers": dict(self._answers), "like": like}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take what :meth:`__getstate__` returned; the archive passes every check of an imported one.

        Raises:
            Refused: it does not.
        """
        for name, value in state["params"].items():
            setattr(self, name, value)
        self._forget()
        if state["archive"] is None:
            return
        with TemporaryDirectory() as folder:
            path = Path(folder) / ARCHIVE
            path.write_bytes(state["archive"])
            self._import(path, own=_model_settings(self.model or "hybrid")["model"] == OWN)
        self._answers, self._like = check_said(state["answers"]), state["like"]

    def __sklearn_is_fitted__(self) -> bool:
        """Return whether there is a model, for scikit-learn's ``check_is_fitted``."""
        return self._bundle is not None

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn asks of an estimator: a regressor that needs no target, of a table of texts."""
        from sklearn.utils import InputTags, RegressorTags, Tags, TargetTags

        return Tags(
            estimator_type="regressor",
            target_tags=TargetTags(required=False),
            regressor_tags=RegressorTags(),
            input_tags=InputTags(string=True, allow_nan=True),
            no_validation=True,
        )

    def __repr__(self) -> str:
        """Return the call that makes this object: what differs from the defaults."""
        changed = [
            f"{name}={getattr(self, name)!r}"
            for name, default in _parameters().items()
            if getattr(self, name) is not default and getattr(self, name) != default
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

    def _forget(self) -> None:
        """Have no model and no log."""
        self._bundle, self._dataset, self._population = None, None, None
        self._answers, self._like = Said(), {}
        self._release = _nothing

    def _seed(self) -> int:
        """Return the number that everything random begins with.

        Raises:
            UsageError: ``random_state`` is none.
        """
        import numpy as np

        given = self.random_state if self.seed is None else self.seed
        if given is None:
            given = np.random.default_rng()
        if isinstance(given, np.random.Generator):
            return int(given.integers(MAX_SEED))
        if isinstance(given, np.random.RandomState):
            return int(given.randint(MAX_SEED))
        if isinstance(given, bool) or not isinstance(given, (int, np.integer)) or not 0 <= given <= MAX_SEED:
            raise UsageError("bad_random_state", value=str(given)[:60], high=MAX_SEED)
        return int(given)

    def _config(self, model: Any, seed: int) -> TrainConfig:
        """Return the settings of training.

        Raises:
            UsageError: one of them is none.
        """
        import numpy as np

        from clv_core.config import TrainConfig
        from clv_core.deployment import days_of

        if not isinstance(self.settings, Mapping | None):
            raise UsageError("bad_settings", kind=type(self.settings).__name__)
        settings = {
            str(name): value.item() if isinstance(value, np.generic) else value
            for name, value in (self.settings or {}).items()
        }
        horizon = days_of(self.horizon_days, "horizon_days")
        return TrainConfig.from_json({"horizon_days": horizon, "seed": seed, **_model_settings(model), **settings})

    def _open_workspace(self) -> tuple[Workspace, Callable[[], object]]:
        """Return the workspace, and what removes it where it is a temporary one.

        Raises:
            UsageError: it is no path.
        """
        if self.workspace is None:
            folder = mkdtemp(prefix="clv-")
            release = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
            return Workspace(Path(folder) / "workspace"), release  # its key lies in the temporary folder, next to it
        if not isinstance(self.workspace, (str, Path)):
            raise UsageError("bad_workspace", kind=type(self.workspace).__name__)
        return Workspace(Path(self.workspace).absolute()), _nothing

    def _import(self, path: Path, *, own: bool = False) -> None:
        """Take the model of an archive, once every byte of it is checked.

        Args:
            path: of the archive.
            own: whether it may be of a model of the user's own, whose class this process knows.

        Raises:
            Refused: a check failed.
        """
        from clv_core.deployment import POPULATION, distrust_warnings, open_bundle
        from clv_core.deployment.model_archive import import_bundle, read_archive, read_population

        workspace, release = self._open_workspace()
        bundle = open_bundle(workspace, import_bundle(workspace, path, name=self.name, allow_own_model=own).bundle)
        content = read_archive(path).get(POPULATION)
        self._release()
        self._workspace, self._release, self._bundle, self._dataset = workspace, release, bundle, None
        self._population = None if content is None else read_population(content, bundle.record)
        warn(distrust_warnings(bundle, self.trust_))


def _model_settings(model: str | OwnModelProtocol) -> dict[str, str]:
    """Return the settings that name a model: an id, or an object of the user's own, which is registered.

    Raises:
        UsageError: it lacks a method, or could not be made again.
    """
    from clv_core.training import register

    return {"model": model} if isinstance(model, str) else {"model": OWN, "code": register(model)}


def _nothing() -> None:
    """Remove nothing: the workspace is somebody's."""


def _parameters() -> dict[str, Any]:
    """Return the arguments of :class:`CLV` with their defaults."""
    return {name: item.default for name, item in inspect.signature(CLV.__init__).parameters.items() if name != "self"}


def _with_keywords() -> None:
    """Have ``help`` and completion show the keywords that answer questions, as types show them to checkers."""
    for name in ("fit", "predict", "score", "read_events"):
        method = getattr(CLV, name)
        signature = inspect.signature(method)
        named = [
            parameter
            for parameter in signature.parameters.values()
            if parameter.kind is not inspect.Parameter.VAR_KEYWORD
        ]
        answers = [
            inspect.Parameter(parameter, inspect.Parameter.KEYWORD_ONLY) for parameter in Reading.__annotations__
        ]
        method.__signature__ = signature.replace(parameters=[*named, *answers])


_with_keywords()
