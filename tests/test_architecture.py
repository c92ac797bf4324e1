"""The layout's rules, held over every file that is there."""

from __future__ import annotations

import ast
import fnmatch
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import TopologicalSorter
from importlib import import_module
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import NUMERIC

ROOT = Path(__file__).resolve().parent.parent
CORE = ROOT / "clv_core"
FILES = sorted(set(CORE.rglob("*.py")) - {CORE / "__init__.py"})
"""Without the door, whose names are loaded when they are used."""
PAGE_FILES = sorted((ROOT / "pages").rglob("*.py")) + [ROOT / "app.py"]

FOUNDATION = (
    *("columns", "errors", "disk", "config", "environment", "workspace", "scratch", "jobs", "i18n", "audit", "locks"),
    *("records", "float_arrays", "reader_process", "program_files", "secrets_by_reference", "extension_points"),
    *("pace", "audit_chain"),
)
ORDER = (
    FOUNDATION,
    ("collection",),
    ("preprocessing",),
    ("btyd",),
    ("features",),
    ("model",),
    ("training",),
    ("evaluation",),
    ("deployment",),
    ("strategy",),
    ("monitoring",),
    ("upkeep",),
    ("erasure",),
    ("pipeline",),
    ("plot",),
    ("mcp_answers",),
    ("estimator", "mcp_server"),
    ("commands",),
    ("cli",),
    ("__main__",),
)
LEVEL = {name: level for level, names in enumerate(ORDER) for name in names}

INFER = ("plan", "columns", "money", "orders")

FORBIDDEN_MODULES = {
    "streamlit", "plotly", "matplotlib", "pages", "app", "tests",
    "pickle", "cPickle", "joblib", "dill", "cloudpickle", "marshal", "shelve",
}  # fmt: skip
FORBIDDEN_CALLS = {
    "eval", "exec", "compile",
    "torch.load", "torch.save", "pd.read_pickle", "pandas.read_pickle", "np.load", "numpy.load", "yaml.load",
}  # fmt: skip
FORBIDDEN_METHODS = {"to_pickle", "read_pickle"}

ASKED_ELSEWHERE = {
    *("pyspark", "numba", "mcp", "mcp_types", "pymysql", "keyring", "IPython"),
    *("adbc_driver_postgresql", "adbc_driver_snowflake", "adbc_driver_bigquery"),
}
"""Extras; what is left out where it is there (:mod:`clv_core.evaluation.explain.shapley`); what a notebook brings."""
COME_ALONG = ("pydantic", "fastapi")
"""Libraries whose own needs are part of how they are used."""
TAKEN_BY_OTHERS = {
    "httptools": "uvicorn",  # the protocol that ``deployment/api/connections.py`` derives its own from is made of it
    "uvloop": "uvicorn",  # its event loop, wherever that is installed
    "authlib": "streamlit",  # at the first sign-in
}
"""Requirements that no file here imports, and the library that imports them; none of its own requirements."""

REQUIRED_AT_ROOT = {
    "ARCHITECTURE.md", "CONTRIBUTING.md", "LICENSE", "SECURITY.md",
    "README.md", "Makefile", "pyproject.toml", "requirements.txt", "CHANGELOG.md", ".gitignore",
    ".streamlit", ".ci", "app.py", "pages", "clv_core", "tests", "assets",
    "Dockerfile", ".dockerignore", "compose.yaml",
}  # fmt: skip


def stage(module: str) -> str:
    """Return the part of ``clv_core`` that a dotted module belongs to."""
    return module.split(".")[1] if "." in module else "__init__"


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def imports(tree: ast.AST, path: Path) -> Iterator[tuple[str, int]]:
    """Yield every module that a file imports, at its top or deferred, with the line."""
    package = list(path.relative_to(ROOT).parent.parts)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                yield f"{base}.{alias.name}", node.lineno
        elif isinstance(node, ast.Call) and called(node) in ("importlib.import_module", "import_module", "__import__"):
            target = node.args[0]
            if isinstance(target, ast.Constant):
                yield str(target.value), node.lineno
            elif isinstance(target, ast.JoinedStr) and isinstance(target.values[0], ast.Constant):
                yield str(target.values[0].value).rstrip("."), node.lineno


def called(node: ast.Call) -> str:
    """Return the dotted name of what is called, or an empty text."""
    return ast.unparse(node.func) if isinstance(node.func, (ast.Name, ast.Attribute)) else ""


def forbidden(tree: ast.AST, path: Path) -> list[str]:
    """Return what a file of the core must not hold."""
    found = [
        f"{path.name}:{line} imports {name}"
        for name, line in imports(tree, path)
        if name.split(".")[0] in FORBIDDEN_MODULES - ({"plotly"} if path.is_relative_to(CORE / "plot") else set())
    ]
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = called(node)
        method = name.rpartition(".")[2]
        evaluates_text = method == "eval" and bool(node.args or node.keywords)  # network.eval() takes nothing
        if name in FORBIDDEN_CALLS or method in FORBIDDEN_METHODS or evaluates_text:
            found.append(f"{path.name}:{node.lineno} calls {name}")
    return found


def backward(tree: ast.AST, path: Path) -> list[str]:
    """Return the imports of a file that go against the loop's direction."""
    here = LEVEL.get(stage(module_name(path)), 0)
    return [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for name, line in imports(tree, path)
        if name.startswith("clv_core.") and LEVEL.get(stage(name), 0) > here
    ]


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def test_every_part_of_the_core_has_its_place_in_the_order() -> None:
    parts = {path.stem for path in CORE.glob("*.py")} | {path.parent.name for path in CORE.glob("*/__init__.py")}
    assert parts - {"__init__"} <= set(LEVEL)


def test_every_file_imports_along_the_loop_draws_nothing_and_unpickles_nothing() -> None:
    found = [line for path in FILES for line in (*backward(parse(path), path), *forbidden(parse(path), path))]
    for path in PAGE_FILES:
        for name, line in imports(parse(path), path):
            if name.split(".")[0] in {"pickle", "joblib", "dill", "shelve"} or name.startswith("clv_core.cli"):
                found.append(f"{path.name}:{line} imports {name}")
    assert found == ["reader_process.py:12 imports pickle"]  # between two processes of ours; no file is unpickled


@pytest.mark.parametrize(
    ("source", "offence"),
    [
        ("def f():\n    from clv_core.training import loop", "clv_core.training.loop"),
        ("from ..evaluation.metrics import METRICS", "clv_core.evaluation.metrics.METRICS"),
        ("import importlib\nimportlib.import_module('clv_core.cli')", "clv_core.cli"),
        ("from clv_core import pipeline", "clv_core.pipeline"),
    ],
)
def test_the_direction_rule_sees_deferred_and_relative_imports(source: str, offence: str) -> None:
    assert [found.rpartition(" ")[2] for found in backward(ast.parse(source), CORE / "features" / "x.py")] == [offence]


def test_one_room_draws() -> None:
    plotly = ast.parse("import plotly.graph_objects")
    assert forbidden(plotly, CORE / "plot" / "x.py") == [] != forbidden(plotly, CORE / "model" / "x.py")
    assert forbidden(ast.parse("import streamlit"), CORE / "plot" / "x.py") != []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle", "def f():\n    import streamlit as st", "from pages.ui import state", "torch.load('x')",
        "eval('1')", "frame.eval('a + b')", "frame.to_pickle('x')", "import plotly.express", "np.load('x')",
    ],
)  # fmt: skip
def test_the_core_rule_sees_each_offence(source: str) -> None:
    assert len(forbidden(ast.parse(source), CORE / "model" / "x.py")) == 1


def test_a_network_may_be_put_into_evaluation_mode() -> None:
    assert forbidden(ast.parse("network.eval()"), CORE / "model" / "x.py") == []


def test_every_page_lies_in_the_folder_of_its_section() -> None:
    """Beside the shell it would have no place in the menu."""
    assert [path.name for path in (ROOT / "pages").glob("*.py")] == ["shell.py"]


def rooms_of(house: Path) -> set[str]:
    """Return the rooms of a package: its folders."""
    return {path.parent.name for path in house.glob("*/*.py")}


def needed(files: Iterable[Path], house: Path) -> set[str]:
    """Return the rooms of a package that imports of some files lead into."""
    prefix, rooms = list(house.relative_to(ROOT).parts), rooms_of(house)
    names = [name.split(".") for path in files for name, _ in imports(parse(path), path)]
    deep = len(prefix)
    return {parts[deep] for parts in names if parts[:deep] == prefix and len(parts) > deep} & rooms


def test_no_two_rooms_of_a_package_need_each_other() -> None:
    packages = {path.parent.parent for path in CORE.rglob("__init__.py")} - {CORE, ROOT}
    for house in (ROOT / "pages" / "ui", *packages):
        needs = {room: needed((house / room).rglob("*.py"), house) - {room} for room in rooms_of(house)}
        assert set(TopologicalSorter(needs).static_order()) == set(needs)  # raises CycleError where two do


def test_imports_within_infer_go_one_way() -> None:
    """Along the order that its docstring says: what a room is about can be read without what comes after it."""
    house, order = CORE / "collection" / "infer", INFER
    needs = {room: needed((house / room).glob("*.py"), house) for room in order}
    assert set(order) == rooms_of(house)
    assert {room: needs[room] - set(order[: at + 1]) for at, room in enumerate(order)} == dict.fromkeys(order, set())
    said = ast.get_docstring(parse(house / "__init__.py")) or ""
    assert re.findall(r"``(\w+)``", said) == list(order)


@cache
def door(package: str) -> dict[str, str]:
    """Return what a package names for other rooms: name -> module that it comes from."""
    place = ROOT.joinpath(*package.split("."))
    stub, init = place / "__init__.pyi", place / "__init__.py"
    tree = parse(stub if stub.exists() else init)
    named = {
        alias.name: f"{package}.{node.module}" if node.level else str(node.module)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    written = [*ast.iter_child_nodes(tree)]
    own = {node.name for node in written if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    for node in written:
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            names = [name for name in ast.walk(node) if isinstance(name, ast.Name)]
            own |= {name.id for name in names if isinstance(name.ctx, ast.Store)}
    return {**dict.fromkeys(own, package), **named}


def past_a_door(tree: ast.AST, path: Path) -> set[str]:
    """Return what a file takes from other rooms of the core, but not by a door."""
    own = path.relative_to(CORE).parts[0] if path.is_relative_to(CORE) else ""
    found = set()
    for node in ast.walk(tree):
        parts = str(node.module).split(".") if isinstance(node, ast.ImportFrom) and not node.level else [""]
        if parts[0] != "clv_core" or len(parts) < 2 or parts[1] == own or not (CORE / parts[1]).is_dir():
            continue
        assert isinstance(node, ast.ImportFrom)
        names = door(str(node.module)) if ROOT.joinpath(*parts).is_dir() else {}
        found |= {f"{node.module}.{alias.name}" for alias in node.names if alias.name not in names}
    return found


PAST_A_DOOR = frozenset({
    "clv_core.collection.infer.event_names.event_names", "clv_core.collection.ingest.ingest",
    "clv_core.collection.merge.append.append", "clv_core.collection.merge.append.combine",
    "clv_core.collection.parse.currencies", "clv_core.collection.parse.date_order",
    "clv_core.collection.parse.numbers", "clv_core.collection.parse.times",
    "clv_core.collection.privacy.erased_customers.erased_customers", "clv_core.collection.rows.remembered_settings",
    "clv_core.collection.simulate.shop_scenarios.voucher_date", "clv_core.collection.sources.pull.pull",
    "clv_core.collection.store.version_store", "clv_core.commands.parser.SPECS",
    "clv_core.deployment.artifacts.artifacts",
    "clv_core.deployment.registry.database", "clv_core.deployment.registry.model_card.model_card",
    "clv_core.deployment.zero_shot.zero_shot", "clv_core.erasure.erase.erase",
    "clv_core.evaluation.backtest.backtest", "clv_core.evaluation.explain.dependence.dependence",
    "clv_core.evaluation.explain.shapley.shapley", "clv_core.features.season.last_year",
    "clv_core.monitoring.monitor.monitor", "clv_core.monitoring.notifications.notify.notify",
    "clv_core.monitoring.retraining", "clv_core.plot.evaluation", "clv_core.plot.explanations",
    "clv_core.plot.reasons", "clv_core.preprocessing.add_customers.add_customers",
    "clv_core.preprocessing.clean.clean", "clv_core.preprocessing.refresh.refresh",
    "clv_core.strategy.acquisition.acquire.acquire", "clv_core.strategy.acquisition.read_spend.read_spend",
    "clv_core.strategy.audiences.export.export", "clv_core.strategy.audiences.stored_contacts.stored_contacts",
    "clv_core.strategy.destinations.push.push", "clv_core.strategy.plans.budget_plan",
    "clv_core.strategy.purchase_history.purchase_history",
    "clv_core.strategy.recommend_and_price.recommend", "clv_core.strategy.report.make_report.make_report",
    "clv_core.training.cost", "clv_core.training.pretrain.pretrain", "clv_core.upkeep.demo",
})  # fmt: skip
"""What others still take from inside a room: modules, and functions of the name of their module, which a door cannot
name beside it; and a name that two modules of a room have. It only shrinks."""


def test_rooms_are_entered_by_their_doors() -> None:
    found = {name for path in (*FILES, *PAGE_FILES) for name in past_a_door(parse(path), path)}
    assert found == PAST_A_DOOR


@pytest.mark.parametrize(
    ("place", "source"),
    [
        ("pages/model/train.py", "from clv_core.training.fit import fit_seeds"),
        ("clv_core/strategy/activation.py", "def f():\n    from clv_core.deployment.bundle import Bundle"),
        ("clv_core/monitoring/monitor.py", "from clv_core.strategy.segments.value_tiers import assign_tiers"),
        ("clv_core/commands/scoring.py", "from clv_core.collection.infer import profile"),
        ("clv_core/features/log.py", "from clv_core.collection.store.dataset import Dataset, EVENTS"),
    ],
)
def test_the_rule_sees_who_climbs_in_by_a_window(place: str, source: str) -> None:
    assert past_a_door(ast.parse(source), ROOT / place) - PAST_A_DOOR


def test_a_door_names_what_there_is_and_what_others_use() -> None:
    everybody = (*FILES, *PAGE_FILES, CORE / "__init__.py")
    used = {name for path in everybody for name, _ in imports(parse(path), path)}
    for stub in CORE.rglob("__init__.pyi"):
        package = module_name(stub)
        named = [alias.name for node in parse(stub).body if isinstance(node, ast.ImportFrom) for alias in node.names]
        modules = {path.stem for path in stub.parent.iterdir()}
        assert len(named) == len(set(named)) and not modules & set(named), package
        assert all(hasattr(import_module(package), name) for name in named), package
        assert {f"{package}.{name}" for name in named} <= used


def entered(place: str) -> list[str]:
    """Return the rooms that a file or folder enters, in the order of the loop."""
    files = [ROOT / place] if place.endswith(".py") else (ROOT / place).rglob("*.py")
    own = place.removeprefix("clv_core/").split("/")[0].removesuffix(".py")
    found = {stage(name) for path in files for name, _ in imports(parse(path), path) if name.startswith("clv_core.")}
    rooms = [name for names in ORDER[1:] for name in names]
    return [name for name in rooms if name in found - {own}]


def test_the_table_of_who_enters_where_is_true() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    table = text.partition("| from | enters |\n|---|---|\n")[2].partition("\n\n")[0]
    said = {place: rooms.split(", ") for place, rooms in re.findall(r"\| `(.+?)` \| (.+?) \|", table)}
    assert len(said) == 6 and said == {place: entered(place) for place in said}


def test_no_two_files_need_each_other() -> None:
    """Not even by an import inside a function, or one for types alone: such a pair is one idea in two files."""
    files = {module_name(path): path for path in (*FILES, *PAGE_FILES)}

    def needs(path: Path) -> set[str]:
        named = {name for name, _ in imports(parse(path), path)}
        inside = {name for name in named if name in files} | {behind_door(name) for name in named - set(files)}
        return inside & set(files)

    def behind_door(name: str) -> str:
        package, _, last = name.rpartition(".")
        is_package = package.startswith("clv_core.") and ROOT.joinpath(*package.split(".")).is_dir()
        return door(package).get(last, package) if is_package else package

    graph = {name: needs(path) - {name} for name, path in files.items()}
    assert set(TopologicalSorter(graph).static_order()) == set(files)  # raises CycleError where two do


def test_what_pages_share_knows_no_room_of_a_page() -> None:
    """A room of ``pages/ui`` holds the parts of a page; what several pages use lies beside the rooms, or in charts."""
    ui = ROOT / "pages" / "ui"
    assert needed(ui.glob("*.py"), ui) <= {"charts"} and needed((ui / "charts").glob("*.py"), ui) <= {"charts"}


def test_root_holds_only_what_tools_look_for_there() -> None:
    entries = {path.name for path in ROOT.iterdir()}
    assert REQUIRED_AT_ROOT <= entries
    ignored = [line.strip().strip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()]
    others = entries - REQUIRED_AT_ROOT - {".git"}
    assert {name for name in others if not any(fnmatch.fnmatch(name, pattern) for pattern in ignored)} == set()


def test_what_is_imported_is_asked_for() -> None:
    """What merely came along with another library yesterday may not come along on a fresh machine tomorrow."""
    found = {name.split(".")[0] for path in (*FILES, *PAGE_FILES) for name, _ in imports(parse(path), path)}
    outside = found - sys.stdlib_module_names - {"clv_core", "pages", "app", "", *ASKED_ELSEWHERE}
    named = {Requirement(line).name for line in (ROOT / "requirements.txt").read_text().splitlines() if line[0] != "#"}
    named |= {Requirement(need).name for name in COME_ALONG for need in requires(name) or () if "extra" not in need}
    asked, whose = {canonicalize_name(name) for name in named}, packages_distributions()
    missing = {name for name in outside if not {canonicalize_name(one) for one in whose.get(name, ())} & asked}
    assert missing == set()


def test_what_is_asked_for_is_imported_by_more_than_tests() -> None:
    asked = [Requirement(line) for line in (ROOT / "requirements.txt").read_text().splitlines() if line[0] != "#"]
    found = {name.split(".")[0] for path in (*FILES, *PAGE_FILES) for name, _ in imports(parse(path), path)}
    imported = {
        canonicalize_name(one) for name, whose in packages_distributions().items() if name in found for one in whose
    }
    idle = {one.name for one in asked if canonicalize_name(one.name) not in imported}
    assert idle == set(TAKEN_BY_OTHERS), "requirements that only tests import go to the extra dev of pyproject.toml"
    for name, library in TAKEN_BY_OTHERS.items():
        named = {canonicalize_name(Requirement(need).name) for need in requires(library) or ()}
        assert library in imported and name in named


def test_what_streamlit_signs_people_in_with_is_asked_for() -> None:
    """Others import it at the first sign-in: on a fresh machine the door would be there, and nobody pass it."""
    asked = [Requirement(line) for line in (ROOT / "requirements.txt").read_text().splitlines() if line[0] != "#"]
    named = {canonicalize_name(one.name) for one in asked}
    wanted = [Requirement(need) for need in requires("streamlit") or () if "extra" in need]
    wanted = [one for one in wanted if one.marker is not None and one.marker.evaluate({"extra": "auth"})]
    assert {canonicalize_name(one.name) for one in wanted} <= named and wanted


def test_modules_say_what_they_are() -> None:
    empty = {path for path in FILES if path.name == "__init__.py" and not path.read_text(encoding="utf-8").strip()}
    assert [
        str(path.relative_to(ROOT)) for path in FILES if path not in empty and not ast.get_docstring(parse(path))
    ] == []


def test_the_command_line_starts_without_heavy_libraries() -> None:
    """A call for help must not pay for what reads logs, nor a refused file for the deep learning stack."""
    script = (
        "import sys; from clv_core import cli; parser = cli.build_parser();"
        "light = {'pandas', 'scipy', 'duckdb'} & set(sys.modules);"
        "[one.declare() for action in parser._subparsers._group_actions for one in action.choices.values()];"
        "print(*sorted(light | {'torch', 'shap', 'sklearn', 'lightgbm', 'streamlit'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_statistics_and_charts_are_loaded_by_who_uses_them() -> None:
    """``import scipy`` loads a part of it at its first use; ``from scipy import stats`` is half a second of a page.

    Plotly is loaded by who draws.
    """
    wanted = ("clv_core.strategy.activation", "clv_core.strategy.pricing.price_rule",
              "clv_core.strategy.segments.segment_figures", "clv_core.evaluation.explain.checks",
              "clv_core.monitoring.monitor", "clv_core.estimator")  # fmt: skip
    script = f"import sys; import {', '.join(wanted)}; print(*sorted({{'scipy.stats', 'plotly'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_files_whose_figures_are_compared_as_on_other_processors_are_there() -> None:
    assert [name for name in NUMERIC if not (ROOT / "tests" / name).exists()] == []
