"""A figure of quality has one name and one form wherever it is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from clv_core.deployment.bundle import list_bundles
from clv_core.deployment.registry import Registry
from clv_core.deployment.registry.model_card import model_card
from clv_core.evaluation.metrics import METRICS, format_metric
from clv_core.i18n import LANGUAGES, catalogue, translate
from clv_core.workspace import Workspace
from tests.pages.conftest import OPEN

THREE = ("gini", "bias", "mae")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_evaluate_models_and_the_model_card_name_and_round_a_figure_alike(
    open_page: OPEN, with_model: Path, lang: str
) -> None:
    bundle = list_bundles(Workspace(with_model))[0]
    found, currency = bundle.record.metrics, bundle.record.currency
    expected = {translate(f"metric.{name}", lang): format_metric(name, found[name], currency, lang) for name in THREE}
    for page in ("evaluate", "models"):
        shown = {one.label: one.value for one in open_page(with_model, page, lang=lang).metric}
        assert expected.items() <= shown.items(), page
    card = model_card(Registry(Workspace(with_model)).versions()[0], lang)
    for name, value in expected.items():
        assert f"| {name} | {value} |" in card


@pytest.mark.examples(2)
@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("page", ["segments", "evaluate", "models", "customer", "strategy", "explain", "explore"])
def test_each_figure_that_is_shown_explains_itself(open_page: OPEN, with_model: Path, page: str, lang: str) -> None:
    bare = [one.label for one in open_page(with_model, page, lang=lang).metric if not one.proto.help]
    assert bare == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_home_and_the_table_of_versions_head_the_ranking_as_evaluate_does(
    open_page: OPEN, with_model: Path, lang: str
) -> None:
    for page in ("home", "models"):
        tables = [one.value for one in open_page(with_model, page, lang=lang).dataframe]
        assert any(translate("metric.gini", lang) in table for table in tables), page


@pytest.mark.parametrize("lang", LANGUAGES)
def test_each_metric_has_a_name_and_a_meaning_of_its_own(lang: str) -> None:
    names = [translate(f"metric.{name}", lang) for name in METRICS]
    assert len(set(names)) == len(names)
    for name, term in (("gini", "Gini"), ("bias", "bias"), ("mae", "MAE")):
        said = translate(f"metric.{name}", lang)
        assert term in said.partition("(")[2] + said.partition("（")[2], "the term stands behind the plain words"
        assert translate(f"metric.{name}.meaning", lang)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_other_text_calls_the_ranking_by_a_shorter_name(lang: str) -> None:
    full = {"en": "normalized Gini", "zh": "归一化 Gini"}[lang]
    short = {key: text for key, text in catalogue(lang).items() if "Gini" in text.replace(full, "")}
    assert set(short) <= {"explore.held"}, "how spend is shared out is another Gini"
