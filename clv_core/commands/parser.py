"""The parser of the command line: commands declared as tables of options, help and errors in either language.

argparse writes its errors in English. They are recognised by their sentence and translated by the catalogues; a
sentence that a later Python words differently stays in English.
"""

from __future__ import annotations

import argparse
import importlib
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Any, Final, NoReturn

from clv_core import __version__
from clv_core.errors import UsageError
from clv_core.i18n import DEFAULT_LANGUAGE, LANGUAGES, translate
from clv_core.jobs import Progress
from clv_core.workspace import Workspace

VALUE_WITH_DASH: Final = re.compile(r"expected (?:one|at least one) argument|unrecognized arguments:.* -(?!-)")
"""Errors of argparse if a value begins with a dash, which it takes for an option."""

ERRORS: Final = {
    "argument": re.compile(r"argument (?P<name>[^:]+): (?P<problem>.+)", re.DOTALL),
    "required": re.compile(r"the following arguments are required: (?P<names>.+)"),
    "one_required": re.compile(r"one of the arguments (?P<names>.+) is required"),
    "unrecognized": re.compile(r"unrecognized arguments: (?P<words>.+)", re.DOTALL),
    "expected_one": re.compile(r"expected one argument"),
    "expected_some": re.compile(r"expected at least one argument"),
    "choice": re.compile(r"invalid choice: (?P<value>.+) \(choose from (?P<choices>.+)\)", re.DOTALL),
    "whole": re.compile(r"invalid int value: (?P<value>.+)", re.DOTALL),
    "number": re.compile(r"invalid float value: (?P<value>.+)", re.DOTALL),
    "day": re.compile(r"invalid day value: (?P<value>.+)", re.DOTALL),
    "not_with": re.compile(r"not allowed with argument (?P<name>.+)"),
    "ambiguous": re.compile(r"ambiguous option: (?P<option>.+) could match (?P<matches>.+)", re.DOTALL),
    "surplus": re.compile(r"ignored explicit argument (?P<value>.+)", re.DOTALL),
}
"""Errors of argparse that a person can cause; each is translated by the catalogue's key ``usage.<name>``."""


@dataclass(frozen=True)
class Context:
    """Workspace, language and progress listener of a command.

    Args:
        workspace: where datasets and models live.
        language: of the messages.
        progress: listener for long runs.
    """

    workspace: Workspace
    language: str
    progress: Progress


Answer = dict[str, Any]
"""The result that a command prints as JSON on stdout."""
Run = Callable[[argparse.Namespace, Context], Answer]


@dataclass(frozen=True)
class Option:
    """One argument or option of a command.

    Args:
        word: ``--name`` of an option, or the name of a positional argument.
        key: catalogue key of its help.
        settings: of :meth:`argparse.ArgumentParser.add_argument`.
        params: fill the help text.
    """

    word: str
    key: str
    settings: dict[str, Any]
    params: dict[str, Any] = field(default_factory=dict)

    def add_to(self, parser: Any, language: str) -> None:
        """Add the option to a parser, or to a group of one."""
        parser.add_argument(self.word, help=translate(self.key, language, **self.params), **self.settings)


@dataclass(frozen=True)
class OneOf:
    """Options of which a call may have one; of which it has to have one where ``required``."""

    options: tuple[Option, ...]
    required: bool

    def add_to(self, parser: argparse.ArgumentParser, language: str) -> None:
        """Add the options to a parser."""
        group = parser.add_mutually_exclusive_group(required=self.required)
        for choice in self.options:
            choice.add_to(group, language)


@dataclass(frozen=True)
class CommandSpec:
    """A command.

    Args:
        run: what runs it.
        options: of it.
        epilog: the text after them in its help, by language.
        check: refuses options that do not go together, whatever is stored.
    """

    run: Run
    options: tuple[Option | OneOf, ...]
    epilog: Callable[[str], str] | None
    check: Callable[[argparse.Namespace], None] | None

    @property
    def all_options(self) -> list[Option]:
        """Each option by itself, also those that exclude one another."""
        return [part for entry in self.options for part in (entry.options if isinstance(entry, OneOf) else (entry,))]


COMMANDS: Final = {
    **dict.fromkeys(("simulate", "pretrain"), "simulation"),
    **dict.fromkeys(("check", "ingest", "combine"), "ingestion"),
    "source": "log_sources",
    **dict.fromkeys(("datasets", "rename", "restore", "prune", "retention", "delete", "backup", "recover"), "datasets"),
    **dict.fromkeys(("clean", "customers", "explore"), "preparation"),
    **dict.fromkeys(("look", "train"), "training"),
    **dict.fromkeys(("backtest", "tune"), "backtests"),
    **dict.fromkeys(("score", "merge", "explain", "card", "embed"), "scoring"),
    **dict.fromkeys(("segment", "export", "push", "destinations"), "customer_lists"),
    **dict.fromkeys(("plan", "recommend", "price", "acquire", "forecast", "demand", "results"), "decisions"),
    **dict.fromkeys(("report", "demo"), "reports"),
    "models": "model_versions",
    **dict.fromkeys(("monitor", "schedule", "run-due", "summary"), "operations"),
    **dict.fromkeys(("erase", "suppress", "person"), "privacy"),
    "audit": "audit_log",
    "objections": "objections",
    **dict.fromkeys(("app", "serve", "mcp", "keys"), "serving"),
}
"""Every command and the module of this package that defines it."""
SPECS: Final[dict[str, CommandSpec]] = {}
"""The commands by name, filled by :func:`command` as their modules are imported."""


def option(word: str, key: str, *, params: dict[str, Any] | None = None, **settings: Any) -> Option:
    """Return an option with its help key and argparse's ``settings``; ``params`` fill the help text."""
    return Option(word, key, settings, params or {})


def one_of(*options: Option, required: bool = False) -> OneOf:
    """Return options that exclude one another."""
    return OneOf(options, required)


def command(
    name: str,
    *options: Option | OneOf,
    epilog: Callable[[str], str] | None = None,
    check: Callable[[argparse.Namespace], None] | None = None,
) -> Callable[[Run], Run]:
    """Register a function ``(options, context) -> JSON`` as what runs the command ``name`` (:class:`CommandSpec`)."""

    def register(run: Run) -> Run:
        SPECS[name] = CommandSpec(run, options, epilog, check)
        return run

    return register


class Help(argparse.HelpFormatter):
    """Help text as the catalogues have it: their line breaks stay, and a % is no placeholder."""

    def __init__(self, *args: Any, language: str = DEFAULT_LANGUAGE, **options: Any) -> None:
        super().__init__(*args, **options)
        self._usage_prefix = translate("usage.begins", language)

    def add_usage(self, usage: str | None, actions: Any, groups: Any, prefix: str | None = None) -> None:
        """Begin the usage line in the language."""
        super().add_usage(usage, actions, groups, self._usage_prefix if prefix is None else prefix)

    def _expand_help(self, action: argparse.Action) -> str:
        return self._get_help_string(action) or ""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if "\n" in text else super()._fill_text(text, width, indent)

    def _split_lines(self, text: str, width: int) -> list[str]:
        return text.splitlines() if "\n" in text else super()._split_lines(text, width)


class Parser(argparse.ArgumentParser):
    """An argument parser with headings, help and errors in a language; errors are raised as :class:`UsageError`.

    Args:
        language: of this parser and those of its subcommands.
        settings: of argparse.
    """

    def __init__(self, *, language: str = DEFAULT_LANGUAGE, **settings: Any) -> None:
        super().__init__(formatter_class=partial(Help, language=language), **settings)
        self.language = language
        self.words: Sequence[str] = ()
        self.suggest_on_error = False  # by argparse of later Pythons, in English
        self._positionals.title = translate("usage.positionals", language)
        self._optionals.title = translate("usage.options", language)
        for action in self._actions:
            if "--help" in action.option_strings:
                action.help = translate("usage.help", language)

    def add_subparsers(self, **settings: Any) -> Any:
        """Let subcommands be added, in the same language."""
        return super().add_subparsers(**{"parser_class": partial(Parser, language=self.language), **settings})

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse the arguments of a call; surplus ones are refused here, with the usage of the command itself."""
        self.words = sys.argv[1:] if args is None else list(args)
        namespace, surplus = super().parse_known_args(args, namespace)
        if surplus:
            self.error(f"unrecognized arguments: {' '.join(surplus)}")
        return namespace, surplus

    def error(self, message: str) -> NoReturn:
        """Raise an error of argparse; where an option is misspelt, its nearest name is the reason.

        Raises:
            UsageError: always.
        """
        usage = self.format_usage().strip()
        if misspelt := self._misspelt_option():
            raise UsageError("usage", reason=translate("usage.near_option", self.language, **misspelt), usage=usage)
        code = "usage_dash" if VALUE_WITH_DASH.search(message) else "usage"
        raise UsageError(code, reason=translate_error(message, self.language), usage=usage)

    def _misspelt_option(self) -> dict[str, str] | None:
        """Return an option of the call that does not exist as ``option``, and the ``nearest`` that does."""
        long_options = [name for name in self._option_string_actions if name.startswith("--")]
        commands = [name for action in self._actions if isinstance(action.choices, dict) for name in action.choices]
        for word in takewhile(lambda word: word != "--" and word not in commands, self.words):
            name = word.partition("=")[0]
            if name.startswith("--") and not any(candidate.startswith(name) for candidate in long_options):
                nearest = nearest_word(name[2:], (candidate[2:] for candidate in long_options))
                if nearest:
                    return {"option": name, "nearest": f"--{nearest}"}
        return None


class CommandParser(Parser):
    """The parser of one command. Its options are added when it is first used, since its module imports libraries.

    Args:
        language: as of :class:`Parser`.
        settings: of argparse.
    """

    command = ""
    module = ""

    def declare(self) -> CommandParser:
        """Import the command's module, add its options where that was not done yet, and return the parser."""
        module, self.module = self.module, ""
        if module:
            importlib.import_module(module)
            actions = [name for name in SPECS if name.startswith(f"{self.command} ")]
            if actions:
                self._add_actions(actions)
            else:
                _add_options(self, SPECS[self.command])
        return self

    def _add_actions(self, names: Sequence[str]) -> None:
        """Add a subcommand for each action, such as ``models list``."""
        text = translate(f"cli.{self.command}.action", self.language)
        actions = self.add_subparsers(dest="action", required=True, metavar="ACTION", help=text)
        for name in names:
            text = translate(f"cli.{name.replace(' ', '.')}", self.language)
            action = actions.add_parser(name.partition(" ")[2], help=text, description=text)
            _add_options(action, SPECS[name])
            add_common_options(action, None)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse the arguments of a call."""
        return super(CommandParser, self.declare()).parse_known_args(args, namespace)


def build_parser(language: str = DEFAULT_LANGUAGE, workspace: Workspace | None = None) -> argparse.ArgumentParser:
    """Return the parser with one subcommand for each of :data:`COMMANDS`; a module is imported when it is called.

    Args:
        language: of its help and errors.
        workspace: that the help names; None is the default.
    """
    folder = (workspace or Workspace.default()).root
    common = Parser(language=language, add_help=False)
    add_common_options(common, folder)
    about, codes = translate("cli.description", language), translate("cli.exit_codes", language)
    program = "clv" if Path(sys.argv[0]).stem == "clv" else "python -m clv_core"
    parser = Parser(language=language, prog=program, description=about, epilog=codes)
    add_common_options(parser, folder, unset=False)
    text = translate("cli.version", language)
    parser.add_argument("--version", action="version", version=f"CLV Studio {__version__}", help=text)
    parser.add_argument("--job", type=Path, default=None, help=argparse.SUPPRESS)
    subparser = partial(CommandParser, language=language)
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=subparser)
    for name, module in COMMANDS.items():
        text = translate(f"cli.{name}", language)
        added = subparsers.add_parser(name, help=text, description=text, parents=[common])
        added.command, added.module = name, f"clv_core.commands.{module}"
    return parser


def add_common_options(parser: Parser, workspace: Path | None, *, unset: bool = True) -> None:
    """Add the options that every command takes, before its name or behind it.

    Args:
        parser: gets them.
        workspace: the folder that a call would use, for the help; None leaves all of them out of it.
        unset: options that are not given keep what is set already, and get no default.
    """
    default: dict[str, Any] = {"default": argparse.SUPPRESS} if unset else {}

    def text(key: str) -> str:
        return translate(f"cli.{key}", parser.language, folder=workspace) if workspace else argparse.SUPPRESS

    parser.add_argument("--workspace", type=Path, metavar="DIR", help=text("workspace"), **default)
    parser.add_argument("--lang", choices=sorted(LANGUAGES), help=text("lang"), **default)
    parser.add_argument("--quiet", action="store_true", help=text("quiet"), **default)


def _add_options(parser: Parser, spec: CommandSpec) -> None:
    for entry in spec.options:
        entry.add_to(parser, parser.language)
    parser.epilog = spec.epilog(parser.language) if spec.epilog else None
    parser.set_defaults(run=spec.run)


def translate_error(message: str, language: str) -> str:
    """Return an error of argparse in a language; a sentence without a translation stays as it is."""
    for name, pattern in ERRORS.items():
        match = pattern.fullmatch(message)
        if match:
            parts = match.groupdict()
            if "problem" in parts:
                parts["problem"] = translate_error(parts["problem"], language)
            if "choices" in parts:
                nearest = nearest_word(
                    parts["value"].strip("'"), (choice.strip(" '") for choice in parts["choices"].split(","))
                )
                if nearest:
                    return translate("usage.near_choice", language, value=parts["value"], nearest=nearest)
            return translate(f"usage.{name}", language, **parts)
    return message


def nearest_word(word: str, words: Iterable[str]) -> str | None:
    """Return the one of ``words`` that ``word`` most likely is with a slip of the keyboard; None if none is near."""
    return next(iter(get_close_matches(word.lower(), list(words), n=1)), None)
