"""What the service says of some customers is what ``score`` says of them among all."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clv_core.collection.store.version_store import open_dataset
from clv_core.config import OWN
from clv_core.deployment.api.batcher import ScoringTask, run_tasks
from clv_core.deployment.api.model_info import resolve_model
from clv_core.deployment.api.model_runner import FIGURES, load_scorer
from clv_core.deployment.api.schemas import REQUEST
from clv_core.deployment.api.workers import ThreadWorker
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.population_context import PopulationContext, load_population_context, population_context_path
from clv_core.deployment.registry import Registry
from clv_core.deployment.saved_scores import Scored, score
from clv_core.features.log import open_log
from clv_core.jobs import NoProgress
from clv_core.training.fit import MODELS, FitTask
from clv_core.training.windows import training_data
from clv_core.workspace import Workspace, read_json
from tests.conftest import own_copy
from tests.deployment.kinds import CONFIG, kept
from tests.near import assert_near
from tests.training.own_models import CODE

pytestmark = pytest.mark.first(4)


def said(
    workspace: Workspace,
    bundle: Bundle,
    customers: list[dict[str, Any]],
    as_of: date,
    sizes: tuple[int, ...],
    together: bool = True,
) -> list[dict[str, Any]]:
    """Score customers in requests of some sizes, all in one call or each in its own."""

    async def scored() -> list[list[dict[str, Any]]]:
        worker, asked, start = ThreadWorker(workspace), [], 0
        model = await worker.load(resolve_model(workspace, Registry(workspace), bundle.id))
        while start < len(customers):
            size = sizes[len(asked) % len(sizes)]
            read = REQUEST.validate_python({"customers": customers[start : start + size]}, strict=False)
            asked.append(ScoringTask.of(model, as_of, read["customers"], False, "en"))
            start += size
        try:
            calls = [asked] if together else [[one] for one in asked]
            return [part for call in calls for part in await run_tasks(worker, call)]
        finally:
            await worker.close()

    return [one for part in asyncio.run(scored()) for one in part]


@pytest.mark.examples(3)
@pytest.mark.parametrize(
    ("kind", "together"),
    [
        ("hybrid", False),
        ("bgnbd", True),
        ("paretonbd", True),
        ("blend", False),
        ("lightgbm", True),
        ("hybrid", True),
        ("blend", True),
    ],
)
def test_online_is_batch_however_few_are_asked_about_in_a_call(
    shop: Workspace, bundles: dict[str, Bundle], sent: dict[str, dict[str, Any]], kind: str, together: bool
) -> None:
    bundle, dataset = bundles[kind], open_dataset(shop, "shop")
    customers = [sent[who] for who in np.random.default_rng(3).permutation(sorted(sent))]
    ids = [one["customer_id"] for one in customers]
    whole = score(Scored.open(shop, "shop", bundle.id), progress=NoProgress()).set_index("customer_id").loc[ids]
    sizes = (1, 1, 40, 7, 1, 150) if together else (1, 2, 5, 20)
    answers = said(shop, bundle, customers, dataset.log_end, sizes, together)
    assert [one["customer_id"] for one in answers] == ids and len(ids) > 300
    for name in FIGURES:
        assert_near([one[name] for one in answers], whole[name], name)
    assert len({one["predicted_clv"] for one in answers}) > 50


def test_what_comes_at_or_after_the_cutoff_changes_nothing(
    shop: Workspace, bundles: dict[str, Bundle], sent: dict[str, dict[str, Any]]
) -> None:
    bundle, end = bundles["hybrid"], open_dataset(shop, "shop").log_end
    some = [sent[who] for who in sorted(sent)[:20]]
    later = {"event_time": f"{end}T00:00:00", "event_type": "purchase", "amount": 1e6}
    more = [{**one, "events": [*one["events"], later]} for one in some]
    assert said(shop, bundle, more, end, (20,)) == said(shop, bundle, some, end, (20,))


def test_the_answer_for_a_later_day_knows_of_the_silence(
    shop: Workspace, bundles: dict[str, Bundle], sent: dict[str, dict[str, Any]]
) -> None:
    end = open_dataset(shop, "shop").log_end
    buyers = [one for one in sent.values() if sum(e["event_type"] == "purchase" for e in one["events"]) > 2][:20]
    for kind in ("bgnbd", "blend"):
        now, later = (said(shop, bundles[kind], buyers, day, (20,)) for day in (end, end + timedelta(days=300)))
        assert sum(one["p_purchase"] for one in later) < 0.7 * sum(one["p_purchase"] for one in now)


def test_an_attribute_that_is_not_sent_is_unknown_and_one_of_another_kind_too(
    shop: Workspace, bundles: dict[str, Bundle], sent: dict[str, dict[str, Any]]
) -> None:
    bundle, end, registry = bundles["lightgbm"], open_dataset(shop, "shop").log_end, Registry(shop)
    scorer = load_scorer(shop, registry, resolve_model(shop, registry, bundle.id))
    assert scorer.attributes == {"age": "number"}
    known = [one for one in sent.values() if "attributes" in one][:30]
    without = [{name: value for name, value in one.items() if name != "attributes"} for one in known]
    texts = [{**one, "attributes": {"age": "old", "shoe": 44}} for one in known]
    assert said(shop, bundle, without, end, (30,)) == said(shop, bundle, texts, end, (30,))


def test_surroundings_come_back_from_disk_and_hold_no_customer(
    shop: Workspace, bundles: dict[str, Bundle], sent: dict[str, dict[str, Any]]
) -> None:
    scored = Scored.open(shop, "shop", bundles["blend"].id)
    made = load_population_context(scored)
    path = population_context_path(scored)
    again = PopulationContext.from_json(read_json(path))
    assert again.to_json() == made.to_json() and again.context is not None and again.level != 1
    text = path.read_text()
    assert not [who for who in sent if who in text]


def test_a_class_of_the_user_s_own_is_given_every_feature_online_too(
    shop: Workspace, sent: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    workspace = own_copy(shop, tmp_path)
    dataset, config = open_dataset(workspace, "shop"), replace(CONFIG, model=OWN, code=CODE)
    log = open_log(dataset)
    train = training_data(log, log.end, config, NoProgress())
    fitted = MODELS[OWN].fit(FitTask(train, config, tmp_path / "run", NoProgress(), "training"))
    bundle = kept(workspace, dataset, config, fitted.model)
    Registry(workspace).register(bundle)
    whole = score(Scored.open(workspace, "shop", bundle.id), progress=NoProgress()).set_index("customer_id")
    customers = [sent[who] for who in sorted(sent)[:100]]
    answers = said(workspace, bundle, customers, dataset.log_end, (1, 40))
    ids = [one["customer_id"] for one in customers]
    for name in FIGURES:
        assert_near([one[name] for one in answers], whole.loc[ids, name], name)
    assert len({one["predicted_clv"] for one in answers}) > 20
