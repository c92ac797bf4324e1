"""The segments page under every scheme: what is shown is what the schemes say, and what a person settles is kept."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from clv_core.collection.store.version_store import open_dataset
from clv_core.deployment.bundle import list_bundles
from clv_core.deployment.saved_scores import Scored, score
from clv_core.i18n import LANGUAGES, say_change, say_money, say_number, translate
from clv_core.jobs import NoProgress
from clv_core.strategy.purchase_history import purchase_history, with_history
from clv_core.strategy.segments.rfm_and_quadrant import Quadrant, Rfm
from clv_core.strategy.segments.saved_segments import load_rules, remove_rules, save_rules, saved_rules
from clv_core.strategy.segments.scored_customers import KINDS, with_attributes
from clv_core.strategy.segments.segment_rules import Rules
from clv_core.workspace import Workspace
from pages.ui import widgets
from pages.ui.navigation import BY_NAME
from pages.ui.segments import overview
from tests.pages.conftest import OPEN, Offered, control, do, table_of, texts
from tests.pages.conftest import press as file_of

pytestmark = pytest.mark.first(12)

VIEWS = ("overview", "figures", "came", "names")
RULES = {"segments": [{"name": "Likely", "rules": ["p_purchase>=0.3"], "description": "Write to them"}]}


@pytest.fixture
def own(root: Path) -> Path:
    """A workspace of its own with a model and a set of rules."""
    save_rules(open_dataset(Workspace(root), "shop"), Rules.from_json(RULES, "Mine"))
    return root


def customers_of(root: Path) -> pd.DataFrame:
    work = Workspace(root)
    dataset = open_dataset(work, "shop")
    frame = Scored.open(work, "shop", list_bundles(work)[0].id).scores(NoProgress())
    return with_history(frame, purchase_history(dataset, dataset.log_end), dataset.log_end)


def opened(open_page: OPEN, root: Path, kind: str, view: str = "overview", lang: str = "en") -> AppTest:
    """Choose before the page is drawn: the harness words options in English, whatever the page speaks."""
    app = open_page(root, "home", lang=lang)
    app.session_state["scheme_kind"] = kind
    app.session_state["segments_view"] = view
    return app.switch_page(BY_NAME["segments"].path).run()


def add_rule(app: AppTest, column: str, operator: str, value: str) -> AppTest:
    steps = (("rule_segment", "Likely"), ("rule_column", column), ("rule_operator", operator), ("rule_value", value))
    return press(do(app, *steps), "rules.add.button")


def press(app: AppTest, label: str, lang: str = "en") -> AppTest:
    next(item for item in app.button if item.label == translate(label, lang)).click().run()
    return app


def sizes_of(app: AppTest) -> list[str]:
    return [item.value for item in app.metric if item.label == translate("segments.card.customers")]


def quadrant_of(app: AppTest, frame: pd.DataFrame) -> Quadrant:
    value, chance = (control(app, f"scheme_{name}").value for name in ("value", "chance"))
    return Quadrant(value, chance / 100).fit(frame)


@pytest.mark.examples(2)
@pytest.mark.parametrize("kind", KINDS)
def test_every_scheme_and_view_opens(open_page: OPEN, own: Path, kind: str) -> None:
    app = opened(open_page, own, kind)
    for view in VIEWS:
        app.segmented_control(key="segments_view").set_value(view).run()
        assert not app.error, view
        assert app.segmented_control(key="segments_view").value == view


@pytest.mark.examples(2)
@pytest.mark.parametrize(("kind", "view"), list(zip(KINDS, [*VIEWS, *VIEWS], strict=False)))
def test_every_scheme_and_view_opens_in_chinese(open_page: OPEN, own: Path, kind: str, view: str) -> None:
    app = opened(open_page, own, kind, view, "zh")
    assert not app.error
    assert translate(f"scheme.{kind}.help", "zh") in app.selectbox(key="scheme_kind").help


def test_quadrant_cards_hold_everybody_and_move_with_the_cut(open_page: OPEN, own: Path) -> None:
    app, frame = opened(open_page, own, "quadrant"), customers_of(own)
    before = sizes_of(app)
    do(app, ("scheme_chance", 50.0))
    placed = Quadrant(control(app, "scheme_value").value, 0.5).fit(frame).place(frame)
    assert sizes_of(app) == [f"{(placed.where == place).sum():,}" for place in range(4)] != before


def test_the_list_holds_the_chosen_segment_and_files_say_which(open_page: OPEN, own: Path) -> None:
    app = opened(open_page, own, "quadrant")
    frame = customers_of(own)
    app.pills(key="filter_quadrant").set_value([3]).run()
    listed = app.dataframe[0].value
    placed = quadrant_of(app, frame).place(frame)
    assert sorted(listed["customer_id"]) == sorted(frame["customer_id"][placed.where == 2])
    assert set(listed["tier_name"]) == {translate("segment.quadrant.win_back")}


def test_an_offer_s_break_even_stands_by_segment_and_is_the_last_column_of_the_files(
    open_page: OPEN, own: Path, offered: Offered
) -> None:
    app = opened(open_page, own, "quadrant")
    assert "break_even_uplift" not in table_of(offered["download_list_csv"])
    do(app, ("break_even_cost", 5.0))
    frame = customers_of(own)
    sums = frame.groupby(quadrant_of(app, frame).place(frame).where)[["p_purchase", "predicted_clv"]].sum()
    (table,) = [shown.value for shown in app.dataframe if "needed" in shown.value.columns]
    wanted = 500 * sums["p_purchase"] / sums["predicted_clv"]
    assert table["break_even_uplift"].tolist() == pytest.approx(wanted.tolist())
    rows = table_of(offered["download_list_csv"])
    assert [name for name in rows if name != "currency"][-1] == "break_even_uplift"


def test_a_range_of_nothing_under_a_value_is_explained_where_it_stands_and_in_the_side_file(
    open_page: OPEN, own: Path, offered: Offered
) -> None:
    customers = customers_of(own)
    nothing = customers[(customers["predicted_clv"] >= 0.005) & (customers["clv_p90"] < 0.005)]
    assert len(nothing) > 1 and (nothing["p_purchase"] < 0.1).all(), "fewer than one in ten buys"
    app = opened(open_page, own, "quadrant")
    said = translate("warning.range_zero", "en", customers=len(nothing))
    assert said in [caption.value for caption in app.caption]
    told = json.loads(file_of(offered["download_list_side"]))
    assert said in [one["message"] for one in told["assumptions"]]
    do(app, ("filter_p", 50))
    assert not [caption.value for caption in app.caption if "80% range is 0" in caption.value]


def test_names_that_are_saved_are_shown_on_cards_and_in_the_other_language(open_page: OPEN, own: Path) -> None:
    app = opened(open_page, own, "quadrant", "names")
    app.text_input(key="name_quadrant_win_back").set_value("Lost *loves*")
    app.text_input(key="about_quadrant_win_back").set_value("Write a letter")
    press(app, "segments.names.save")
    for lang in ("en", "zh"):
        said = " ".join(str(item.value) for item in opened(open_page, own, "quadrant", lang=lang).main.markdown)
        assert "Lost \\*loves\\*" in said
    captions = [item.value for item in opened(open_page, own, "quadrant").caption]
    assert "Write a letter" in captions


def test_a_condition_is_added_removed_and_kept(open_page: OPEN, own: Path) -> None:
    dataset = open_dataset(Workspace(own), "shop")
    app = add_rule(opened(open_page, own, "rules", "rules"), "historic_value", ">", "100")
    assert not app.error
    [rule] = load_rules(dataset, "Mine").rules
    assert [str(one) for one in rule.conditions] == ["p_purchase>=0.3", "historic_value>100"]
    assert len(press(do(app, ("rule_value", "much")), "rules.add.button").error) == 1
    assert len(load_rules(dataset, "Mine").rules[0].conditions) == 2
    app.button(key="drop_0_0").click().run()
    assert [str(one) for one in load_rules(dataset, "Mine").rules[0].conditions] == ["historic_value>100"]
    app.toggle(key="overlap_Mine").set_value(True).run()
    assert load_rules(dataset, "Mine").overlapping


def test_the_first_segment_is_written_into_a_field_that_keeps_it(open_page: OPEN, own: Path) -> None:
    dataset = open_dataset(Workspace(own), "shop")
    remove_rules(dataset, "Mine")
    app = opened(open_page, own, "rules")
    press(do(app, ("rule_segment_first", "Best *ones*"), ("rule_value", "50")), "rules.add.button")
    assert not app.error
    [rule] = load_rules(dataset, translate("rules.set.usual")).rules
    assert rule.name == "Best *ones*"
    assert opened(open_page, own, "rules", "rules").selectbox(key="rule_segment").options == ["Best *ones*"]


def test_amounts_that_are_typed_have_the_currency_beside_them(open_page: OPEN, own: Path) -> None:
    for kind, key in (("quadrant", "high_value"), ("cost", "cost")):
        labels = [item.label for item in opened(open_page, own, kind).number_input]
        assert f"{translate(f'segments.{key}')}, EUR" in labels


def test_a_rule_may_ask_for_behaviour_and_for_columns_of_the_log(open_page: OPEN, own: Path) -> None:
    dataset = open_dataset(Workspace(own), "shop")
    for column, operator, value in (("country", "=", "GB"), ("views_90d", ">=", "1")):
        app = add_rule(opened(open_page, own, "rules", "rules"), column, operator, value)
        assert not app.error
    assert "Last country is GB" in " ".join(str(item.value) for item in app.main.markdown)
    [rule] = load_rules(dataset, "Mine").rules
    known = with_attributes(customers_of(own), dataset, dataset.log_end, ("country", "views_90d"))
    app = opened(open_page, own, "rules")
    assert sizes_of(app)[0] == say_number(rule.holds(known).sum())


def test_shares_are_typed_in_percent_and_kept_as_rules_have_them(open_page: OPEN, own: Path) -> None:
    dataset = open_dataset(Workspace(own), "shop")
    app = opened(open_page, own, "rules", "rules")
    for value in ("0.125", "12.5"):
        add_rule(app, "top_category_share", ">=", value)
        assert len(app.error) == (value == "0.125")
    assert "at least 12.5%" in written(app)
    [rule] = load_rules(dataset, "Mine").rules
    assert [str(one) for one in rule.conditions] == ["p_purchase>=0.3", "top_category_share>=0.125"]


@pytest.mark.parametrize(("lang", "said"), [("en", "at least 30%"), ("zh", "不低于 30%")])
def test_rules_that_were_saved_before_are_read_in_percent(open_page: OPEN, own: Path, lang: str, said: str) -> None:
    app = opened(open_page, own, "rules", "rules", lang)
    assert said in written(app) and "0.3" not in written(app) and not app.error


def written(app: AppTest) -> str:
    return " ".join(str(item.value) for item in app.main.markdown)


def test_without_rules_the_page_says_how_to_make_them(open_page: OPEN, with_model: Path) -> None:
    app = opened(open_page, with_model, "rules")
    assert translate("rules.empty") in [item.value for item in app.caption]
    assert press(do(app, ("rule_value", "0.3")), "rules.add.button").error


def test_rules_on_a_column_that_is_gone_say_so_and_can_be_mended(open_page: OPEN, own: Path) -> None:
    dataset = open_dataset(Workspace(own), "shop")
    value = {"segments": [{"name": "Martians", "rules": ["planet=Mars"]}]}
    save_rules(dataset, Rules.from_json(value, "Mine"))
    app = opened(open_page, own, "rules")
    assert len(app.error) == 1 and "planet" in app.error[0].value
    assert app.button(key="rules_delete")


def test_movement_scores_the_earlier_day_first_and_then_counts_who_moved(open_page: OPEN, own: Path) -> None:
    work = Workspace(own)
    dataset, model = open_dataset(work, "shop"), list_bundles(work)[0].id
    app = opened(open_page, own, "rfm", "moved")
    assert any(translate("job.cancel") == item.label for item in app.button)
    for job in (own / "jobs").iterdir():
        shutil.rmtree(job)
    score(Scored.open(work, "shop", model, cutoff=dataset.log_end - timedelta(days=30)), progress=NoProgress())
    app = opened(open_page, own, "rfm", "moved")
    rows = app.dataframe[0].value
    assert rows["now"].sum() == len(customers_of(own)) and rows["left"].sum() == rows["joined"].sum() > 0


def test_predicted_and_real_adds_up_the_holdout(open_page: OPEN, own: Path) -> None:
    bundle = list_bundles(Workspace(own))[0]
    holdout = bundle.holdout()
    assert holdout is not None
    ours = holdout[holdout["model"] == bundle.record.model]
    rows = opened(open_page, own, "quadrant", "came").dataframe[0].value
    assert rows["actual"].sum() == pytest.approx(ours["actual"].sum())
    assert rows["predicted"].sum() == pytest.approx(ours["predicted_clv"].sum())


def test_who_is_in_two_segments_counts_once_in_what_was_predicted_and_what_came(open_page: OPEN, own: Path) -> None:
    twice = [{"name": name, "rules": ["p_purchase>=0"]} for name in ("All of them", "And again")]
    save_rules(open_dataset(Workspace(own), "shop"), Rules.from_json({"segments": twice, "overlapping": True}, "Mine"))
    holdout = list_bundles(Workspace(own))[0].holdout(list_bundles(Workspace(own))[0].record.model)
    assert holdout is not None
    app = opened(open_page, own, "rules", "came")
    assert app.dataframe[0].value["actual"].sum() == pytest.approx(2 * holdout["actual"].sum())
    said = [say_money(float(holdout[column].sum()), "EUR") for column in ("predicted_clv", "actual")]
    assert any(widgets.escape("Predicted {}, actual {}".format(*said)) in one.value for one in app.markdown)


def test_many_customers_are_not_sent_to_the_browser(
    open_page: OPEN, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "MAX_ROWS", 50)
    app = open_page(own, "segments", lang="en")
    count = len(customers_of(own))
    assert len(app.dataframe[0].value) == 50
    assert translate("segments.first", shown="50", customers=f"{count:,}") in [item.value for item in app.caption]
    assert any(f"**{count:,}**" in item.value for item in app.markdown)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_chart_titles_say_how_likely_those_to_win_back_are_and_shares_of_the_same_whole(
    open_page: OPEN, own: Path, lang: str
) -> None:
    frame = customers_of(own)
    worth = frame["predicted_clv"]
    placed = Rfm().fit(frame).place(frame)
    best = placed.where < 2
    first, second = (placed.segments[place].name(lang) for place in range(2))
    shares = {"share": f"{best.mean():.0%}", "value": f"{worth[best].sum() / worth.sum():.0%}"}
    said = translate("segments.rfm.message", lang, first=first, second=second, **shares)
    assert f"**{widgets.escape(said)}**" in [
        item.value for item in opened(open_page, own, "rfm", lang=lang).main.markdown
    ]
    app = opened(open_page, own, "quadrant", lang=lang)
    back = frame[quadrant_of(app, frame).place(frame).where == 2]
    message = translate(
        "segments.quadrant.message" if len(back) else "segments.quadrant.nobody",
        lang,
        name=translate("segment.quadrant.win_back", lang),
        customers=say_number(len(back), lang),
        share=f"{back['p_purchase'].mean():.0%}",
        value=say_money(back["predicted_clv"].sum(), "EUR", lang),
    )
    assert f"**{widgets.escape(message)}**" in [item.value for item in app.main.markdown]


@pytest.mark.examples(2)
@pytest.mark.parametrize("text", ["10;30;60", "10，30，60", " 10 30 60 ", "10、30；60"])
def test_cuts_are_read_however_they_are_parted(open_page: OPEN, own: Path, text: str) -> None:
    app = opened(open_page, own, "quantile")
    tables = len(app.dataframe)
    app.text_input(key="scheme_cuts_quantile").set_value(text).run()
    assert not app.error and not app.warning and len(app.dataframe) == tables


@pytest.mark.parametrize("text", ["abc", "60;30;10"])
def test_cuts_that_make_no_scheme_leave_the_last_that_did(open_page: OPEN, own: Path, text: str) -> None:
    app = do(opened(open_page, own, "quantile"), ("scheme_cuts_quantile", "20, 50"))
    before = [chart.proto.spec for chart in app.get("plotly_chart")], len(app.dataframe)
    app.text_input(key="scheme_cuts_quantile").set_value(text).run()
    assert not app.error
    assert [one.value for one in app.warning] == [translate("segments.wrong.quantile", "en", last="20, 50")]
    assert "quantile:" not in app.warning[0].value
    assert ([chart.proto.spec for chart in app.get("plotly_chart")], len(app.dataframe)) == before


def test_a_miss_is_said_as_on_evaluate(open_page: OPEN, own: Path) -> None:
    app = opened(open_page, own, "quantile", "came")
    bias = list_bundles(Workspace(own))[0].record.metrics["bias"]
    said = say_change(bias)
    assert said[0] in "+−" and any(widgets.escape(f"({said})") in one.value for one in app.markdown)


def test_the_segment_named_as_furthest_off_has_the_largest_difference_in_the_table(open_page: OPEN, own: Path) -> None:
    app = opened(open_page, own, "quantile", "came")
    rows = app.dataframe[0].value
    assert rows["gap"].to_numpy() == pytest.approx((rows["predicted"] - rows["actual"]).to_numpy())
    came = rows[rows["actual"] > 0]
    assert came["off"].to_numpy() == pytest.approx((100 * came["gap"] / came["actual"]).to_numpy()), "numbers sort"
    worst = rows.loc[rows["gap"].abs().idxmax()]
    key = "segments.came.over" if worst["gap"] >= 0 else "segments.came.under"
    said = translate(key, "en", amount=say_money(abs(worst["gap"]), "EUR"))
    assert any(said in one.value and str(worst["name"]) in one.value for one in app.markdown)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_who_many_segments_are_is_said_in_lines_that_are_not_cut(open_page: OPEN, own: Path, lang: str) -> None:
    app = opened(open_page, own, "rfm", lang=lang)
    name, about = (translate(f"segment.rfm.champions{end}", lang) for end in ("", ".about"))
    assert f"- **{name}** – {widgets.escape(about)}" in texts(app)
    assert "description" not in app.dataframe[0].value


def test_a_segment_moves_up_one_place(open_page: OPEN, own: Path) -> None:
    dataset = open_dataset(Workspace(own), "shop")
    three = [{"name": name, "rules": [f"p_purchase>={least}"]} for name, least in (("A", 0.9), ("B", 0.5), ("C", 0.1))]
    save_rules(dataset, Rules.from_json({"segments": three}, "Mine"))
    do(opened(open_page, own, "rules", "rules"), "up_1")
    assert [one.name for one in load_rules(dataset, "Mine").rules] == ["B", "A", "C"]


def test_a_click_on_a_bar_lists_its_customers(monkeypatch: pytest.MonkeyPatch) -> None:
    state: dict[str, Any] = {"bars": {"selection": {"points": [{"point_index": 1}, {"point_index": 1}]}}}
    monkeypatch.setattr(overview.st, "session_state", state)
    overview.filter_by_bar("bars", [3, 1, 2], "filter_tiers_3")
    assert state["filter_tiers_3"] == [1]


def test_rules_are_deleted_only_after_a_second_press(open_page: OPEN, own: Path) -> None:
    dataset = open_dataset(Workspace(own), "shop")
    save_rules(dataset, Rules.from_json({"segments": [{"name": "All", "rules": ["p_purchase>=0"]}]}, "Gone"))
    app = opened(open_page, own, "rules", "rules")
    app.selectbox(key="rules_name").set_value("Gone").run()
    app.button(key="rules_delete").click().run()
    assert load_rules(dataset, "Gone").rules
    app.button(key="confirm").click().run()
    assert "Gone" not in saved_rules(dataset)
