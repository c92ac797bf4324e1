"""What the command line says of itself and of a call that it does not understand, in both languages."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from clv_core import cli
from clv_core.commands.parser import ERRORS, translate_error
from clv_core.errors import UsageError

LATIN = re.compile(r"\b[a-z]{3,}\b")
OPTIONS = set("command model out horizon days name drop keep duplicates rate margin master".split())
CALLS = {
    "required": ["score", "shop"],
    "choice": ["dance"],
    "whole": ["train", "shop", "--horizon-days", "many"],
    "number": ["score", "shop", "--model", "m", "--out", "o", "--discount-rate", "much"],
    "day": ["score", "shop", "--model", "m", "--out", "o", "--cutoff", "2024-13-01"],
    "expected_one": ["ingest", "a.csv", "--name"],
    "not_with": ["ingest", "a.csv", "--name", "n", "--keep-duplicates", "--drop-duplicates"],
    "unrecognized": ["train", "shop", "--horizon-days", "30", "--unheard-of"],
    "ambiguous": ["score", "shop", "--m", "x", "--out", "o"],
    "surplus": ["demo", "--help=much"],
}


def complaint(words: Sequence[str], language: str) -> str:
    with pytest.raises(UsageError) as caught:
        cli.build_parser(language).parse_args(words)
    reason = caught.value.params["reason"]
    assert isinstance(reason, str)
    return reason


@pytest.mark.parametrize("name", CALLS)
def test_a_call_that_is_not_understood_is_complained_of_in_each_language_by_the_same_options(name: str) -> None:
    english, chinese = (complaint(CALLS[name], language) for language in ("en", "zh"))
    own = {part for word in [*CALLS[name], *cli.COMMANDS] for part in LATIN.findall(word.lower())}
    assert any("一" <= letter <= "鿿" for letter in chinese) and name in ERRORS
    assert set(LATIN.findall(chinese.lower())) <= own | OPTIONS, chinese
    assert not any("一" <= letter <= "鿿" for letter in english)
    assert set(re.findall(r"--[a-z-]+", english)) == set(re.findall(r"--[a-z-]+", chinese))


def test_a_complaint_that_python_words_anew_stays_as_it_is() -> None:
    assert translate_error("something else entirely", "zh") == "something else entirely"
    assert translate_error("argument --name: something else", "zh") == "参数 --name：something else"


@pytest.mark.parametrize(
    "words", [[*command, "--help"] for command in ([], ["score"], ["train"], ["models", "promote"])]
)
def test_headings_of_help_are_in_the_language(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    for language, headings in (("zh", ("用法：", "选项:")), ("en", ("usage: ", "options:"))):
        with pytest.raises(SystemExit) as ended:
            cli.build_parser(language).parse_args(words)
        text = capsys.readouterr().out
        assert ended.value.code == 0 and text.startswith(headings[0]) and headings[1] in text
        assert ("show this help" in text) == (language == "en")
        assert text.index("-h") < text.index("--workspace") if "--workspace" in text else True


def test_settings_of_train_stand_one_a_line_and_their_bounds_are_in_no_language(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        cli.build_parser("zh").parse_args(["train", "--help"])
    text = capsys.readouterr().out
    assert "\n  horizon_days=182  (1–3,650)\n" in text and " to 3,650" not in text
