"""A model beside another version of its dataset than the one it learned from."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import open_dataset, restore
from clv_core.deployment.bundle import list_bundles
from clv_core.deployment.saved_scores import Scored
from clv_core.i18n import translate
from clv_core.jobs import NoProgress
from clv_core.monitoring.monitor import monitor
from clv_core.preprocessing.clean import clean
from clv_core.workspace import Workspace
from tests.pages.conftest import OPEN, SAMPLE, details

RULES = {"en": "Cleaning rules of", "zh": "的清洗规则在训练后"}


def warned(app: AppTest) -> str:
    return "\n".join(item.value for item in app.warning)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_other_cleaning_rules_than_the_model_learned_with_are_said(open_page: OPEN, root: Path, lang: str) -> None:
    work, marks = Workspace(root), RULES[lang]
    learned = open_dataset(work, "shop").version
    assert marks not in warned(open_page(root, "evaluate", lang=lang))
    clean(work, "shop", {"outliers": 9.0})
    said = warned(open_page(root, "evaluate", lang=lang))
    assert marks in said and translate("clean.outliers.title", lang) in said and "9" in said
    assert translate("learned_from.no_rule", lang) in said
    restore(work, "shop", learned)
    assert marks not in warned(open_page(root, "evaluate", lang=lang))


def test_a_log_that_ends_before_the_model_does_is_said(open_page: OPEN, root: Path, tmp_path: Path) -> None:
    work, lines = Workspace(root), SAMPLE.read_text().splitlines()
    (tmp_path / "short.csv").write_text("\n".join([lines[0], *(line for line in lines[1:] if "2024-12" not in line)]))
    ingest(work, tmp_path / "short.csv", "shop", currency="EUR")
    monitor(Scored.open(work, "shop", list_bundles(work)[0].id), progress=NoProgress())
    app = details(open_page(root, "monitor", lang="en"))
    assert "ends on 30 Nov 2024, but the model was trained on data to 31 Dec 2024" in warned(app)
    assert any("Data ends on 30 Nov 2024, before" in item.value for item in app.caption)
    assert "30 Nov 2024" not in warned(open_page(root, "datasets", lang="en")), "it shows nothing of the model's"
