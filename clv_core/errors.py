"""The error tree, and the message that errors, warnings and reasons share.

    ClvError                      exit 5  something failed
    |-- UsageError                exit 2  the call's words are off
    |-- NeedsAnswer               exit 3  the input can be read in two ways: ask
    |-- Refused                   exit 4  the input cannot be used, and nothing was kept of it
    |   |-- NotFound              exit 4  no dataset, model or customer of that name
    |   `-- NotEnoughData         exit 4  readable, but too little to learn from
    `-- Cancelled               exit 130  the person stopped it

An error carries a code and parameters; the sentence comes from the catalogues of :mod:`clv_core.i18n`
under the key ``error.<code>``, so that every error speaks each language and says what was needed, what was
found, where, and what to do.
"""

from __future__ import annotations

import math
import traceback
from dataclasses import dataclass, field
from typing import Any, ClassVar

from clv_core.i18n import DEFAULT_LANGUAGE, say_iso_day, translate


@dataclass(frozen=True)
class Message:
    """A warning or a reason: a stable code, its parameters, and a sentence in each language.

    Args:
        code: catalogue key, for example ``warning.duplicates_kept``.
        params: values for the sentence's placeholders; JSON types only.
    """

    code: str
    params: dict[str, Any] = field(default_factory=dict)

    def text(self, language: str = DEFAULT_LANGUAGE) -> str:
        """Return the sentence in ``language``."""
        return translate(self.code, language, **self.params)

    def said(self, language: str = DEFAULT_LANGUAGE) -> str:
        """Return the sentence in ``language`` for a person, its days in that language's own order."""
        return translate(
            self.code, language, **{name: say_iso_day(value, language) for name, value in self.params.items()}
        )

    def coded(self) -> dict[str, Any]:
        """Return ``{code, params}``, to be kept on disk and worded when it is read."""
        return {"code": self.code, "params": self.params}

    def to_json(self, language: str = DEFAULT_LANGUAGE) -> dict[str, Any]:
        """Return ``{code, params, message}``, the shape of design section 4."""
        return {"code": self.code.split(".", 1)[-1], "params": self.params, "message": self.text(language)}


def traced(error: BaseException) -> str:
    """Return the type of an unexpected error and the lines of code that it went through, for a log.

    Its text is left out: that of a library may quote a cell.
    """
    return f"{type(error).__name__}\n{''.join(traceback.format_tb(error.__traceback__))}"


def _plain(value: Any) -> Any:
    """Return a value that JSON can hold: NaN and infinity as words."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


class ClvError(Exception):
    """Root of all errors that a person may see.

    Args:
        code: catalogue key without the ``error.`` prefix.
        params: values for the sentence's placeholders.
    """

    exit_code: ClassVar[int] = 5

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code, params)
        self.code = code
        self.params = {name: _plain(value) for name, value in params.items()}
        self.result: dict[str, Any] | None = None
        """What was done all the same, as JSON; None where nothing was."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what makes the error anew from a pickle, its code being no parameter of ``Exception``."""
        return _made_anew, (type(self), self.code, self.params), {"result": self.result}

    def message(self, language: str = DEFAULT_LANGUAGE) -> str:
        """Return the sentence in ``language``."""
        return translate(f"error.{self.code}", language, **self.params)

    def to_json(self, language: str = DEFAULT_LANGUAGE) -> dict[str, Any]:
        """Return ``{code, params, message}``."""
        return {"code": self.code, "params": self.params, "message": self.message(language)}

    def __str__(self) -> str:
        """Return the English sentence."""
        return self.message()


def _made_anew(kind: type[ClvError], code: str, params: dict[str, Any]) -> ClvError:
    return kind(code, **params)


class UsageError(ClvError):
    """The call's words are off."""

    exit_code = 2


class NeedsAnswer(ClvError):
    """The input can be read in two ways; the person has to say which.

    Where the answers are few, ``params["readings"]`` lists them: ``option``, the words of the command line;
    ``answers``, the same as keywords of :class:`~clv_core.collection.mapping.answers.Answers`; ``net_revenue`` of the
    file read so, None where it is not known.
    """

    exit_code = 3

    def message(self, language: str = DEFAULT_LANGUAGE) -> str:
        """Return the question, and the options with what each makes of the revenue."""
        choices = []
        for reading in self.params.get("readings", ()):
            known = reading["net_revenue"] is not None
            choices.append(translate("error.reading" if known else "error.reading_unknown", language, **reading))
        sentence = super().message(language)
        if not choices:
            return sentence
        return f"{sentence} {translate('error.readings', language, readings='; '.join(choices))}"


class Refused(ClvError):
    """The input cannot be used; nothing of it was kept."""

    exit_code = 4


class NotFound(Refused):
    """No dataset, model, job or customer of that name."""


class NotEnoughData(Refused):
    """The log is readable but holds too little for what was asked."""


class Cancelled(ClvError):
    """The person stopped the run; it leaves as a shell says of a program that Ctrl-C ended."""

    exit_code = 130

    def __init__(self) -> None:
        super().__init__("cancelled")
