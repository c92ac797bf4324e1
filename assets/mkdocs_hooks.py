"""What the documentation takes from the code: ``<!-- generated: NAME -->`` becomes that part of the reference.

Where the part stands in the file too, up to ``<!-- end of NAME -->``, ``python assets/mkdocs_hooks.py`` writes it anew.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields
from html import escape
from pathlib import Path
from typing import Any, Final

from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ASSETS: Final = Path(__file__).resolve().parent
ROOT: Final = ASSETS.parent
GENERATED_PART: Final = re.compile(r"<!-- generated: (\w+) -->(\n.*?\n<!-- end of \1 -->)?", re.DOTALL)
sys.path.insert(0, str(ROOT))

from clv_core.columns import EVENT_TYPES, READ  # noqa: E402
from clv_core.commands.parser import CommandParser, build_parser  # noqa: E402 - found by the line above
from clv_core.config import READS, TrainConfig  # noqa: E402
from clv_core.environment import table as variables  # noqa: E402
from clv_core.evaluation.metrics import METRICS  # noqa: E402
from clv_core.evaluation.trust import REASONS  # noqa: E402
from clv_core.extension_points import table as extension_points  # noqa: E402
from clv_core.features.behaviour import FEATURES, GROUPS  # noqa: E402
from clv_core.features.labels import group_label, label, meaning  # noqa: E402
from clv_core.i18n import catalogue, translate  # noqa: E402
from clv_core.monitoring.schedules import STEPS  # noqa: E402
from clv_core.strategy.destinations import KINDS  # noqa: E402


def formula(source: str, *_: Any, **__: Any) -> str:
    """Return a block of LaTeX as MathML, which browsers draw by themselves."""
    return "".join(f"<p>{convert(line, display='block')}</p>" for line in source.strip().split("\n\n"))


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Have blocks of formulas written as such."""
    fence = {"name": "math", "class": "math", "format": formula}
    config.mdx_configs["pymdownx.superfences"] = {"custom_fences": [fence]}
    return config


def on_files(files: Files, config: MkDocsConfig, **_: Any) -> Files:
    """Add the pictures and the script of the search, which lie beside the pages' folder."""
    for path in (ASSETS / "mark.svg", *(ASSETS / "screenshots").glob("*.png")):
        files.append(File.generated(config, f"images/{path.name}", abs_src_path=str(path)))
    script = ASSETS / "iframe-worker.js"
    files.append(File.generated(config, f"javascripts/{script.name}", abs_src_path=str(script)))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fill in the generated parts of a page."""
    return GENERATED_PART.sub(lambda match: GENERATED[match[1]](), markdown)


ROLE: Final = re.compile(r":(?:class|meth|func|mod|data|attr):<code>(~?)(?:([^<&]+) &lt;)?([\w.]+)(?:&gt;)?</code>")


def on_page_content(html: str, **_: Any) -> str:
    """Return a page in which what docstrings refer to, ``:class:`~a.b.C```, is its name, and a link if it is there."""

    def named(found: re.Match[str]) -> str:
        short, title, target = found.groups()
        name = title or (target.rpartition(".")[2] if short else target)
        return f'<a href="#{target}"><code>{name}</code></a>' if f'id="{target}"' in html else f"<code>{name}</code>"

    return ROLE.sub(named, html)


def with_tables(markdown: str) -> str:
    """Return a page with the parts that stand in its file as the code has them now."""

    def written(match: re.Match[str]) -> str:
        name = match[1]
        return f"<!-- generated: {name} -->\n\n{GENERATED[name]()}\n\n<!-- end of {name} -->" if match[2] else match[0]

    return GENERATED_PART.sub(written, markdown)


def commands() -> str:
    """Return every command with its options."""
    parser = build_parser()
    [action] = [one for one in parser._actions if isinstance(one, argparse._SubParsersAction)]
    return "\n\n".join(line for name in action.choices for line in _command(f"clv {name}", action.choices[name], 2))


def _command(name: str, parser: argparse.ArgumentParser, depth: int) -> Iterator[str]:
    declared = parser.declare() if isinstance(parser, CommandParser) else parser
    nested = [one for one in declared._actions if isinstance(one, argparse._SubParsersAction)]
    yield f"{'#' * depth} {name}"
    yield escape(declared.description or "", quote=False)
    rows = [_option(one) for one in declared._actions if one.help != argparse.SUPPRESS and one not in nested]
    shown = [row for row in rows if not row[0].startswith(("`-h", "`--workspace", "`--lang", "`--quiet"))]
    if shown:
        yield _table(("option", "what it does"), shown)
    for action in nested:
        for sub, choice in action.choices.items():
            yield from _command(f"{name} {sub}", choice, depth + 1)


def _option(action: argparse.Action) -> tuple[str, str]:
    value = action.metavar or (f"{{{','.join(map(str, action.choices))}}}" if action.choices else action.dest.upper())
    name = ", ".join(action.option_strings) or str(value)
    takes = f" {value}" if action.option_strings and action.nargs != 0 else ""
    help_text = (action.help or "").replace("%%", "%")
    return f"`{name}{takes}`", escape(help_text + (" (required)" if action.required and action.option_strings else ""))


def settings() -> str:
    """Return every setting of training."""
    rows = [
        (
            f"`{item.name}`",
            translate(f"config.{item.name}"),
            f"`{item.default}`",
            ", ".join(f"`{choice}`" for choice in item.metadata["choices"] or ()) or _bounds(item.metadata),
            translate(f"config.{item.name}.help"),
            _readers(item.name),
        )
        for item in fields(TrainConfig)
    ]
    return _table(("setting", "name", "default", "values", "what it does", "models that read it"), rows)


def _readers(setting: str) -> str:
    models = [model for model, reads in READS.items() if setting in reads]
    return "all" if len(models) in (0, len(READS)) else ", ".join(models)


def _bounds(metadata: Any) -> str:
    return "" if metadata["low"] is None else f"{metadata['low']:,} to {metadata['high']:,}"


def features() -> str:
    """Return every feature, by the group that explanations speak of."""
    parts = []
    for group in GROUPS:
        rows = [
            (f"`{name}`", label(name), meaning(name), feature.unit)
            for name, feature in FEATURES.items()
            if feature.group == group
        ]
        parts += [f"## {group_label(group)}", _table(("feature", "name", "what it is", "unit"), rows)]
    return "\n\n".join(parts)


def metrics() -> str:
    """Return every metric."""
    better = {"high": "high", "low": "low", "zero": "near 0"}
    rows = [
        (
            f"`{name}`",
            translate(f"metric.{name}"),
            translate(f"metric.{name}.meaning"),
            better.get(metric.better, f"near {metric.goal:g}"),
            metric.unit.replace("_", " "),
        )
        for name, metric in METRICS.items()
    ]
    return _table(("metric", "name", "what it is", "good is", "unit"), rows)


def events() -> str:
    """Return the event types that have a meaning of their own."""
    return _table(("event type", "name"), [(f"`{name}`", translate(f"event.{name}")) for name in EVENT_TYPES])


def columns() -> str:
    """Return the columns of a log."""
    rows = [
        (f"`{one.name}`", translate(f"canonical.{one.name}"), str(one.kind), "required" if one.required else "")
        for one in READ.values()
    ]
    return _table(("column", "name", "kind", ""), rows)


def reasons() -> str:
    """Return every reason of a verdict, as it is said, with … for figures and days."""
    effect = {"refuses": "not trusted", "cautions": "caution", "supports": "supports"}
    plural = {code: re.sub(r"{\w+:\w+\|(\w+)}", r"\1", catalogue("en")[f"reason.{code}"]) for code in REASONS}
    said = {code: re.sub(r"{[^}]*}", "…", text.replace("{in_currency}", "")) for code, text in plural.items()}
    rows = [(f"`{code}`", effect[kind], escape(said[code])) for code, kind in REASONS.items()]
    return _table(("reason", "verdict", "sentence"), rows)


def steps() -> str:
    """Return the commands that a chain may have."""
    rows = [(f"`{step}`", escape(translate(f"cli.{step.replace(' ', '.')}").rstrip("."))) for step in STEPS]
    return _table(("step", "what it does"), rows)


def destinations() -> str:
    """Return the kinds of destinations."""
    rows = [
        (
            f"`{name}`",
            kind.title or translate(f"export.{name}"),
            f"`{kind.address or kind.example}`" + (" (default)" if kind.address else ""),
            "required" if kind.needs_secret else "",
            "all, replaced as a whole" if kind.most_rows is None else f"{kind.most_rows:,}",
        )
        for name, kind in KINDS.items()
    ]
    return _table(("kind", "name", "address", "secret", "customers a request"), rows)


def architecture() -> str:
    """Return ARCHITECTURE.md without its title, its links from here."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").partition("\n")[2]
    return GENERATED_PART.sub(lambda match: GENERATED[match[1]](), text).replace("](assets/docs/", "](")


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', '&#124;').replace(chr(10), ' ') for cell in row)} |" for row in lines
    )


GENERATED: Final[dict[str, Callable[[], str]]] = {
    "architecture": architecture,
    "columns": columns,
    "commands": commands,
    "destinations": destinations,
    "environment": variables,
    "events": events,
    "extension_points": extension_points,
    "features": features,
    "metrics": metrics,
    "reasons": reasons,
    "settings": settings,
    "steps": steps,
}
"""Parts of the reference by name."""

if __name__ == "__main__":
    for path in (ROOT / "ARCHITECTURE.md", *sorted((ASSETS / "docs").glob("*.md"))):
        path.write_text(with_tables(path.read_text(encoding="utf-8")), encoding="utf-8")
