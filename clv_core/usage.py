"""The parser of the command line: help and complaints in either language, complaints as part of the error tree.

argparse has English words of its own. What it complains of is recognised by its sentence and said from the catalogues;
a sentence that another version of Python words anew stays as it is.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from functools import partial
from typing import Any, Final, NoReturn

from clv_core.errors import UsageError
from clv_core.i18n import DEFAULT_LANGUAGE, translate

DASHED: Final = re.compile(r"expected (?:one|at least one) argument|unrecognized arguments:.* -(?!-)")
"""What argparse says where a value begins with a dash, which it takes for an option."""

COMPLAINTS: Final = {
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
"""Complaints of argparse that a person can cause; each is said by the catalogue's sentence ``usage.<name>``."""


class Help(argparse.HelpFormatter):
    """Shows help as it is written; argparse would read a % in a sentence as a placeholder."""

    def __init__(self, *args: Any, language: str = DEFAULT_LANGUAGE, **options: Any) -> None:
        super().__init__(*args, **options)
        self._begins = translate("usage.begins", language)

    def add_usage(self, usage: str | None, actions: Any, groups: Any, prefix: str | None = None) -> None:
        """Begin the line that shows how a command is called with our word."""
        super().add_usage(usage, actions, groups, self._begins if prefix is None else prefix)

    def _expand_help(self, action: argparse.Action) -> str:
        return self._get_help_string(action) or ""


class HelpInLines(Help, argparse.RawDescriptionHelpFormatter):
    """Leaves the lines of what is said before and after the options as they are."""


class Parser(argparse.ArgumentParser):
    """An argument parser that speaks a language, and whose complaints join the error tree.

    Args:
        language: of headings, help and complaints; parsers of its commands speak it too.
        options: of argparse.
    """

    def __init__(self, *, language: str = DEFAULT_LANGUAGE, **options: Any) -> None:
        super().__init__(formatter_class=partial(Help, language=language), **options)
        self.language = language
        self._positionals.title = translate("usage.positionals", language)
        self._optionals.title = translate("usage.options", language)
        for action in self._actions:
            if "--help" in action.option_strings:
                action.help = translate("usage.help", language)

    def add_subparsers(self, **options: Any) -> Any:
        """Let commands be added, which speak the same language."""
        return super().add_subparsers(**{"parser_class": partial(Parser, language=self.language), **options})

    def error(self, message: str) -> NoReturn:
        """Raise what argparse complains of.

        Raises:
            UsageError: always.
        """
        code = "usage_dash" if DASHED.search(message) else "usage"
        raise UsageError(code, reason=said(message, self.language), usage=self.format_usage().strip())


class Command(Parser):
    """A parser of one command, whose words are declared once it is called: its module brings its libraries along.

    Args:
        language: as of :class:`Parser`.
        options: of argparse.
    """

    def __init__(self, *, language: str = DEFAULT_LANGUAGE, **options: Any) -> None:
        super().__init__(language=language, **options)
        self.declaring: Callable[[Command], None] | None = None

    def declare(self) -> Command:
        """Declare the words, where it was not done yet, and return the parser."""
        declaring, self.declaring = self.declaring, None
        if declaring:
            declaring(self)
        return self

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Read the words of a call."""
        return super(Command, self.declare()).parse_known_args(args, namespace)


def said(complaint: str, language: str) -> str:
    """Return what argparse complains of in a language; a sentence that is not known stays as it is."""
    for name, pattern in COMPLAINTS.items():
        found = pattern.fullmatch(complaint)
        if found:
            parts = found.groupdict()
            if "problem" in parts:
                parts["problem"] = said(parts["problem"], language)
            return translate(f"usage.{name}", language, **parts)
    return complaint
