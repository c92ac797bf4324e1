"""The service: from a request to predictions, or to a customer's row in the latest batch that ``score`` wrote.

It holds the keys, workers, models and queues that routes use.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Lock
from typing import Any, Final, Protocol, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import ValidationError
from pydantic_core import to_json
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from clv_core.collection.parse import folded
from clv_core.collection.privacy import SuppressionList, has_objected, objection_list, without_objected, written_at
from clv_core.collection.store import Dataset, open_dataset, open_version
from clv_core.columns import CUSTOMER_ID
from clv_core.deployment.api.api_errors import BadBody, TooLarge, WrongType, language_of
from clv_core.deployment.api.api_metrics import Metrics
from clv_core.deployment.api.auth import Authenticator
from clv_core.deployment.api.batcher import Batcher, Busy, ScoringTask, run_tasks
from clv_core.deployment.api.model_cache import ModelCache
from clv_core.deployment.api.request_events import next_midnight, request_warnings
from clv_core.deployment.api.schemas import REQUEST, Customer, ScoreRequest
from clv_core.deployment.api.workers import ProcessWorker, ThreadWorker, Worker
from clv_core.deployment.registry import Registry, Version
from clv_core.deployment.saved_evaluation import trust_of
from clv_core.deployment.saved_scores import Scored, saved_score_files
from clv_core.deployment.scoring_warnings import (
    bundle_staleness_warnings,
    model_age,
    old_scores_warnings,
    today_in,
    training_cutoff,
)
from clv_core.deployment.terms import Terms
from clv_core.environment import ServiceSettings
from clv_core.errors import Message, NotFound, Refused
from clv_core.i18n import DEFAULT_LANGUAGE
from clv_core.records import JsonObject
from clv_core.workspace import Workspace

T = TypeVar("T")

JSON: Final = "application/json"
MAX_EXPLAINED: Final = 20
"""Customers of a request that asks for reasons."""
LARGE_BODY_BYTES: Final = 100_000
"""A larger body is read in a thread, so that others are not kept waiting."""
DEMAND_TEST: Final = ("cutoff", "weeks", "units", "value", "errors", "shown_error", "error", "inside", "ranged")
"""Parts of a test of demand that are answered; sums of single categories are not."""
MAX_FILES: Final = 2
"""Files that are held in memory."""


class SavedForecast(Protocol):
    """A forecast as it was asked for: its JSON, and what is to be known of it."""

    @property
    def notes(self) -> Sequence[Message]:
        """What is to be known of it."""

    def to_json(self) -> JsonObject:
        """Return its sum, periods and tests."""


class FindForecast(Protocol):
    """Finds the saved forecast of a log and a model."""

    def __call__(self, scored: Scored, *, days: int | None, unit: str, new_customers: float | None) -> SavedForecast:
        """Return it so far ahead, by such periods, with so many new customers.

        Raises:
            NotFound: none is saved.
        """


class SavedDemand(Protocol):
    """Demand as it was asked for: its JSON and rows, and what is to be known of it."""

    @property
    def notes(self) -> Sequence[Message]:
        """What is to be known of it."""

    def rows(self, most: int) -> list[JsonObject]:
        """Return its rows by week, of so many products or categories."""

    def to_json(self) -> JsonObject:
        """Return its sums and tests."""


class FindDemand(Protocol):
    """Finds the saved demand of a log and a model."""

    def __call__(self, scored: Scored, *, weeks: int, by: str) -> SavedDemand:
        """Return it so far ahead, by product or category.

        Raises:
            NotFound: none is saved.
        """


class LatestScores:
    """Looks customers up in the latest scores of a registry name.

    Args:
        workspace: of the scores.
        registry: of the same workspace.
    """

    def __init__(self, workspace: Workspace, registry: Registry) -> None:
        self._workspace, self._registry, self._lock = workspace, registry, Lock()
        self._kept: OrderedDict[tuple[Path, int, int], tuple[pa.Table, list[Message]]] = OrderedDict()

    def of(self, name: str, customer: str, language: str = DEFAULT_LANGUAGE) -> dict[str, Any]:
        """Return a customer's row of the champion's latest scores, or where it has none, of the name's latest.

        With it: the verdict on the model, how old model and scores are, the terms, and what the scores warn of.

        Raises:
            NotFound: no such name, no scores, the customer is not among them, is on the suppression list or objected.
        """
        versions = self._registry.versions(name)
        if not versions:
            raise self._registry.no_name(name[:80])
        champion = next(version for version in versions if version.role == "champion")
        dataset = open_dataset(self._workspace, champion.name)
        if has_objected(self._workspace, dataset, folded(customer)):
            raise NotFound("customer_objected", customer=customer[:200])
        current = without_objected(self._workspace, dataset)
        newest = self._newest([champion], current) or self._newest(versions, current)
        if newest is None:
            raise NotFound("service_no_scores", name=name, model=champion.bundle)
        as_of, path = newest
        version = next(version for version in versions if version.bundle == path.parent.name)
        table, warnings = self._read(path, version, as_of)
        row = _row(table, folded(customer))
        if row is None or SuppressionList.of(self._workspace, dataset).holds(customer):
            raise NotFound("service_not_scored", customer=customer[:200], as_of=as_of.isoformat())
        bundle, today = version.as_bundle, today_in(dataset.manifest.timezone)
        terms = Terms(bundle.record.horizon_days)
        warnings = [*warnings, *old_scores_warnings(as_of, terms.horizon_days, today)]
        return {
            **row,
            "name": name,
            "currency": bundle.record.currency,
            "terms": asdict(terms),
            **model_age(training_cutoff(bundle), as_of),
            "days_since_as_of": (today - as_of).days,
            "trust": trust_of(self._workspace, bundle).answer(language),
            "warnings": [warning.to_json(language) for warning in warnings],
        }

    def _newest(self, versions: list[Version], current: Dataset) -> tuple[date, Path] | None:
        """Return the latest scores of the versions' own dataset, and their cutoff.

        Those of the log without all who object now, ``current``, come first: it may end earlier than others.
        """
        saved = [
            scores
            for version in versions
            for scores in saved_score_files(self._workspace, version.bundle, version.name)
        ]
        if current.version_with_all is not None:
            saved = [scores for scores in saved if scores[1].is_relative_to(current.made_folder)] or saved
        return max(saved, key=lambda scores: (scores[0], scores[1].stat().st_mtime_ns), default=None)

    def _read(self, path: Path, version: Version, as_of: date) -> tuple[pa.Table, list[Message]]:
        """Return the rows of a file by customer_id, and the warnings that go with its scores."""
        key = (path, path.stat().st_mtime_ns, written_at(self._workspace))
        with self._lock:
            if key not in self._kept:
                table = pq.read_table(path)
                ids = table[CUSTOMER_ID].combine_chunks()
                if not pc.all(pc.less_equal(ids[:-1], ids[1:])).as_py():
                    table = table.take(pc.sort_indices(ids))
                self._kept[key] = table.combine_chunks(), self._warnings(path, version, as_of)
                while len(self._kept) > MAX_FILES:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]

    def _warnings(self, path: Path, version: Version, as_of: date) -> list[Message]:
        """Return the warnings of a file's scores; where the log's version was deleted, those of the model's age."""
        bundle = version.as_bundle
        try:
            dataset = open_version(self._workspace, version.name, path.parent.parent.name)
        except (NotFound, Refused):
            return bundle_staleness_warnings(bundle, as_of)
        return Scored.of(self._workspace, dataset, bundle, cutoff=as_of).warnings()


def _row(table: pa.Table, customer: str) -> dict[str, Any] | None:
    """Return a customer's row of a table that is sorted by customer_id."""
    ids = table[CUSTOMER_ID]
    at = bisect_left(range(len(ids)), customer, key=lambda at: ids[at].as_py())
    if at == len(ids) or ids[at].as_py() != customer:
        return None
    row: dict[str, Any] = table.slice(at, 1).to_pylist()[0]
    return row


class Service:
    """Scores customers and looks scores up for the routes, once the application has started.

    Explaining takes a hundred times as long as scoring, so it has a worker and a queue of its own.

    Args:
        workspace: of models, datasets and keys.
        settings: of the service.
        metrics: of calls, loads and lost processes.
        find_forecast: finds saved forecasts.
        find_demand: finds saved demand.
    """

    def __init__(
        self,
        workspace: Workspace,
        settings: ServiceSettings,
        metrics: Metrics,
        find_forecast: FindForecast,
        find_demand: FindDemand,
    ) -> None:
        def worker() -> Worker:
            return ProcessWorker(workspace, metrics.losses.inc) if settings.workers else ThreadWorker(workspace)

        scoring, explaining = [worker() for _ in range(settings.workers or 1)], worker()
        limits = settings.batch, settings.wait_ms / 1e3, settings.max_waiting, metrics.count_call
        self.settings, self.metrics, self._workspace = settings, metrics, workspace
        self._find_forecast, self._find_demand = find_forecast, find_demand
        self.auth = Authenticator(workspace, settings)
        self.models = ModelCache(workspace, scoring, explaining, settings.name, settings.max_models, metrics.loads.inc)
        self.latest = LatestScores(workspace, self.models.registry)
        self._workers = [*scoring, explaining]
        self._scoring, self._explaining = (Batcher(workers, run_tasks, *limits) for workers in (scoring, [explaining]))

    async def score(self, request: Request) -> Response:
        """Answer a request to score.

        Raises:
            ClvError: it is refused; :func:`~clv_core.deployment.api.api_errors.error_response` has the answer.
        """
        language = language_of(request)
        self.auth.authenticate(request.headers)
        body = await _read_body(request, self.settings.max_bytes)
        large = len(body) > LARGE_BODY_BYTES
        parsed = await _run(large, _parse, body, self.settings, language)
        sent, reasons = parsed["customers"], parsed.get("reasons", False)
        try:
            async with asyncio.timeout(self.settings.answer_seconds):
                model = await self.models.get(parsed.get("model"))
                tomorrow = next_midnight(datetime.now(UTC), model.timezone)
                as_of = parsed.get("as_of") or tomorrow
                objected = await _run(large, self._objected, model.key.name, sent)
                task = await _run(large, ScoringTask.of, model, as_of, sent, reasons, language, objected)
                warnings = await _run(large, request_warnings, model, as_of, sent, tomorrow)
                if objected:
                    warnings = [*warnings, Message("warning.objected", {"customers": len(objected)})]
                predictions = await (self._explaining if reasons else self._scoring).score(task)
        except TimeoutError as error:
            raise Busy("service_late", limit=self.settings.answer_seconds) from error
        return Response(_answer(task, predictions, warnings), media_type=JSON)

    def _objected(self, name: str, sent: Sequence[Customer]) -> frozenset[str]:
        """Return the ids of those who were sent and objected to profiling, as they were sent."""
        if not objection_list(self._workspace).hashes:
            return frozenset()
        dataset = open_dataset(self._workspace, name)
        ids = {customer["customer_id"] for customer in sent}
        return frozenset(one for one in ids if has_objected(self._workspace, dataset, folded(one)))

    def forecast(
        self, name: str, language: str, *, days: int | None, unit: str, new_customers: float | None
    ) -> JsonObject:
        """Return the saved forecast of a registry name's champion, and what to know of it.

        Raises:
            NotFound: there is no such name, or its champion has no saved forecast of the log's end.
        """
        champion, scored = self._champion(name)
        found = self._find_forecast(scored, days=days, unit=unit, new_customers=new_customers)
        said = found.to_json()
        parts = {part: said[part] for part in ("horizon_days", "currency", "by", "sum", "unit", "periods", "tests")}
        return self._found(champion, scored, parts, found.notes, language)

    def demand(self, name: str, language: str, *, weeks: int, by: str, most: int) -> JsonObject:
        """Return the saved demand of a registry name's champion, and what to know of it.

        Raises:
            NotFound: there is no such name, or its champion has no saved demand of the log's end.
        """
        champion, scored = self._champion(name)
        found = self._find_demand(scored, weeks=weeks, by=by)
        said = found.to_json()
        parts = {part: said[part] for part in ("currency", "weeks", "by", "method", "products", "units", "revenue")}
        parts["rows"] = found.rows(most)
        parts["tests"] = [{part: test[part] for part in DEMAND_TEST} for test in said["tests"]]
        return self._found(champion, scored, parts, found.notes, language)

    def _champion(self, name: str) -> tuple[Version, Scored]:
        """Return a registry name's champion, and it with its log.

        Raises:
            NotFound: there is no such name.
        """
        champion = self.models.registry.champion(name)
        if champion is None:
            raise self.models.registry.no_name(name[:80])
        return champion, Scored.of(self._workspace, open_dataset(self._workspace, champion.name), champion.as_bundle)

    def _found(
        self, champion: Version, scored: Scored, parts: JsonObject, notes: Sequence[Message], language: str
    ) -> JsonObject:
        """Return what is saved of a log's end with what it has to be read with: model, ages, notes, verdict."""
        bundle, today = scored.model, today_in(scored.dataset.manifest.timezone)
        warnings = [*scored.warnings(), *old_scores_warnings(scored.as_of, scored.trained_days, today)]
        return {
            "name": champion.name,
            "version": champion.number,
            "model": champion.bundle,
            "as_of": scored.as_of.isoformat(),
            **model_age(training_cutoff(bundle), scored.as_of),
            "days_since_as_of": (today - scored.as_of).days,
            **parts,
            "notes": [note.to_json(language) for note in notes],
            "trust": trust_of(self._workspace, bundle).answer(language),
            "warnings": [warning.to_json(language) for warning in warnings],
        }

    def listed(self, versions: Sequence[Version], language: str) -> list[dict[str, Any]]:
        """Return versions as they are listed, with today's verdict and its reasons in ``language``."""
        trusts = [trust_of(self._workspace, version.as_bundle).answer(language) for version in versions]
        return [
            {**version.to_json(), "trust": trust["verdict"], "reasons": trust["reasons"]}
            for version, trust in zip(versions, trusts, strict=True)
        ]

    async def close(self) -> None:
        """Answer queued requests, then end workers and threads."""
        for batcher in (self._scoring, self._explaining):
            await batcher.close()
        self.models.close()
        await asyncio.gather(*(worker.close() for worker in self._workers))


async def _run(in_thread: bool, call: Callable[..., T], *arguments: Any) -> T:
    return await run_in_threadpool(call, *arguments) if in_thread else call(*arguments)


async def _read_body(request: Request, max_bytes: int) -> bytes:
    """Return the body of a request to score, read no further than ``max_bytes``.

    Raises:
        WrongType: its content type is not JSON, or it is compressed.
        TooLarge: there is more of it.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != JSON:
        raise WrongType("service_type", found=kind[:100] or "-", needed=JSON)
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("", "identity"):
        raise WrongType("service_encoding", found=coding[:100])
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > max_bytes:
            raise TooLarge("service_bytes", most=max_bytes)
    return bytes(body)


def _parse(body: bytes, settings: ServiceSettings, language: str) -> ScoreRequest:
    """Return a body's request to score.

    Raises:
        TooLarge: it holds more than a request may.
        BadBody: it does not match the schema.
    """
    try:
        parsed = REQUEST.validate_json(body)
    except ValidationError as error:
        raise BadBody.of(error.errors(include_url=False, include_input=False), language) from error
    most = min(MAX_EXPLAINED, settings.max_customers) if parsed.get("reasons") else settings.max_customers
    if len(parsed["customers"]) > most:
        raise TooLarge("service_customers", found=len(parsed["customers"]), most=most)
    longest = max(len(customer["events"]) for customer in parsed["customers"])
    if longest > settings.max_events:
        raise TooLarge("service_events", found=longest, most=settings.max_events)
    return parsed


def _answer(task: ScoringTask, predictions: list[dict[str, Any]], warnings: Sequence[Message]) -> bytes:
    model = task.model
    rest = {
        "name": model.key.name,
        "version": model.key.version,
        "model": model.key.bundle,
        "as_of": task.as_of.isoformat(),
        **model_age(model.cutoff, task.as_of),
        "horizon_days": model.horizon_days,
        "currency": model.currency,
        "warnings": [warning.to_json(task.language) for warning in (*model.warnings, *warnings)],
        "predictions": predictions,
    }
    return b'{"trust":' + model.trust_json[task.language] + b"," + to_json(rest)[1:]
