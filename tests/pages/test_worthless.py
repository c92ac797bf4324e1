"""A log of which every purchase has an amount of 0 has no value to predict: no page offers to, and no run does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from clv_core import pipeline
from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import open_dataset
from clv_core.config import TrainConfig
from clv_core.deployment.saved_evaluation import tune
from clv_core.deployment.zero_shot import zero_shot
from clv_core.errors import NotEnoughData
from clv_core.evaluation.backtest import BacktestPlan, backtest
from clv_core.i18n import translate
from clv_core.jobs import NoProgress, jobs
from clv_core.workspace import Workspace
from tests.pages.conftest import OPEN

ROWS = [f"c{n % 40},2023-{1 + n // 28 % 12:02}-{1 + n % 28:02}" for n in range(336)]


def log(amounts: Callable[[int], str]) -> str:
    return "\n".join(["customer_id,event_time,amount", *(f"{row},{amounts(n)}" for n, row in enumerate(ROWS))])


@pytest.fixture(scope="module")
def worthless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("worthless")
    (root / "log.csv").write_text(log(lambda _: "0"))
    ingest(Workspace(root), root / "log.csv", "shop")
    return root


@pytest.mark.parametrize("lang", ("en", "zh"))
@pytest.mark.parametrize(("page", "key"), (("train", "start_training"), ("look", "look_again")))
def test_nothing_is_offered_to_be_learned_from_it(
    open_page: OPEN, worthless: Path, page: str, key: str, lang: str
) -> None:
    app = open_page(worthless, page, lang=lang)
    assert translate("error.no_value", lang) in [one.value for one in app.markdown]
    assert key not in [button.key for button in app.button] and not jobs(Workspace(worthless))


def test_the_look_before_it_is_saved_promises_no_horizon(open_page: OPEN, tmp_path: Path) -> None:
    app = open_page(tmp_path, "upload", lang="en")
    app.file_uploader[0].set_value([("log.csv", log(lambda _: "0").encode(), "text/csv")]).run()
    assert translate("error.no_value") in [one.value for one in app.error] and not app.success


def test_no_run_learns_from_it(worthless: Path) -> None:
    work, config = Workspace(worthless), TrainConfig(horizon_days=30, model="naive")
    runs: tuple[Callable[[], object], ...] = (
        lambda: pipeline.train(work, "shop", config, progress=NoProgress()),
        lambda: zero_shot(work, "shop", progress=NoProgress()),
        lambda: tune(work, "shop", config, trials=1, origins=1, progress=NoProgress()),
        lambda: backtest(work, "shop", config, BacktestPlan(["naive"]), progress=NoProgress()),
    )
    for run in runs:
        with pytest.raises(NotEnoughData) as caught:
            run()
        assert caught.value.code == "no_value"


@pytest.mark.parametrize("amounts", (lambda n: str(n % 2), lambda n: str(1 - 2 * (n % 2))), ids=("some 0", "sum 0"))
def test_amounts_of_nothing_beside_others_and_a_sum_of_nothing_are_no_reason(
    amounts: Callable[[int], str], tmp_path: Path
) -> None:
    (tmp_path / "log.csv").write_text(log(amounts))
    ingest(Workspace(tmp_path), tmp_path / "log.csv", "shop")
    open_dataset(Workspace(tmp_path), "shop").check_value()
