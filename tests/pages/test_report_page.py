"""The report page: one click starts the run, and its files are offered with what they say."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from clv_core.collection.store.version_store import open_dataset
from clv_core.deployment.bundle import list_bundles
from clv_core.deployment.saved_scores import Scored
from clv_core.i18n import say_money, translate
from clv_core.jobs import NoProgress
from clv_core.strategy.experiments.treatment_effect import Experiment, Measured
from clv_core.strategy.forecast import forecast, forecast_path
from clv_core.strategy.plans.offers import Offer, with_measured_effects
from clv_core.strategy.plans.saved_offers import TIERS, SavedOffers, save_offers
from clv_core.strategy.segments.rfm_and_quadrant import QUADRANT
from clv_core.workspace import Workspace
from tests.pages.conftest import EFFECTS, OPEN, args_of, control, do, enter_effects, really, texts
from tests.strategy.report.test_report_content import PIXEL

pytestmark = pytest.mark.first(3)

ROOT = Path(__file__).resolve().parents[2]


def made(app: AppTest, root: Path) -> list[str]:
    """Press the button, wait for the run, and return its words."""
    do(app, "make_report")
    command = really(root, "report")
    app.run()
    return command


@pytest.mark.parametrize("lang", ("en", "zh"))
def test_one_click_makes_slides_and_a_page_with_a_plan_that_is_assumed(open_page: OPEN, root: Path, lang: str) -> None:
    assert translate("reporting.no_effect", lang) in texts(open_page(root, "report", lang=lang))
    enter_effects(root)
    app = open_page(root, "report", lang=lang)
    assert not app.error
    before = app.header[0].value
    work = Workspace(root)
    kept = Scored.open(work, "shop", list_bundles(work)[0].id).scores_path
    assert say_money(pd.read_parquet(kept)["predicted_clv"].sum(), "EUR", lang) in before
    assert translate("reporting.holds", lang) in texts(app)
    command = made(app, root)
    assert not app.error
    files = sorted(path.suffix for path in (root / "exports").glob(f"*-{lang}_*"))
    assert files == [".html", ".pptx"]
    assert command[:2] == ["report", "shop"] and "--budget" in command
    labels = [button.label for button in app.get("download_button")]
    assert labels == [translate("reporting.slides", lang), translate("reporting.page", lang)]
    page = next((root / "exports").glob("*.html")).read_text(encoding="utf-8")
    assert translate("report.plan.assumed", lang) in page and translate("report.plan.revenue", lang) in page
    assert app.header[0].value in page
    app.toggle(key="report_plan").set_value(False).run()
    assert app.header[0].value == before and translate("reporting.holds", lang) in texts(app)


def test_a_logo_goes_into_the_report_and_is_there_after_a_reload(open_page: OPEN, root: Path) -> None:
    app = open_page(root, "report", lang="en")
    app.file_uploader(key="report_logo").upload("logo.png", PIXEL).run()
    do(app, "make_report")
    words = args_of(root, "report")
    assert Path(words[words.index("--logo") + 1]).read_bytes() == PIXEL
    again = open_page(root, "report", lang="en")
    again.button(key="report_logo_remove").click().run()
    assert not (root / "branding" / "logo.png").exists()


@pytest.mark.slow
def test_the_day_on_which_refunds_count_goes_into_the_command(open_page: OPEN, root: Path) -> None:
    work = Workspace(root)
    forecast_path(Scored.open(work, "shop", list_bundles(work)[0].id)).unlink(missing_ok=True)
    app = open_page(root, "report", lang="en")
    assert translate("reporting.refunds", "en") not in [group.label for group in app.get("button_group")]
    forecast(Scored.open(work, "shop", list_bundles(work)[0].id), NoProgress())
    app.run()
    do(app, ("report_refunds", "order_date"), "make_report")
    words = args_of(root, "report")
    assert words[words.index("--refunds") + 1] == "order_date"


@pytest.mark.slow
def test_a_budget_of_nought_makes_a_report_without_a_plan(open_page: OPEN, root: Path) -> None:
    enter_effects(root)
    app = open_page(root, "report", lang="en")
    do(app, ("report_budget", 0.0))
    assert translate("reporting.no_budget", "en") in texts(app)
    command = made(app, root)
    assert not app.error and "--offer" not in command
    page = next((root / "exports").glob("*.html")).read_text(encoding="utf-8")
    assert translate("report.plan", "en") not in page


@pytest.mark.slow
def test_the_plan_is_of_the_offers_experiments_and_budget_of_the_strategy_page_in_the_language_of_the_report(
    open_page: OPEN, root: Path
) -> None:
    shown = Experiment((Measured(0, 400, 400, 4.0, 2.0, 6.0, 0.5),), 30)
    rows = ({"start": "mail", "tier1": 9.0}, {"start": None, "name": "Own", "cost": 1.0, "unit": "money", "tier1": 2.0})
    save_offers(open_dataset(Workspace(root), "shop"), SavedOffers({TIERS: rows}, {"Own": shown}, 80.0))
    app = open_page(root, "report", lang="en")
    app.get("button_group")[0].set_value("zh").run()
    assert not app.error
    assert control(app, "report_budget").value == 80.0
    do(app, ("terms_margin", 30.0))
    command = made(app, root)
    said = [Offer.parse(word) for word, before in zip(command[1:], command, strict=False) if before == "--offer"]
    assert [offer.name for offer in said] == [translate("budget.offer.mail", "zh"), "Own"]
    assert said[0].effects[1].value == 0.09 and not said[0].measured
    assert str(said[1]) == str(with_measured_effects(Offer.parse("name=Own,cost=1,effect=2"), shown, 0.3))
    assert command[command.index("--margin-rate") + 1] == "0.3"
    assert "未来 90 天" in texts(app)
    page = next((root / "exports").glob("*-zh_*.html")).read_text(encoding="utf-8")
    assert translate("warning.offer_window", "zh", offer="Own", days=30, horizon=90) in page


@pytest.mark.parametrize("kept", (None, 1e6))
def test_the_budget_that_is_offered_is_that_of_the_strategy_page(
    open_page: OPEN, root: Path, kept: float | None
) -> None:
    save_offers(open_dataset(Workspace(root), "shop"), SavedOffers({TIERS: EFFECTS}, budget=kept))
    [slider] = open_page(root, "strategy", lang="en").slider
    assert control(open_page(root, "report", lang="en"), "report_budget").value == slider.value > 0


@pytest.mark.slow
def test_the_plan_is_by_the_segments_that_the_strategy_page_plans_by(open_page: OPEN, root: Path) -> None:
    only = {f"tier{number}": None for number in (1, 2, 4)}
    rows = ({"start": "mail", "tier3": 2, **only}, {"start": "voucher", "tier3": 5, **only})
    save_offers(open_dataset(Workspace(root), "shop"), SavedOffers({QUADRANT: rows}, by=QUADRANT))
    app = open_page(root, "report", lang="en")
    command = made(app, root)
    assert command[command.index("--plan-scheme") + 1] == QUADRANT
    offers = [word for word, flag in zip(command[1:], command, strict=False) if flag == "--offer"]
    assert [list(Offer.parse(word).effects) for word in offers] == [[3], [3]]
    assert next((root / "exports").glob("*report-en*.html")).is_file()
