"""Models in memory and the calls that they answer; as a process of its own: ``python -m ...model_runner WORKSPACE``.

The process reads calls from its standard input, one JSON line each, and writes results to its standard output, until
the input ends, as it does however the other process died. What libraries print goes to the standard error. Each model
is a :class:`Scorer`: loaded and warmed up, it predicts and explains customers whose events are sent.
"""

from __future__ import annotations

import fcntl
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import validate_call
from pydantic_core import from_json, to_json

from clv_core.collection.store import Dataset, open_dataset
from clv_core.columns import AMOUNT, COLUMNS, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, PURCHASE
from clv_core.deployment.api.model_info import FIGURES, SWITCH_SECONDS, ModelInfo, ModelKey
from clv_core.deployment.api.request_events import CustomerEvents, event_columns, reads_event, row_of, second_of
from clv_core.deployment.population_context import Predictor, load_population_context
from clv_core.deployment.registry import Registry
from clv_core.deployment.saved_evaluation import trust_of
from clv_core.deployment.saved_scores import Scored
from clv_core.deployment.scoring_warnings import training_cutoff
from clv_core.disk import UNUSABLE_PATH
from clv_core.errors import ClvError, Message
from clv_core.evaluation import Trust
from clv_core.evaluation.explain import Mixer, background_rows
from clv_core.evaluation.explain.shapley import shapley
from clv_core.features import (
    ATTRIBUTES,
    DAY_SECONDS,
    FEATURES,
    PREFIX,
    REVIEW_TEXT,
    REVIEWED,
    ColumnStore,
    SignalColumn,
    Snapshot,
    day_of,
    group_label,
    open_log,
    reviews_of,
)
from clv_core.i18n import translate
from clv_core.model import Predictions
from clv_core.records import JsonObject
from clv_core.scratch import work_in
from clv_core.workspace import Workspace


class ModelRunner:
    """Models by key. Arguments of its methods may come from JSON: they are validated.

    Args:
        workspace: of models and datasets.
        on_change: called after models were loaded or released.
    """

    def __init__(self, workspace: Workspace, on_change: Callable[[], None] = lambda: None) -> None:
        self._workspace, self._registry, self._on_change = workspace, Registry(workspace), on_change
        self._scorers: dict[ModelKey, Scorer] = {}

    @validate_call
    def load(self, key: ModelKey) -> ModelInfo:
        """Load a model in addition to those in memory.

        Raises:
            NotFound: it no longer exists.
            Refused: it is damaged, and no version of its name is sound.
        """
        scorer = load_scorer(self._workspace, self._registry, key)
        info = scorer.info(key)
        self._scorers[info.key] = scorer
        self._on_change()
        return info

    @validate_call
    def retain(self, keys: list[ModelKey]) -> None:
        """Release all other models."""
        released = set(self._scorers) - set(keys)
        for key in released:
            del self._scorers[key]
        if released:
            self._on_change()

    @validate_call
    def score(self, key: ModelKey, as_of: date, customers: list[CustomerEvents]) -> list[list[float]]:
        """Return :data:`FIGURES` of each customer, [n][5]; a model that is not in memory is loaded first.

        Args:
            key: of a :class:`~clv_core.deployment.api.model_info.ModelInfo`.
            as_of: midnight, log-local.
            customers: n, at least one.
        """
        predictions = self._scorer(key).predict_customers(customers, as_of)
        columns = [getattr(predictions, name).tolist() for name in FIGURES]
        return [list(row) for row in zip(*columns, strict=True)]

    @validate_call
    def explain(self, key: ModelKey, as_of: date, customer: CustomerEvents, language: str) -> JsonObject:
        """Return ``base`` and ``reasons`` of a customer's prediction."""
        return self._scorer(key).explain(customer, as_of, language)

    def _scorer(self, key: ModelKey) -> Scorer:
        if key not in self._scorers:
            self.load(key)
        return self._scorers[key]


def main(arguments: list[str]) -> None:
    """Answer calls until there are no more."""
    os.nice(5)  # the process that answers HTTP goes first: others wait for what it passes on
    sys.setswitchinterval(SWITCH_SECONDS)
    for number in (signal.SIGINT, signal.SIGTERM):  # a stopping service still waits for its answers
        signal.signal(number, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    workspace = Workspace(Path(arguments[0]))
    work_in(workspace)
    serve(ModelRunner(workspace, _freeze_models), sys.stdin.buffer, answers)


def serve(runner: ModelRunner, calls: BinaryIO, answers: BinaryIO) -> None:
    """Answer calls one by one, but for loads, which run in a thread meanwhile.

    Args:
        runner: whose methods are called.
        calls: lines ``{number, method, arguments}``.
        answers: gets lines ``{number, result}`` or ``{number, error}``.
    """
    writing = Lock()

    def answer(call: JsonObject) -> None:
        try:
            outcome = {"result": getattr(runner, call["method"])(*call["arguments"])}
        except ClvError as error:
            outcome = {"error": {"kind": type(error).__name__, "code": error.code, "params": error.params}}
        except Exception as error:  # its text may name a customer
            outcome = {"error": {"kind": "ClvError", "code": "unexpected", "params": {"kind": type(error).__name__}}}
        with writing:
            answers.write(to_json({"number": call["number"], **outcome}) + b"\n")
            answers.flush()

    with ThreadPoolExecutor(1, "loading") as loading:
        for line in calls:
            call = from_json(line)
            if call["method"] == "load":
                loading.submit(answer, call)
            else:
                answer(call)


def _freeze_models() -> None:
    """Exempt models from garbage collection: it would take longer than an answer."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


log = logging.getLogger(__name__)

NUMBER: Final = "number"
LOCK: Final = ".lock"
TOP_REASONS: Final = 5
"""Reasons of an answer; the weaker ones are summed up as ``rest``."""
PERMUTATIONS: Final = 2
"""As in saved explanations: the values rank as those of a run 20 times as large (tests/bench/README.md, explain)."""
BACKGROUND_SAMPLE: Final = 1_000
"""Customers of the log among whom the background of explanations is chosen."""


@dataclass(frozen=True, eq=False)
class Scorer(Predictor):
    """A verified bundle in its dataset.

    Args:
        dataset: of the model.
        version: its number in the registry.
        trust: the verdict on it.
        warnings: of its answers.
    """

    dataset: Dataset
    version: int
    trust: Trust
    warnings: tuple[Message, ...] = ()

    def info(self, requested: ModelKey) -> ModelInfo:
        """Return a description of the model; its key names this model, whatever was requested."""
        record = self.bundle.record
        return ModelInfo(
            replace(requested, version=self.version, bundle=self.bundle.id, digest=record.digest, champion=False),
            self.population.timezone,
            self.config.event_types,
            self.config.horizon_days,
            record.currency,
            self.trust,
            self.warnings,
            training_cutoff(self.bundle),
            tuple(self.dataset.manifest.event_types),
            self.attributes,
        )

    def predict_customers(self, customers: Sequence[CustomerEvents], as_of: date) -> Predictions:
        """Predict customers, each as ``score`` would among all customers of the log.

        Args:
            customers: n, each with at least one event, all before ``as_of``.
            as_of: midnight, log-local.
        """
        import torch

        with torch.inference_mode():
            return self.predict(self._snapshot_of(customers, as_of, self.names))

    def explain(self, customer: CustomerEvents, as_of: date, language: str) -> dict[str, Any]:
        """Return ``base`` and the strongest ``reasons`` of a prediction: Shapley values of feature groups.

        The customer is compared with twenty customers of the log who represent all. Their events are moved from the
        log's end to ``as_of``: that everyone has been silent since the log ended is no reason. The last reason,
        ``rest``, is the sum of the weaker ones, so that base + reasons is the prediction.

        Args:
            customer: with at least one event, all before ``as_of``.
            as_of: midnight, log-local.
            language: of labels.
        """
        moved = (day_of(as_of) - day_of(self.population.cutoff)) * DAY_SECONDS
        background = [
            replace(other, seconds=[second + moved for second in other.seconds]) for other in self._background
        ]
        mixer = Mixer(self._snapshot_of([customer, *background], as_of, frozenset(FEATURES)))
        values, base = shapley(
            lambda origins: self.predict(mixer.snapshot(origins)).predicted_clv,
            mixer.codes[:1],
            mixer.codes[1:],
            [""],
            permutations=PERMUTATIONS,
            seed=self.config.seed,
        )
        order = np.argsort(-np.abs(values[0]), kind="stable")
        reasons = [
            {"part": part, "label": group_label(part, language), "value": float(values[0][at])}
            for at in order[:TOP_REASONS]
            for part in [mixer.parts[at].id]
        ]
        rest = float(values[0][order[TOP_REASONS:]].sum())
        reasons.append({"part": "rest", "label": translate("service.reasons.rest", language), "value": rest})
        return {"base": base, "reasons": reasons}

    def _snapshot_of(self, customers: Sequence[CustomerEvents], as_of: date, names: frozenset[str]) -> Snapshot:
        events = event_columns(customers)
        extra_columns: dict[str, tuple[SignalColumn, NDArray[Any]]] = {}
        if self.config.review_text and any(events.reviews):
            extra_columns[REVIEW_TEXT] = REVIEWED, np.array(reviews_of(events), object)
        for name, kind in self.attributes.items():
            number = kind == NUMBER
            sent = [_value_of_kind(customer.attributes.get(name), number) for customer in customers]
            values = np.array(sent, np.float64 if number else object)
            extra_columns[PREFIX + name] = SignalColumn(ATTRIBUTES, "auto" if number else "category"), values
        return self.snapshot(ColumnStore.of_events(events), as_of, names, extra_columns)

    @cached_property
    def _background(self) -> list[CustomerEvents]:
        """Customers of the log that others are compared with."""
        customers = self._sample()
        predicted = self.predict_customers(customers, self.population.cutoff).predicted_clv
        return [customers[row] for row in background_rows(predicted, self.config.seed)]

    def _sample(self) -> list[CustomerEvents]:
        """Return customers of the log, evenly spaced by id."""
        dataset, cutoff, config = self.dataset, self.population.cutoff, self.config
        event_log = open_log(dataset, before=cutoff, **config.of_log())
        try:
            ids = event_log.store.customer_ids
            rows = np.unique(np.linspace(0, len(ids) - 1, min(BACKGROUND_SAMPLE, len(ids))).astype(np.int64))
            attributes = {
                attribute.name.removeprefix(PREFIX): list(attribute.at(day_of(cutoff), np.arange(len(ids)))[rows])
                for attribute in event_log.signals
                if attribute.name.startswith(PREFIX)
            }
            events = dataset.events(event_log.connection)
            sampled_events = events.filter(events[CUSTOMER_ID].isin(ids[rows].tolist()), events[EVENT_TIME] < cutoff)
            sampled = (
                sampled_events.select(*(column.name for column in COLUMNS))
                .order_by(EVENT_TIME)
                .to_pyarrow()
                .to_pylist()
            )
        finally:
            event_log.close()
        by_customer: dict[str, list[dict[str, Any]]] = {}
        for event in sampled:
            if reads_event(event, config.event_types):
                by_customer.setdefault(event[CUSTOMER_ID], []).append(event)
        return [
            CustomerEvents(
                [second_of(event[EVENT_TIME]) for event in customer_events],
                [row_of(event) for event in customer_events],
                {name: values[place] for name, values in attributes.items()},
            )
            for place, customer in enumerate(ids[rows])
            if (customer_events := by_customer.get(customer))
        ]


def load_scorer(workspace: Workspace, registry: Registry, key: ModelKey) -> Scorer:
    """Return the model of a key, warmed up; where a champion is damaged, the last sound version of its name.

    Raises:
        NotFound: it no longer exists.
        Refused: its bytes were changed, and no version of its name is sound.
    """
    if key.champion:
        served = registry.serving(key.name)
        version, bundle, warnings = served.version, served.bundle, served.warnings
    else:
        version = registry.version(key.name, key.bundle)
        bundle, warnings = registry.open(version), ()
    scored = Scored.of(workspace, open_dataset(workspace, bundle.record.dataset.name), bundle)
    with _one_process_at_a_time(scored.folder):
        population = load_population_context(scored)
    trust = trust_of(workspace, bundle)
    scorer = Scorer(bundle, population, scored.dataset, version.number, trust, tuple(warnings))
    _warm_up(scorer)
    return scorer


@contextmanager
def _one_process_at_a_time(folder: Path) -> Iterator[None]:
    """Let one process read the log and cache its context for the others; in a read-only workspace each reads it."""
    with ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            fcntl.flock(stack.enter_context((folder / LOCK).open("w")), fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in UNUSABLE_PATH:
                raise
            log.warning("nothing can be kept in %s (%s): the log is read anew by each process", folder, error.strerror)
        yield


def _warm_up(scorer: Scorer) -> None:
    """Predict an invented customer, so that the first request need not wait for imports and caches."""
    as_of = scorer.population.cutoff
    purchase = row_of({EVENT_TYPE: PURCHASE, AMOUNT: 1.0})
    scorer.predict_customers([CustomerEvents([day_of(as_of) * DAY_SECONDS - DAY_SECONDS], [purchase], {})], as_of)


def _value_of_kind(value: Any, number: bool) -> Any:
    """Return an attribute's value where it is of its kind, else as unknown."""
    if number:
        return float(value) if isinstance(value, (int, float)) else np.nan
    return value if isinstance(value, str) else None


if __name__ == "__main__":
    main(sys.argv[1:])
