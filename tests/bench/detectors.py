"""What each rule of collection yields: known logs that turn wrong without it, and questions that nobody needed.

    python -m tests.bench.detectors [NAME ...]

Logs with known totals, and the exports that recipes know, read without them. Every log is read once, and the rules that
spoke are noted: those whose answer was not "nothing". Then each log is read once more for each of these, with that one
silent. A rule has a yield where a log that was right, or asked, comes out wrong without it; it has a cost where a log
that was asked comes out right. The table goes to ``tests/bench/results/detectors.md``.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from clv_core.cli import main
from clv_core.collection.answers import Answers
from clv_core.collection.infer import column_evidence, draft
from clv_core.collection.infer.plan import counts
from clv_core.collection.questions import option_words
from clv_core.collection.recipes import shipped_recipes
from tests.bench.known_logs import logs_a, logs_b, logs_c
from tests.bench.known_logs.test_known_logs import faults
from tests.contracts.test_every_recipe import example

RESULT: Final = Path(__file__).parent / "results" / "detectors.md"
CASES: Final = {**logs_a.CASES, **logs_b.CASES, **logs_c.CASES}


def exports() -> dict[str, Callable[[Path], Any]]:
    """Return the exports of all recipes, each read without its recipe: by the rules alone."""

    def made(recipe: str, folder: Path) -> tuple[list[Path], dict[str, Any], dict[str, Any]]:
        path, net = example(recipe, folder)
        return [path], {"net": net}, {"recipe": "none", "_always": True}

    return {f"export {name}": partial(made, name) for name in shipped_recipes()}


def nothing(*_: Any, **__: Any) -> tuple[()]:
    """Stands for a rule that has notes to give."""
    return ()


def no_value(_: Any) -> list[str]:
    """Stands for evidence of the ledger."""
    return []


def as_it_was(_: Any, chosen: Mapping[str, str], *__: Any) -> tuple[dict[str, str], tuple[()]]:
    """Stands for a rule that settles columns."""
    return dict(chosen), ()


RULES: Final[Mapping[str, tuple[str, str, Callable[..., Any]]]] = {
    f"{module.rpartition('.')[2]}.{name}": (f"clv_core.collection.infer.{module}", name, silent)
    for module, name, silent in (
        ("draft", "resolve_pieces", as_it_was),
        ("draft", "resolve_returns", as_it_was),
        ("draft", "resolve_converted", lambda _, chosen: (dict(chosen), "", ())),
        ("draft", "without_cost", lambda chosen, *_: chosen),
        ("draft", "with_discount_rate", lambda _columns, _rows, chosen, *_: chosen),
        ("draft", "rival_amounts", nothing),
        ("draft", "other_total_warning", nothing),
        ("draft", "find_guests", lambda *_: ((), "", ())),
        ("draft", "guarded", lambda *_: (frozenset(), ())),
        ("draft", "read_documents", lambda *_: {}),
        ("draft", "find_clock", lambda *_: ""),
        ("draft", "with_marks", lambda proposals, *_: (proposals, {})),
        ("draft", "with_sides", lambda proposals, *_: proposals),
        ("profile", "read_other_statuses", nothing),
        ("profile", "read_void_times", lambda *_: ({}, ())),
        ("profile", "order_steps", lambda *_: ({}, ())),
        ("profile", "have_refund_rows", lambda *_: False),
        ("profile", "are_refunds_in_rows", lambda *_: False),
        ("profile", "reject_repeated_totals", lambda _, plan: (plan, ())),
        ("profile", "read_scope", lambda _, plan: (plan.orders, ())),
        ("profile", "read_units", lambda *_: ("", ())),
        ("profile", "large_units", lambda *_: (1, ())),
        ("profile", "refuse_swapped_dates", lambda *_: None),
    )
}
"""Rules that are called by name: name -> module, attribute, and what stands in its place."""


@dataclass
class Rule:
    """One rule: how it is listened to, and silenced.

    Args:
        put: puts a function in its place.
        own: the function that stands there.
        silent: what says nothing in its place.
    """

    put: Callable[[Any], None]
    own: Any
    silent: Any


def rules() -> dict[str, Rule]:
    """Return all rules by name: those called by name, and the entries of tables."""
    found = {}
    for called, (module, attribute, silent) in RULES.items():
        place = importlib.import_module(module)

        def put(function: Any, place: Any = place, attribute: str = attribute) -> None:
            setattr(place, attribute, function)

        found[called] = Rule(put, getattr(place, attribute), silent)
    for table in ("COLUMN_RULES", "MONEY_RULES"):
        for at, own in enumerate(getattr(draft, table)):

            def put_at(function: Any, table: str = table, at: int = at) -> None:
                entries = list(getattr(draft, table))
                entries[at] = function
                setattr(draft, table, tuple(entries))

            found[f"draft.{own.__name__}"] = Rule(put_at, own, as_it_was)
    for code, own in column_evidence.EVIDENCE.items():

        def put_evidence(function: Any, code: str = code) -> None:
            column_evidence.EVIDENCE[code] = function

        found[f"ledger.{code}"] = Rule(put_evidence, own, no_value)
    for at, probe in enumerate(counts.PROBES):

        def put_probe(function: Any, at: int = at) -> None:
            counts.PROBES = (*counts.PROBES[:at], function, *counts.PROBES[at + 1 :])

        if probe.decision == counts.APPLY:  # what only tells turns no total
            found[f"probes.{probe.name}"] = Rule(put_probe, probe, replace(probe, needs=("nothing has it",)))
    return found


@contextlib.contextmanager
def in_place(rule: Rule, function: Any) -> Iterator[None]:
    """Put a function in a rule's place for a while."""
    rule.put(function)
    try:
        yield
    finally:
        rule.put(rule.own)


def ingest(paths: list[Path], folder: Path, answers: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """Read a log by the command, in this process, and return its exit code and what it printed."""
    out, workspace = io.StringIO(), folder / "ws"
    words = option_words(Answers(**answers))
    shutil.rmtree(workspace, ignore_errors=True)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        code = main(["ingest", *map(str, paths), "--name", "x", "--workspace", str(workspace), "--quiet", *words])
    lines = out.getvalue().splitlines()
    return code, json.loads(lines[-1]) if lines else {}


def outcome(paths: list[Path], truth: Mapping[str, Any], answers: Mapping[str, Any], folder: Path) -> str:
    """Return ``right``, ``asked``, ``refused`` or ``wrong`` for a log at its first reading."""
    code, found = ingest(paths, folder, answers)
    if code:
        return {3: "asked", 4: "refused"}.get(code, "broken")
    return "wrong" if faults(dict(truth), found, folder) else "right"


@dataclass
class Yield:
    """What a rule brings.

    Args:
        spoke: logs in which it did.
        wrong: those that turn wrong without it.
        needless: those that are asked with it and right without.
    """

    spoke: int = 0
    wrong: list[str] = field(default_factory=list)
    needless: list[str] = field(default_factory=list)


def heard(name: str, rule: Rule, spoken: set[str]) -> Callable[..., Any]:
    """Return a rule that notes its name where it says something else than nothing."""

    def listening(*args: Any, **options: Any) -> Any:
        try:
            said = rule.own(*args, **options)
        except Exception:
            spoken.add(name)
            raise
        if said != rule.silent(*args, **options):
            spoken.add(name)
        return said

    return listening


def run(chosen: list[str], logs: Mapping[str, Callable[[Path], Any]]) -> dict[str, Yield]:
    """Read all logs with all rules, then each log without each rule that spoke."""
    every = {name: rule for name, rule in rules().items() if not chosen or name in chosen}
    found: dict[str, Yield] = defaultdict(Yield)
    for log, make in logs.items():
        folder = Path(tempfile.mkdtemp(prefix="clv-detectors-"))
        try:
            paths, truth, answers = make(folder)
            said = {key: value for key, value in (answers or {}).items() if key != "_always"}
            given = said if (answers or {}).get("_always") else {}
            spoken: set[str] = set()
            with contextlib.ExitStack() as stack:
                for name, rule in every.items():
                    if not callable(rule.own):  # a row of a table, not asked one by one: it is tried on each log
                        spoken.add(name)
                    else:
                        stack.enter_context(in_place(rule, heard(name, rule, spoken)))
                usual = outcome(paths, truth, given, folder)
            for name in sorted(spoken):
                rule = every[name]
                with in_place(rule, rule.silent):
                    without = outcome(paths, truth, given, folder)
                found[name].spoke += 1
                if without in ("wrong", "broken") and usual not in ("wrong", "broken"):
                    found[name].wrong.append(log)
                elif usual == "asked" and without == "right":
                    found[name].needless.append(log)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return {name: found[name] for name in every}


def table(found: Mapping[str, Yield], seconds: float) -> str:
    """Return the table of all rules as Markdown, those with the largest yield first."""
    lines = [
        "# What each rule of collection yields",
        "",
        f"`python -m tests.bench.detectors`: {len(CASES)} logs with known totals and {len(exports())} exports without"
        f" their recipes, first readings, {seconds:.0f} s.",
        "",
        "| rule | spoke on | turn wrong without it | asked with it, right without | logs |",
        "|---|---|---|---|---|",
    ]
    for name, one in sorted(found.items(), key=lambda item: (-len(item[1].wrong), item[0])):
        examples = ", ".join(one.wrong[:3]) or ", ".join(one.needless[:3])
        lines.append(f"| `{name}` | {one.spoke} | {len(one.wrong)} | {len(one.needless)} | {examples} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    began = time.perf_counter()
    yields = run(sys.argv[1:], CASES | exports())
    text = table(yields, time.perf_counter() - began)
    if not sys.argv[1:]:
        RESULT.write_text(text, encoding="utf-8")
    print(text)
