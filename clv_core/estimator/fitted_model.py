"""The base of the estimator's methods: the model, the log that it was fitted on, and errors in Python's words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime
from functools import wraps
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from clv_core.collection import Said, check_said
from clv_core.errors import ClvError, Message, NotFound, UsageError
from clv_core.estimator.listeners import listener_of
from clv_core.estimator.python_words import python_words, warn
from clv_core.estimator.tables import as_file
from clv_core.jobs import Progress
from clv_core.workspace import Workspace, check_name

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from clv_core.collection.store import Dataset
    from clv_core.deployment import Bundle, PopulationContext, Scored

NAME: Final = "events"
EVENTS_FILE: Final = "clv-events.parquet"
TABLE: Final = "the table"
"""What sentences call events that are no file."""
OF_A_FILE: Final = ("encoding", "sheet", "header", "overlap")
"""Answers about one file, which do not apply to later events."""

P = ParamSpec("P")
T = TypeVar("T")


class NotFittedError(ClvError, ValueError, AttributeError):
    """A method that needs a model was called before :meth:`CLV.fit`; of the same kinds as scikit-learn's error.

    Examples:
        >>> from clv_core import NotFittedError
        >>> try:
        ...     CLV(horizon_days=90).predict()
        ... except NotFittedError as error:
        ...     print(error)
        There is no model yet: call fit(events) first.
    """


def python_door(method: Callable[P, T]) -> Callable[P, T]:
    """Return a method whose errors name Python's arguments, and whose small fits take one thread.

    What numpy and scipy fit here has a handful of parameters; threads that wait for each other take nine tenths of such
    a fit, and a BLAS that was loaded before this package has as many threads as there are processors.
    """

    @wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        from threadpoolctl import threadpool_limits

        try:
            with threadpool_limits(1, "blas"):
                return method(*args, **kwargs)
        except ClvError as error:
            error.wording = python_words
            raise

    return call


class FittedModel:
    """A model with the log that it was fitted on, or without: a loaded one predicts events that it is given."""

    name: str
    progress: bool | None
    _workspace: Workspace
    _bundle: Bundle | None
    _dataset: Dataset | None
    _population: PopulationContext | None
    _answers: Said
    _like: dict[str, Any]

    def _fitted(self) -> Bundle:
        if self._bundle is None:
            raise NotFittedError("not_fitted")
        return self._bundle

    def _measured(self) -> Bundle:
        bundle = self._fitted()
        if not bundle.record.holdout:
            raise ClvError("not_measured", horizon=bundle.record.horizon_days)
        return bundle

    def _scored(self, cutoff: date | None = None) -> Scored:
        """Return the log that is there, as the model sees it; another object in the workspace does not change it."""
        from clv_core.deployment import Scored

        bundle = self._fitted()
        if self._dataset is None:
            raise UsageError("no_events_here")
        return Scored.of(self._workspace, self._dataset, bundle, cutoff=cutoff)

    def _listener(self) -> Progress:
        return listener_of(self.progress)

    def _ingest(self, workspace: Workspace, events: Any, answers: Said) -> tuple[Dataset, list[Message]]:
        """Read a log into the workspace; return it, and a warning where somebody else's had its name."""
        from clv_core.collection.ingest import ingest
        from clv_core.collection.store import open_dataset, open_version

        name, before = check_name(self.name), None
        with suppress(NotFound):
            before = open_dataset(workspace, name)
        with TemporaryDirectory() as folder:
            source = as_file(events, Path(folder) / EVENTS_FILE)
            original = "" if source.name != EVENTS_FILE else TABLE
            manifest = ingest(workspace, source, name, original=original, progress=self._listener(), **answers)
        ours = {manifest.version, *([self._dataset.version] if self._dataset else [])}
        shared = before is not None and before.version not in ours
        notes = [Message("warning.dataset_shared", {"name": name})] if shared else []
        return open_version(workspace, name, manifest.version), notes

    @contextmanager
    def _read_temporarily(self, events: Any, answers: Said) -> Iterator[tuple[Workspace, Dataset]]:
        """Yield other events as a temporary dataset, read with the settings of the fitted log."""
        from clv_core.collection.ingest import ingest
        from clv_core.collection.privacy import without_objected
        from clv_core.collection.rows import ReadSettings
        from clv_core.collection.store import open_dataset

        saved = {name: value for name, value in self._answers.items() if name not in OF_A_FILE}
        like = ReadSettings(**{**self._like, "events": ()}) if self._like else ReadSettings()
        if self._population is not None or self._dataset is not None:
            saved.setdefault("timezone", self._population_context().timezone)
        with TemporaryDirectory(prefix="clv-") as folder:
            workspace = Workspace(Path(folder) / "workspace")
            source = as_file(events, Path(folder) / EVENTS_FILE)
            original = "" if source.name != EVENTS_FILE else TABLE
            both = check_said({**saved, **answers})
            ingest(workspace, source, NAME, like=like, original=original, progress=self._listener(), **both)
            yield workspace, without_objected(self._workspace, open_dataset(workspace, NAME))

    def _predict_events(self, events: Any, as_of: date | None, terms: Any, answers: Said) -> pd.DataFrame:
        """Return the predictions of the customers of other events, each as among those of the fitted log."""
        import pandas as pd

        from clv_core.deployment import Predictor, bundle_staleness_warnings, gap_warnings, lost_signal_warnings
        from clv_core.features import open_log

        bundle, population = self._fitted(), self._population_context()
        with self._read_temporarily(events, answers) as (_, dataset):
            day = as_of or max(dataset.log_end, population.cutoff)
            config, gaps = bundle.record.train_config, list[int]()
            before = open_log(dataset, before=min(day, dataset.log_end), **config.of_log())
            try:
                predicted = pd.concat(
                    Predictor(bundle, population).score_parts(before, day, terms, gaps), ignore_index=True
                )
            finally:
                before.close()
            if objected := dataset.objected.customers:
                warn([Message("warning.objected", {"customers": objected})])
            warn([*dataset.manifest.messages, *terms.warnings(bundle.record.horizon_days)])
            warn([*bundle_staleness_warnings(bundle, day), *lost_signal_warnings(bundle, dataset)])
            warn(gap_warnings(config, sum(gaps)))
            if left_out := dataset.manifest.customers - len(predicted):
                about = {"customers": left_out, "all": dataset.manifest.customers, "as_of": day.isoformat()}
                warn([Message("warning.customers_not_predicted", about)])
        return predicted

    def _outcome(self, events: Any, answers: Said) -> tuple[pd.DataFrame, np.ndarray[Any, Any]]:
        """Return predictions as of the cutoff, and the net value of the same customers after it, [n]."""
        import pandas as pd

        from clv_core.deployment import Terms, score_customers
        from clv_core.errors import NotEnoughData
        from clv_core.features import day_of, open_log

        bundle = self._fitted()
        cutoff, horizon = bundle.record.cutoff, bundle.record.horizon_days
        with self._read_temporarily(events, answers) as (_, dataset):
            days = min(horizon, (dataset.log_end - cutoff).days)
            if days <= 0:
                end = dataset.log_end.isoformat()
                raise NotEnoughData("score_before_cutoff", end=end, cutoff=cutoff.isoformat())
            predicted = score_customers(bundle, dataset, cutoff=cutoff, terms=Terms(days), progress=self._listener())
            log = open_log(dataset, **bundle.record.train_config.of_log())
            try:
                value = log.store.net_value(day_of(cutoff), day_of(cutoff) + days)
                actual = pd.Series(value, log.store.customer_ids)
            finally:
                log.close()
            if days < horizon:
                about = {"end": dataset.log_end.isoformat(), "days": days, "horizon": horizon}
                warn([Message("warning.score_shortened", {**about, "cutoff": cutoff.isoformat()})])
        return predicted, actual.reindex(predicted["customer_id"]).to_numpy()

    def _population_context(self) -> PopulationContext:
        """Return what predictions share over all customers: of the file, or computed from the log and cached.

        Raises:
            UsageError: there is neither.
        """
        from clv_core.deployment import load_population_context

        if self._population is None:
            if self._dataset is None:
                raise UsageError("population_missing")
            self._population = load_population_context(self._scored())
        return self._population


def day_of_argument(value: Any) -> date | None:
    """Return a day: a date, a time of Python or pandas, or an ISO text.

    Raises:
        UsageError: it is none.
    """
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    try:
        day: date = datetime.fromisoformat(value).date() if isinstance(value, str) else value.date()
    except (AttributeError, TypeError, ValueError) as error:
        raise UsageError("bad_day", value=str(value)[:60]) from error
    return day
