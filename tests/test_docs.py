"""What the documents say exists: commands, options, values, targets, files; their code runs, their site builds."""

from __future__ import annotations

import argparse
import json
import os
import re
import runpy
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from urllib.parse import unquote

import pytest

from clv_core import CLV
from clv_core.columns import EVENT_TYPES, READ
from clv_core.commands.parser import COMMANDS, CommandParser, build_parser
from clv_core.config import TrainConfig
from clv_core.environment import table as variables
from clv_core.evaluation.metrics import METRICS
from clv_core.evaluation.trust import REASONS
from clv_core.features.behaviour import FEATURES
from clv_core.monitoring.schedules import STEPS
from clv_core.strategy.destinations import KINDS

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [
    *(ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "assets" / "sample" / "README.md"),
    *sorted((ROOT / "assets" / "docs").glob("*.md")),
]
README = DOCUMENTS[0].read_text(encoding="utf-8")


def calls(text: str) -> Iterator[list[str]]:
    """Yield the words after ``clv`` or ``python -m clv_core`` of every call in a document."""
    for line in text.splitlines():
        for found in re.findall(r"(?:^|\|\s*`|`)(?:clv|\S*python -m clv_core) ([a-z][^`#|]*)", line.strip()):
            yield shlex.split(found)


def subparsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Yield the parsers of all commands, and of their actions where they have any."""
    for action in parser._actions:
        if isinstance(action.choices, dict):
            for choice in action.choices.values():
                yield choice.declare() if isinstance(choice, CommandParser) else choice
                yield from subparsers(choice)


def test_nobody_is_told_to_install_this_project_by_its_name_which_somebody_else_may_own() -> None:
    name = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["name"]
    texts = [*DOCUMENTS, *(ROOT / "assets" / "locale").rglob("*.po"), *(ROOT / "clv_core").rglob("*.py")]
    told = [path.name for path in texts if re.search(rf"install[^\n]*\b{name}\b", path.read_text(encoding="utf-8"))]
    assert told == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_call_in_the_documents_is_understood(path: Path) -> None:
    for words in calls(path.read_text(encoding="utf-8")):
        options = build_parser().parse_args(words)
        assert options.command == words[0]
        for pair in getattr(options, "set", []):
            TrainConfig.from_pairs(dict([pair.split("=")]))


@pytest.fixture(scope="module")
def site_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the built documentation."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", "assets/mkdocs.yml"]
    done = subprocess.run([*command, "--site-dir", str(folder)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def site(site_folder: Path) -> dict[str, str]:
    """Return the HTML of each page of the documentation by its name."""
    return {path.stem: path.read_text(encoding="utf-8") for path in site_folder.glob("*.html")}


@pytest.mark.slow
def test_the_site_builds_without_warnings_and_its_reference_holds_everything(site: dict[str, str]) -> None:
    wanted = {
        "commands": [f">clv {name}<" for name in COMMANDS],
        "training-settings": [f"<code>{item.name}</code>" for item in fields(TrainConfig)],
        "environment": [f"<code>{name}</code>" for name in re.findall(r"`(\w+)` \|", variables())],
        "features": [f"<code>{name}</code>" for name in FEATURES],
        "metrics": [f"<code>{name}</code>" for name in METRICS],
        "events": [f"<code>{name}</code>" for name in (*READ, *EVENT_TYPES)],
        "verdict": [f"<code>{code}</code>" for code in REASONS],
        "python": [name for name in dir(CLV) if not name.startswith("_")] + ["BGNBD", "GammaGamma", "ParetoNBD"],
    }
    assert all(wanted.values())
    assert {page: [one for one in names if one not in site[page]] for page, names in wanted.items()} == {
        page: [] for page in wanted
    }
    assert not any("<!-- generated" in html or re.search(r":(?:class|meth|mod):<code>", html) for html in site.values())
    assert '<a href="#clv_core.estimator.load_result.LoadResult"><code>LoadResult</code></a>' in site["python"]


@pytest.mark.slow
def test_the_site_loads_nothing_from_elsewhere(site: dict[str, str]) -> None:
    tags = [tag for html in site.values() for tag in re.findall(r"<(?:script|link|img|iframe)\b[^>]*>", html)]
    assert tags and [tag for tag in tags if re.search(r"""(?:src|href)=["']?(?:https?:)?//""", tag)] == []


@pytest.mark.slow
def test_the_site_opens_from_disk_with_its_search(site_folder: Path, site: dict[str, str]) -> None:
    """A page from disk may fetch no JSON and start no worker: the index is a script, and so is what works instead."""
    index = (site_folder / "search" / "search_index.js").read_text(encoding="utf-8")
    pages = {f"{page}.html": html for page, html in site.items() if page != "404"}
    found = json.loads(index.removeprefix("var __index = "))["docs"]
    assert {one["location"].partition("#")[0] for one in found} == set(pages)
    for page, html in pages.items():
        scripts = re.findall(r'<script src="([^"]+)"', html)
        assert "/bundle." in scripts[scripts.index("javascripts/iframe-worker.js") + 1], page
    links = {link for html in pages.values() for link in re.findall(r'(?:href|src)="(?!https?:)([^"#]+)', html)}
    missing = [link for link in links if not (site_folder / unquote(link)).is_file()]
    assert links > set(pages) and missing == []


def test_places_that_people_ask_for_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Where is ...?")[2].partition("\n## ")[0]
    places = re.findall(r"\? \| `([\w.]+):([\w.]+)` \|$", text, re.MULTILINE)
    assert len(places) == text.count("? | `") >= 12
    for module, name in places:
        attrgetter(name)(import_module(module))


def test_tables_that_stand_in_the_files_are_those_of_the_code() -> None:
    hooks = runpy.run_path(str(ROOT / "assets" / "mkdocs_hooks.py"))
    pages = (ROOT / "ARCHITECTURE.md", *(path for path in DOCUMENTS if path.parent.name == "docs"))
    texts = {path: path.read_text(encoding="utf-8") for path in pages}
    stale = [path.name for path, text in texts.items() if hooks["with_tables"](text) != text]
    assert stale == [], "python assets/mkdocs_hooks.py writes them anew"
    for page, names in {
        "environment": re.findall(r"^\| `(\w+)` \|", variables(), re.MULTILINE),
        "schedule": STEPS,
        "destinations": list(KINDS),
    }.items():
        text = (ROOT / "assets" / "docs" / f"{page}.md").read_text(encoding="utf-8")
        assert names and [name for name in names if f"| `{name}` |" not in text] == []


def test_every_page_is_in_the_menu_once() -> None:
    menu = (ROOT / "assets" / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[2]
    pages = sorted(path.name for path in (ROOT / "assets" / "docs").glob("*.md"))
    assert sorted(re.findall(r"([\w-]+\.md)$", menu, re.MULTILINE)) == pages


PRELUDE = f"""
import pandas as pd
events = pd.read_csv({str(ROOT / "tests" / "sample.csv")!r})
events["customer_id"] = events["customer_id"].factorize()[0]
events = events[events["customer_id"] < 600].astype({{"customer_id": str}})
"""
"""The log of the README's lines: a small one, whose default is trained in seconds."""


@pytest.mark.slow
@pytest.mark.parametrize("path", ["README.md", "assets/docs/tutorial.md", "assets/docs/add-a-model.md"])
def test_code_in_the_documents_runs(path: str, tmp_path: Path) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    [code] = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    here = {"cwd": tmp_path, "check": True, "env": {**os.environ, "PYTHONPATH": str(ROOT)}}
    copying = ["demo", "--out", "sample"]
    if copying in calls(text):
        subprocess.run([sys.executable, "-m", "clv_core", *copying], **here)
    subprocess.run([sys.executable, "-c", PRELUDE + code], **here)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_option_in_the_documents_exists(path: Path) -> None:
    parser = build_parser()
    parsers = (parser, *subparsers(parser))
    known = {flag for parser in parsers for action in parser._actions for flag in action.option_strings}
    text = re.sub(r"\b(?:docker|podman)[^`\n]*", "", path.read_text(encoding="utf-8"))
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text))
    assert named - known == set()


def test_settings_shown_in_the_documents_exist() -> None:
    texts = [path.read_text(encoding="utf-8") for path in DOCUMENTS]
    pairs = [pair for text in texts for pair in re.findall(r"--set ([a-z_]+)=(\w+)", text) if pair != ("key", "value")]
    assert pairs and TrainConfig.from_pairs(dict(pairs)) != TrainConfig()


def test_every_target_named_exists_in_the_makefile_and_the_other_way_round() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z0-9-]*):", makefile, re.MULTILINE))
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony and set(phony.group(1).split()) == targets
    for path in [*DOCUMENTS, ROOT / ".ci" / "run"]:
        assert (
            set(re.findall(r"(?:^|`)make ([a-z][a-z0-9-]*)", path.read_text(encoding="utf-8"), re.MULTILINE)) <= targets
        )
    helped = set(re.findall(r'echo "make ([a-z][a-z0-9-]*)', makefile))
    assert helped == targets - {"help"}


def test_every_file_that_a_target_or_document_names_exists() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    card = DOCUMENTS[2].read_text(encoding="utf-8")
    named = re.findall(r"`(clv_core/[\w/.]+)`", README + card)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    modules = [module.replace(".", "/") + ".py" for module in re.findall(r"python -m (tests\.[\w.]+)", makefile)]
    assert links
    missing = [name for name in [*links, *named, *modules] if not (ROOT / name).exists()]
    assert missing == []


def test_the_first_screen_of_the_readme_has_both_commands() -> None:
    first = README.splitlines()[:25]
    assert any(line.startswith("make app") for line in first) and any(line.startswith("make test") for line in first)


def test_the_changelog_keeps_an_unreleased_head() -> None:
    headings = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0] == "Unreleased"
