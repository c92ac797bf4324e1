"""What may be added is said once: where entries stand, what they promise, their texts, and the test that runs all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from clv_core.extension_points import POINTS, ExtensionPoint, loaded
from clv_core.i18n import LANGUAGES, catalogue

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
POINT = pytest.mark.parametrize("point", POINTS, ids=lambda point: "_".join(re.findall(r"\w+", point.name)[:4]))
PATH = re.compile(r"[\w-]+(/[\w-]+)*(/|\.(py|toml|yml|md))|[\w-]+(/[\w-]+)+")


@POINT
def test_a_point_has_entries_a_contract_and_a_test_that_runs_over_all_of_them(point: ExtensionPoint) -> None:
    assert point.entries() and len(point.contract.split()) > 5 and point.contract.strip().endswith(".")
    tests = [ROOT / "tests" / name for name in point.tests]
    assert [path for path in tests if not path.exists()] == []
    module, _, registry = point.registry.partition(":")
    assert (registry or Path(module).parent.name) in tests[0].read_text(encoding="utf-8")
    assert not point.entry or len((loaded(point.entry).__doc__ or "").split()) > 5
    assert not point.how or (ROOT / "assets" / "docs" / point.how).exists()


@POINT
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_entry_has_its_texts_in_every_language(point: ExtensionPoint, language: str) -> None:
    assert point.missing_texts(catalogue(language)) == []


@POINT
def test_what_a_point_names_is_there(point: ExtensionPoint) -> None:
    """Paths below the root, or beside one that is named before; and in these the names of tables."""
    quoted = re.findall(r"`([^`]+)`", f"{point.add} {point.brings}")
    named = [name for name in quoted if PATH.fullmatch(name)]
    found = {name: [*ROOT.glob(name), *(ROOT / "clv_core").rglob(name), *HERE.rglob(name)] for name in named}
    assert [name for name, paths in found.items() if not paths] == []
    files = [one for paths in found.values() for path in paths for one in (path, *path.glob("*.py")) if one.is_file()]
    texts = "".join(path.read_text(encoding="utf-8") for path in files)
    assert [name for name in quoted if re.fullmatch("[A-Z_]+", name) and f"{name}:" not in texts] == []
