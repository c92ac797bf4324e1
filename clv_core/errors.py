"""The error tree, and the message that errors, warnings and reasons share.

    ClvError                      exit 5  something failed
    |-- UsageError                exit 2  wrong arguments or settings
    |-- NeedsAnswer               exit 3  the input is ambiguous: the user has to answer a question
    |-- Refused                   exit 4  the input cannot be used; nothing was stored
    |   |-- NotFound              exit 4  no dataset, model or customer of that name
    |   `-- NotEnoughData         exit 4  readable, but too little to train on
    |-- NotReady                exit 7  others have to run first; nothing is wrong
    |-- ChainFailed             exit 6  a chain of a schedule failed, or did not run
    `-- Cancelled               exit 130  the user stopped it

An error carries a code and parameters; its sentence comes from the catalogues of :mod:`clv_core.i18n` under the key
``error.<code>``, in each language: what was needed, what the input holds, where, and what to do.
"""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

from clv_core.i18n import DEFAULT_LANGUAGE, say_iso_day, translate


@dataclass(frozen=True)
class Message:
    """A warning or a reason: a stable code, its parameters, and a sentence in each language.

    Args:
        code: catalogue key, for example ``warning.duplicates_kept``.
        params: values for the sentence's placeholders; JSON types only.
    """

    __pydantic_config__: ClassVar[Mapping[str, str]] = {"extra": "forbid"}

    code: str
    params: dict[str, Any] = field(default_factory=dict)

    def text(self, language: str = DEFAULT_LANGUAGE) -> str:
        """Return the sentence in ``language``."""
        return translate(self.code, language, **self.params)

    def display(self, language: str = DEFAULT_LANGUAGE) -> str:
        """Return the sentence in ``language`` as the app shows it: ISO dates in that language's own order."""
        return translate(
            self.code, language, **{name: say_iso_day(value, language) for name, value in self.params.items()}
        )

    def coded(self) -> dict[str, Any]:
        """Return ``{code, params}``, to be stored and translated when it is read."""
        return {"code": self.code, "params": self.params}

    def to_json(self, language: str = DEFAULT_LANGUAGE) -> dict[str, Any]:
        """Return ``{code, params, message}``, the code without its first part."""
        return {"code": self.code.split(".", 1)[-1], "params": self.params, "message": self.text(language)}


def traced(error: BaseException) -> str:
    """Return the type and trace of an unexpected error, for a log; without its text, which may quote a cell."""
    return f"{type(error).__name__}\n{''.join(traceback.format_tb(error.__traceback__))}"


def _finite(value: Any) -> Any:
    """Return a value that JSON can hold: NaN and infinity as texts."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


class ClvError(Exception):
    """Root of all errors that a user may see.

    Args:
        code: catalogue key without the ``error.`` prefix.
        params: values for the sentence's placeholders.

    Examples:
        >>> from clv_core import CLV, ClvError
        >>> try:
        ...     CLV(horizon_days=0).fit("orders.csv")
        ... except ClvError as error:
        ...     print(error)
        ...     print(error.code, error.params)
        horizon_days was 0; use 1 to 3650.
        setting_bounds {'setting': 'horizon_days', 'value': 0, 'low': 1, 'high': 3650}
    """

    exit_code: ClassVar[int] = 5

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code, params)
        self.code = code
        self.params = {name: _finite(value) for name, value in params.items()}
        self.result: dict[str, Any] | None = None
        """Result of what was done in spite of the error, as JSON; None where nothing was."""
        self.wording: Callable[[str], str] = str
        """How a door words the sentence where it names options of the command line."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Return how to unpickle the error: ``Exception`` alone would lose its parameters."""
        return partial(type(self), self.code, **self.params), (), {"result": self.result}

    def message(self, language: str = DEFAULT_LANGUAGE) -> str:
        """Return the sentence in ``language``."""
        return translate(f"error.{self.code}", language, **self.params)

    def to_json(self, language: str = DEFAULT_LANGUAGE) -> dict[str, Any]:
        """Return ``{code, params, message}``."""
        return {"code": self.code, "params": self.params, "message": self.message(language)}

    def __str__(self) -> str:
        """Return the English sentence, in the words of the door that it comes through."""
        return self.wording(self.message())


class UsageError(ClvError):
    """An argument or a setting is wrong."""

    exit_code = 2


class NeedsAnswer(ClvError):
    """The input is ambiguous; the user has to choose.

    Where the choices are few, ``params["readings"]`` lists them: ``option``, the words of the command line;
    ``answers``, the same as keywords of :class:`~clv_core.collection.answers.Answers`; ``net_revenue`` of the
    file if read so, None where it is not computed. ``params["also"]`` holds further questions, each its code and
    parameters, and ``params["together"]`` the revenue by answers to all of them.

    Examples:
        >>> import pandas as pd
        >>> from clv_core import CLV, NeedsAnswer
        >>> days = ["03/04/2024", "05/06/2024"]
        >>> written = pd.DataFrame({"customer_id": ["a", "b"], "event_time": days, "amount": [9.0, 8.0]})
        >>> try:
        ...     CLV(horizon_days=90).fit(written)
        ... except NeedsAnswer as question:
        ...     print(question.code, [reading["answers"] for reading in question.params["readings"]])
        dates_ambiguous [{'date_order': 'dmy'}, {'date_order': 'mdy'}]
    """

    exit_code = 3

    def message(self, language: str = DEFAULT_LANGUAGE) -> str:
        """Return the question, and the options with the revenue that each gives."""
        sentences = [self._with_readings(super().message(language), "readings", "error.readings", language)]
        for question in self.questions[1:]:
            sentences.append(translate("error.also", language, question=question.message(language)))
        return self._with_readings(" ".join(sentences), "together", "error.together", language)

    @property
    def questions(self) -> list[NeedsAnswer]:
        """The questions that are put together, this one first, each for itself."""
        params = {name: value for name, value in self.params.items() if name not in ("also", "together")}
        further = (NeedsAnswer(question["code"], **question["params"]) for question in self.params.get("also", ()))
        return [NeedsAnswer(self.code, **params), *further] if self.params.get("also") else [self]

    def to_json(self, language: str = DEFAULT_LANGUAGE) -> dict[str, Any]:
        """Return ``{code, params, message}``, and ``questions``, a list of the same, where several are put together."""
        answer = super().to_json(language)
        several = self.questions if self.params.get("also") else []
        return answer | ({"questions": [question.to_json(language) for question in several]} if several else {})

    def _with_readings(self, sentence: str, readings: str, key: str, language: str) -> str:
        """Return a sentence with the readings among the parameters, each with the revenue that it gives."""
        choices = []
        for reading in self.params.get(readings, ()):
            sentence_key = "error.reading_unknown" if reading["net_revenue"] is None else "error.reading"
            choices.append(translate(sentence_key, language, **reading))
        return f"{sentence} {translate(key, language, readings='; '.join(choices))}" if choices else sentence


class Refused(ClvError):
    """The input cannot be used; nothing of it was stored."""

    exit_code = 4


class NotFound(Refused):
    """No dataset, model, job or customer of that name."""


class NotEnoughData(Refused):
    """The log is readable but holds too little data."""


class ChainFailed(ClvError):
    """A chain of a schedule failed or did not run; whoever started it is done with the others."""

    exit_code = 6


class NotReady(ClvError):
    """What is asked for needs what other runs have not written yet; nothing is wrong, and it may be asked for again."""

    exit_code = 7


class Cancelled(ClvError):
    """The user stopped the run; the exit code is that of a program ended by Ctrl-C."""

    exit_code = 130

    def __init__(self) -> None:
        super().__init__("cancelled")
