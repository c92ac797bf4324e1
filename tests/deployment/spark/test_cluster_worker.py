"""Workers, each of which sees some customers, say together what ``score`` says; any engine hands them the rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from clv_core.collection.store.dataset import Dataset
from clv_core.collection.store.version_store import open_dataset
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.model_archive.model_checks import check_model
from clv_core.deployment.saved_scores import Scored, score
from clv_core.deployment.spark.spark_scoring import scoring_query
from clv_core.deployment.spark.spark_worker import SCORES, BroadcastModel, each_batch, load_predictor, scores, totals
from clv_core.deployment.terms import Terms
from clv_core.errors import Refused
from clv_core.features.duckdb_engine import Engine
from clv_core.features.log import EventLog
from clv_core.features.review_texts import read_reviews
from clv_core.features.warehouse import Warehouse
from clv_core.jobs import NoProgress
from clv_core.model.calibrated import CalibratedModel, Totals
from clv_core.model.predictions import COLUMNS
from clv_core.workspace import Workspace
from tests.deployment.kinds import KINDS

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Sent:
    value: BroadcastModel


def held_by_an_engine(dataset: Dataset, engine: Engine) -> EventLog:
    """Return a log whose relations are tables, as they are in Spark."""
    events = dataset.events(engine.connection)
    events = events.filter(events.event_time < pd.Timestamp(dataset.log_end))
    held = Warehouse(events, engine.connection)
    customers = held.customers_table(engine.connection)
    reviews = read_reviews(events, customers, engine.connection)
    assert reviews is not None
    return EventLog(None, engine.connection, held, dataset.log_start, dataset.log_end, signals=(reviews,))


@pytest.fixture
def log(shop: Workspace) -> Iterator[EventLog]:
    engine = Engine(memory_limit_mb=512)
    yield held_by_an_engine(open_dataset(shop, "shop"), engine)
    engine.close()


def scored(log: EventLog, bundle: Bundle, terms: Terms, at_once: int) -> pd.DataFrame:
    wide, carried = scoring_query(log, bundle, log.end, "Asia/Shanghai", terms)
    batches = log.connection.to_pyarrow(wide).combine_chunks().to_batches(max_chunksize=at_once)
    assert len(batches) > 1 and len({batch.num_rows for batch in batches}) > 1
    if isinstance(bundle.model, CalibratedModel):
        sums = pa.Table.from_batches(each_batch(totals, Sent(carried), iter(batches))).to_pandas().sum()
        carried = carried.at_level(bundle.model, Totals(**sums))
    found = pa.Table.from_batches(each_batch(scores, Sent(carried), iter(batches)))
    return found.to_pandas().sort_values("customer_id", ignore_index=True)


def assert_the_same(found: pd.DataFrame, expected: pd.DataFrame, quantiles: float = 1e-6) -> None:
    """Hold predictions together to 1e-6; ``quantiles`` near where they leave 0 magnify the networks' float32."""
    assert len(found) == len(expected) > 250 and expected["predicted_clv"].nunique() > 50
    for name in COLUMNS:
        if expected[name].dtype.kind == "f":
            rtol = quantiles if name.startswith("clv_") else 1e-6
            np.testing.assert_allclose(found[name], expected[name], rtol=rtol, atol=1e-6, err_msg=name)
        else:
            assert found[name].tolist() == expected[name].tolist(), name


@pytest.mark.examples(1)
@pytest.mark.parametrize("kind", KINDS)
def test_some_customers_at_a_time_are_scored_as_among_all(
    shop: Workspace, bundles: dict[str, Bundle], log: EventLog, kind: str
) -> None:
    expected = score(Scored.open(shop, "shop", bundles[kind].id), progress=NoProgress())
    assert_the_same(scored(log, bundles[kind], Terms(60), 70), expected, 1e-5 if kind == "blend" else 1e-6)


def test_other_terms_are_those_of_score(shop: Workspace, bundles: dict[str, Bundle], log: EventLog) -> None:
    asked = Terms(150, 0.12, 0.4)
    expected = score(Scored.open(shop, "shop", bundles["hybrid"].id, terms=asked), progress=NoProgress())
    assert_the_same(scored(log, bundles["hybrid"], asked, 128), expected)


def test_the_columns_that_spark_is_told_of_are_those_of_score() -> None:
    assert tuple(column.split()[0] for column in SCORES.split(", ")) == COLUMNS


def test_every_kind_of_model_passes_the_checks_of_an_import(bundles: dict[str, Bundle]) -> None:
    for kind in KINDS:
        tensors, state = bundles[kind].model.state()
        check_model(bundles[kind].record, tensors, json.loads(json.dumps(state)))


def test_a_bundle_that_was_changed_on_its_way_is_refused(bundles: dict[str, Bundle], log: EventLog) -> None:
    _, carried = scoring_query(log, bundles["bgnbd"], log.end, "Asia/Shanghai", Terms(60))
    assert load_predictor(carried).bundle.id == bundles["bgnbd"].id
    (name, content), *others = carried.files
    turned = bytes([content[0] ^ 1]) + content[1:]
    with pytest.raises(Refused) as caught:
        load_predictor(replace(carried, files=((name, turned), *others)))
    assert caught.value.code == "bundle_damaged" and caught.value.params["file"] == name


def test_a_log_without_purchases_is_refused_and_says_what_it_holds(shop: Workspace, bundles: dict[str, Bundle]) -> None:
    engine = Engine(memory_limit_mb=512)
    dataset = open_dataset(shop, "shop")
    events = dataset.events(engine.connection)
    named = Warehouse(events.mutate(event_type=events.event_type.upper()), engine.connection)
    log = EventLog(None, engine.connection, named, dataset.log_start, dataset.log_end)
    with pytest.raises(Refused) as caught:
        scoring_query(log, bundles["bgnbd"], log.end, "Asia/Shanghai", Terms(60))
    engine.close()
    assert caught.value.code == "events_no_purchase" and "PURCHASE" in caught.value.params["types"]
