"""What may be added to CLV Studio: where an entry is registered, its contract, what comes with it, and its tests.

:data:`POINTS` is the table "Where do I add a ..." of ARCHITECTURE.md (``python assets/mkdocs_hooks.py`` writes it
there). The fields of an entry are documented by its type (:attr:`ExtensionPoint.entry`); the contract is what they must
come to. One test runs each point's contract over every entry, those that are added later among them.

Registries are named by texts and loaded at their first use: this module imports no room of the package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class ExtensionPoint:
    """One kind of thing that may be added.

    Args:
        name: what is added, as in "Where do I add a <name>?".
        add: what is written where, in Markdown.
        registry: where the entries stand: ``module:NAME`` of a mapping, a sequence or a class of settings, or a pattern
            of files below the root, one an entry.
        contract: what every entry promises.
        tests: the test that holds every entry to it, below ``tests``; behind it others that are worth knowing.
        entry: ``module:NAME`` of an entry's type, whose docstring documents its fields; empty for files and functions.
        texts: keys that both catalogues need; ``{id}`` is the entry's, ``{entry.<field>}`` one of its fields. An entry
            that has a ``title`` of its own, a proper name, needs none.
        brings: what else comes with an entry, in Markdown: rows elsewhere, an example.
        how: page that shows it step by step.
    """

    name: str
    add: str
    registry: str
    contract: str
    tests: tuple[str, ...]
    entry: str = ""
    texts: tuple[str, ...] = ()
    brings: str = ""
    how: str = ""

    def entries(self) -> dict[str, Any]:
        """Return all entries by id: rows, functions, fields or paths."""
        module, _, name = self.registry.partition(":")
        if not name:
            paths = sorted(ROOT.glob(self.registry))
            return {path.stem: path for path in paths if not path.stem.startswith("_")}
        registered = loaded(f"{module}:{name}")
        if is_dataclass(registered):
            return {item.name: item for item in fields(registered)}
        return dict(registered) if isinstance(registered, Mapping) else {_id_of(entry): entry for entry in registered}

    def missing_texts(self, catalogue: Mapping[str, str]) -> list[str]:
        """Return the keys that entries need and a language's catalogue lacks, or has empty."""
        untitled = {name: entry for name, entry in self.entries().items() if not getattr(entry, "title", "")}
        keys = (key.format(id=name, entry=entry) for name, entry in untitled.items() for key in self.texts)
        return [key for key in keys if not catalogue.get(key, "").strip()]


def loaded(place: str) -> Any:
    """Return what ``module:NAME`` names."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


def _id_of(entry: Any) -> str:
    names = (getattr(entry, field, None) for field in ("id", "name", "code", "__name__"))
    return str(entry if isinstance(entry, str) else next(filter(None, names)))


POINTS: Final = (
    ExtensionPoint(
        "shop's export: its columns, units, statuses",
        "one file in `clv_core/collection/recipes`",
        "clv_core/collection/recipes/*.toml",
        """It recognises its export by its columns, and no other recipe does. The export is then read without a
        question, to the totals that were paid and not given back.""",
        ("contracts/test_every_recipe.py", "collection/test_recipes.py"),
        brings="an export `<name>.csv` in `tests/contracts/exports`, its totals in `totals.toml` there",
        how="recipes.md",
    ),
    ExtensionPoint(
        "ad platform's spend export",
        "one file in `clv_core/strategy/acquisition/recipes`",
        "clv_core/strategy/acquisition/recipes/*.toml",
        "It recognises its export, and no other does; every row of it is spend, or is rejected with a reason.",
        ("contracts/test_every_recipe.py", "strategy/test_acquisition.py"),
        brings="an export `<name>.csv` in `tests/contracts/spend`, its total in `totals.toml` there",
        how="recipes.md",
    ),
    ExtensionPoint(
        "language of logs: names of columns, order statuses, months",
        "one file `<code>.toml` in `clv_core/collection/vocabulary`",
        "clv_core/collection/vocabulary/*.toml",
        """It holds tables of `SCHEMA` only, and no word that means something else in another language. Each word leads
        to its meaning in whatever case, and each month is read as a date.""",
        ("contracts/test_every_vocabulary.py", "collection/test_vocabulary.py"),
    ),
    ExtensionPoint(
        "kind of source (database, store of files)",
        "one row in `KINDS`, `clv_core/collection/sources/saved_sources.py`; a function of its name in `databases.py`"
        " or `files.py` beside it",
        "clv_core.collection.sources.saved_sources:KINDS",
        """Its example is an address that is accepted, and one with a password is refused. What connects is there; a
        driver that this package does not ask for is an extra, whose name the error says.""",
        ("contracts/test_every_source.py", "collection/test_saved_sources.py"),
        entry="clv_core.collection.sources.saved_sources:Kind",
        texts=("sources.kind.{id}",),
        brings="of a database a row in `CONNECT`, `databases.py`; of a driver its extra in `pyproject.toml`",
        how="sources.md",
    ),
    ExtensionPoint(
        "rule that chooses a log's columns",
        "a function in `clv_core/collection/infer`, its name in `COLUMN_RULES`, `infer/draft.py`",
        "clv_core.collection.infer.draft:COLUMN_RULES",
        """(log, columns) -> columns, notes: of a log whose columns are plain it changes nothing and says nothing. It
        never takes a column for two things; what it cannot decide it asks.""",
        ("contracts/test_every_reading_rule.py", "collection/test_infer.py"),
    ),
    ExtensionPoint(
        "rule that chooses the money of a log",
        "a function in `clv_core/collection/infer/money`, its name in `MONEY_RULES`, `infer/draft.py`",
        "clv_core.collection.infer.draft:MONEY_RULES",
        """(log, columns) -> columns, notes: of a plain log it changes nothing. An amount is never taken for a price,
        nor a price for an amount, without a figure that shows it; else it asks.""",
        ("contracts/test_every_reading_rule.py", "collection/test_money.py"),
    ),
    ExtensionPoint(
        "rule that counts cells (credit notes, signs)",
        "one entry of `PROBES`, `clv_core/collection/infer/plan/counts.py`",
        "clv_core.collection.infer.plan.counts:PROBES",
        """Its SQL runs on a log that has its columns, and of a plain log it says nothing. `APPLY` sets a field of the
        plan that has its name; `WARN` and `REFUSE` have a sentence.""",
        ("contracts/test_every_reading_rule.py", "collection/test_money.py"),
        entry="clv_core.collection.infer.plan.counts:Probe",
        brings="`warning.<code>` or `error.<code>` in both catalogues, or a field of `ReadingPlan`",
    ),
    ExtensionPoint(
        "sign that rows with some values of a column are no sales",
        "one entry of `EVIDENCE`, `clv_core/collection/infer/column_evidence.py`",
        "clv_core.collection.infer.column_evidence:EVIDENCE",
        """(how the values of a column part the money) -> the values whose rows are doubted, none of a plain label. It
        looks at figures; at words only where their rows have a share of the money.""",
        ("contracts/test_every_reading_rule.py", "collection/test_column_ledger.py"),
        brings="`warning.rows_<code>`, `error.rows_<code>` and `ledger.<code>` in both catalogues",
    ),
    ExtensionPoint(
        "column made of others while a file is read",
        "one function in `RULES`, `clv_core/collection/read/derived_columns.py`",
        "clv_core.collection.read.derived_columns:RULES",
        "(table) -> names with their SQL, which gives a text or NULL for each row; of plain columns it makes none.",
        ("contracts/test_every_reading_rule.py", "collection/test_analytics.py"),
        brings="an example in the contract test",
    ),
    ExtensionPoint(
        "layout of rows that do not stand by themselves",
        "one function in `STEPS`, `clv_core/collection/read/layouts.py`",
        "clv_core.collection.read.layouts:STEPS",
        """(connection, path, dialect, target) -> the file that was written instead and its dialect, or None: a file
        whose rows stand by themselves is left alone, and of another no cell is lost.""",
        ("contracts/test_every_reading_rule.py", "collection/test_workbooks.py"),
        brings="an example in the contract test",
    ),
    ExtensionPoint(
        "check of a file's rows",
        "one entry of `CHECKS`, `clv_core/collection/rows/quality_checks.py`",
        "clv_core.collection.rows.quality_checks:CHECKS",
        """Its query gives one row or none, and every figure that its sentence names. It says nothing of an empty log,
        nor of a plain one.""",
        ("contracts/test_every_reading_rule.py", "collection/test_order_ends.py"),
        entry="clv_core.collection.rows.quality_checks:QualityCheck",
        texts=("warning.{id}",),
    ),
    ExtensionPoint(
        "cleaning rule",
        "one row in `RULES`, `clv_core/preprocessing/clean_rules.py`",
        "clv_core.preprocessing.clean_rules:RULES",
        """Off until a person switches it on. It takes the rows that pandas takes by what it says of itself, counts them
        before, and gives all of them back when it is switched off.""",
        ("preprocessing/test_clean_rules.py",),
        entry="clv_core.preprocessing.clean_rules:Rule",
        texts=("clean.{id}.title", "clean.{id}.why", "reason.rule_{id}", "warning.rule_{id}"),
        brings="which rows of the test's shop it takes, by pandas; `clean.unit.<unit>` of a limit",
    ),
    ExtensionPoint(
        "feature",
        "one row in `FEATURES`, `clv_core/features/behaviour.py`",
        "clv_core.features.behaviour:FEATURES",
        """A function of the events before a cutoff alone, the same to the bit on sorted columns and in an engine;
        finite or unknown, never infinite; not the same for everybody.""",
        ("contracts/test_every_feature.py", "features/test_leak.py", "features/test_event_store.py"),
        entry="clv_core.features.feature:Feature",
        texts=("feature.{entry.text_key}", "feature.{entry.text_key}.meaning", "feature_group.{entry.group}"),
    ),
    ExtensionPoint(
        "sequence encoder",
        "one file in `clv_core/model/sequence_encoders`: `LABELS`, `COST` and `make`",
        "clv_core/model/sequence_encoders/*.py",
        """(width_in, width, layers, dropout) -> a module that reads a packed batch and returns nothing, and the last
        states [..., B, width], as `torch.nn.GRU` does. A customer's state depends on her own steps alone, changes with
        each of them, and has a gradient; saved and loaded it is the same. The name of the file is a choice of the
        setting `rnn`; torch is loaded by `make`.""",
        ("contracts/test_every_encoder.py", "model/test_sequence_encoders.py"),
    ),
    ExtensionPoint(
        "output distribution",
        "one row in `HEADS`, `clv_core/model/heads.py`",
        "clv_core.model.heads:HEADS",
        """Mean and chance are finite, quantiles do not cross and do not fall with the exposure; the loss has a gradient
        at zero and at the largest value, and training on it comes nearer to the truth. Saved and loaded it is the
        same.""",
        ("contracts/test_every_head.py", "model/test_heads.py"),
        entry="clv_core.model.heads:Head",
        brings="its choice of the setting `head`, `clv_core/config.py`, and `choice.head.<choice>` in both catalogues",
    ),
    ExtensionPoint(
        "model",
        "your own: nothing here, `CLV(model=...)` takes an object of it. One that ships: a row in `MODELS`,"
        " `clv_core/training/fit.py`; its id in `MODEL_IDS`, what it reads in `READS`,"
        " `clv_core/config.py`",
        "clv_core.training.fit:MODELS",
        """Fitted on windows alone it predicts every customer: finite, ordered, bounded by what was seen, better than
        chance, more for a longer horizon; and comes back from its bundle the same to the bit.""",
        ("training/test_models.py", "test_nothing_later.py"),
        entry="clv_core.training.fit:ModelEntry",
        texts=("model.{id}", "choice.model.{id}"),
        brings="its proper name in `NAMES`, `evaluation/model_scoreboard.py`; its time in `SECONDS_A_WINDOW` or"
        " `FROM_SCRATCH`, `training/cost.py`",
        how="add-a-model.md",
    ),
    ExtensionPoint(
        "metric",
        "one row in `METRICS`, `clv_core/evaluation/metrics.py`; `roles` say where it is used",
        "clv_core.evaluation.metrics:METRICS",
        """Predictions that are the truth are as good as it gets, and worse ones are never said to be better. The order
        of rows changes nothing, a weight is a repeated row, and what does not exist is NaN.""",
        ("contracts/test_every_metric.py", "evaluation/test_metrics.py"),
        entry="clv_core.evaluation.metrics:Metric",
        texts=("metric.{id}", "metric.{id}.meaning"),
        brings="its value of the test's ten customers; below zero or never above one: its id in `SIGNED` or `SHARES`,"
        " `deployment/model_record.py`; in the role `verdicts` `verdict.<id>.<outcome>`, `versions`"
        " `models.compare.better.<id>`, `retraining` a row of `MATERIAL`, `monitoring/retraining.py`",
    ),
    ExtensionPoint(
        "export format",
        "one row in `EXPORTS`, `clv_core/strategy/audiences/formats.py`; its columns in `platforms.py` beside it",
        "clv_core.strategy.audiences.formats:EXPORTS",
        """Read back by a reader that is not ours, the file has every customer who may be in it, once, with the key that
        the platform matches by; who did not agree is in none.""",
        ("contracts/test_every_export.py", "strategy/test_platforms.py"),
        entry="clv_core.strategy.audiences.formats:Export",
        texts=("export.{id}",),
    ),
    ExtensionPoint(
        "destination of scores",
        "one row in `KINDS`, `clv_core/strategy/destinations/saved_destinations.py`; a function in `http_senders.py` or"
        " `table_senders.py` beside it",
        "clv_core.strategy.destinations:KINDS",
        """After a push that failed in the middle the next one goes on: every customer is there, none twice. A push that
        changes nothing sends nothing, and the secret is in no file.""",
        ("contracts/test_every_destination.py", "strategy/test_destinations.py"),
        entry="clv_core.strategy.destinations.saved_destinations:Kind",
        texts=("export.{id}",),
        brings="a receiver in the contract test; `python assets/mkdocs_hooks.py` writes the documentation's table",
        how="destinations.md",
    ),
    ExtensionPoint(
        "chart",
        "a function that returns a `Chart`, in `pages/ui/charts`; in `clv_core/plot` where Python users have it too",
        "pages/ui/charts/*.py",
        """It draws from no row, one and many, in both languages: with a message, an axis that is named, and values that
        are those of the rows.""",
        ("contracts/test_every_chart.py", "pages/test_charts.py"),
        entry="clv_core.plot.drawing:Chart",
        brings="rows for it in the contract test; the keys that it says",
    ),
    ExtensionPoint(
        "page",
        "a script in `pages/<section>` (the shell draws its title), one row in `PAGES`, `pages/ui/navigation.py`",
        "pages.ui.navigation:PAGES",
        """It opens with an empty workspace, with a dataset and with a model, in both languages; without what it needs
        it says what that is and leads there.""",
        ("pages/test_app_opens.py",),
        entry="pages.ui.navigation:Page",
        texts=("page.{id}", "page.{id}.help", "section.{entry.section}"),
    ),
    ExtensionPoint(
        "step of the guided tour",
        "one entry of `STEPS`, `pages/ui/home/tour.py`",
        "pages.ui.home.tour:STEPS",
        "Its page is not empty with the demo, and what is prepared on it is what the step says.",
        ("pages/test_tour.py",),
        texts=("tour.{id}.title", "tour.{id}.show", "tour.{id}.say"),
    ),
    ExtensionPoint(
        "command",
        "a function with `@command` in `clv_core/commands`, its name in `COMMANDS`, `clv_core/commands/parser.py`",
        "clv_core.commands.parser:COMMANDS",
        "Its help explains every option in both languages; stdout has one line of JSON, and errors have exit codes.",
        ("test_cli.py", "test_docs.py"),
        texts=("cli.{id}",),
    ),
    ExtensionPoint(
        "setting of training",
        "one field of `TrainConfig`, `clv_core/config.py`, and the models that read it in `READS`",
        "clv_core.config:TrainConfig",
        """It has a default, bounds or choices that hold, and a model that reads it; another value changes no model that
        does not.""",
        ("test_config.py", "training/test_models.py"),
        texts=("config.{id}", "config.{id}.help"),
    ),
    ExtensionPoint(
        "environment variable",
        "one field in `clv_core/environment.py`; `python assets/mkdocs_hooks.py` writes the documentation's table",
        "clv_core.environment:Environment",
        "It is read when it is needed, empty is unset, a secret is not shown, and the documentation has it.",
        ("test_environment.py", "test_deploy.py", "test_docs.py"),
    ),
    ExtensionPoint(
        "language",
        "a folder of `.po` files in `assets/locale`, one row in `LANGUAGES`, `clv_core/i18n.py`",
        "clv_core.i18n:LANGUAGES",
        "It has every key of the others, with the same placeholders.",
        ("test_catalogues.py",),
    ),
    ExtensionPoint(
        "page of the documentation",
        "a file in `assets/docs`, a line in `assets/mkdocs.yml`",
        "assets/docs/*.md",
        "It is in the menu, every command, option and setting that it names exists, and the site builds.",
        ("test_docs.py",),
    ),
)
"""In the order in which a log goes through them."""


def table() -> str:
    """Return the points as a Markdown table: what, where, what comes with it, and who checks it."""
    lines = ["| | where | brings | contract |", "|---|---|---|---|"]
    for point in POINTS:
        keys = ", ".join(f"`{key.format(id='<id>', entry=_Named())}`" for key in point.texts)
        brings = "; ".join(filter(None, (f"{keys} in both catalogues" if keys else "", point.brings)))
        how = f" ([how](assets/docs/{point.how}))" if point.how else ""
        tests = ", ".join(f"`tests/{test}`" for test in point.tests)
        lines.append(f"| {point.name} | {point.add}{how} | {brings} | {tests} |")
    return "\n".join(lines)


class _Named:
    """Stands for an entry whose fields are called by their names."""

    def __getattr__(self, name: str) -> str:
        return f"<{name.replace('text_key', 'id')}>"
