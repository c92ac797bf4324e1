"""What the command line says of itself and of a call that it does not understand, in both languages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import platformdirs
import pytest

from clv_core import cli, workspace
from clv_core.commands.parser import COMMANDS, ERRORS, translate_error
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
    own = {part for word in [*CALLS[name], *COMMANDS] for part in LATIN.findall(word.lower())}
    assert any("一" <= letter <= "鿿" for letter in chinese) and name in ERRORS
    assert set(LATIN.findall(chinese.lower())) <= own | OPTIONS, chinese
    assert not any("一" <= letter <= "鿿" for letter in english)
    assert set(re.findall(r"--[a-z-]+", english)) == set(re.findall(r"--[a-z-]+", chinese))


@pytest.mark.parametrize(
    ("words", "wrong", "right"),
    [
        (["trian", "shop", "--horizon-days", "90"], "'trian'", "train"),
        (["models", "lst"], "'lst'", "list"),
        (["export", "shop", "--model", "m", "--out", "o", "--format", "CVS"], "'CVS'", "csv"),
        (["train", "shop", "--horizn-days", "90"], "--horizn-days", "--horizon-days"),  # which is then missing too
        (["train", "shop", "--horizon-days=90", "--modle=mlp"], "--modle", "--model"),
        (["models", "list", "--workspce", "x"], "--workspce", "--workspace"),
        (["--worksapce", "x", "datasets"], "--worksapce", "--workspace"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else words,
)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_slip_of_the_keyboard_is_answered_by_the_nearest_word(
    words: list[str], wrong: str, right: str, language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    reason = complaint(words, language)
    asked = {"en": f"(did you mean {right}?)", "zh": f"（是否指 {right}？）"}
    assert wrong in reason and reason.endswith(asked[language]) and len(reason) < 80
    code = cli.main([*words, "--lang", language])
    assert code == UsageError.exit_code == 2 and asked[language] in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["dance"],
        ["train", "shop", "--horizon-days", "9", "--unheard-of", "x"],
        ["train", "shop", "--horizon-day", "many"],  # which is --horizon-days cut short
        ["models", "show", "--", "--langs", "x", "y", "z"],  # no options behind the two dashes
        ["--lang", "fr", "train", "--langs"],  # an option of the command is none of the program's
    ],
    ids=" ".join,
)
def test_nothing_is_guessed_where_nothing_is_near(words: list[str]) -> None:
    assert "did you mean" not in complaint(words, "en")


def test_a_command_that_is_not_understood_is_answered_by_its_own_usage() -> None:
    with pytest.raises(UsageError) as caught:
        cli.build_parser().parse_args(["train", "shop", "more", "--horizon-days", "9"])
    usage = caught.value.params["usage"]
    assert caught.value.params["reason"] == "unrecognized arguments: more" and "--horizon-days" in str(usage)


@pytest.mark.parametrize("command", [[], ["train"], ["models"]], ids=str)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_help_names_the_workspace_that_the_call_would_use(
    command: list[str],
    language: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def named(*words: str) -> list[str]:
        with pytest.raises(SystemExit):
            cli.main([*words, "--lang", language, "--help"])
        after = capsys.readouterr().out.rpartition("--workspace DIR")[2]
        return [line.strip() for line in after.splitlines()]

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CLV_WORKSPACE", raising=False)
    assert str(tmp_path / "workspace") in named(*command)
    monkeypatch.setattr(workspace, "IS_CHECKOUT", False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data of mine"))
    assert str(platformdirs.user_data_path("clv-studio") / "workspace") in named(*command)
    monkeypatch.setenv("CLV_WORKSPACE", "a-folder-with-hyphens/" * 9)
    assert str(tmp_path / ("a-folder-with-hyphens/" * 9)) in named(*command)
    assert str(tmp_path / "50%") in named(*command, "--workspace", "50%")
    assert str(tmp_path / "here") in named("--workspace=there", *command, "--workspace=here")


def test_options_of_every_command_may_stand_before_it_and_the_last_one_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CLV_WORKSPACE", str(tmp_path / "environment"))
    first, last = str(tmp_path / "first"), str(tmp_path / "last")
    parse = cli.build_parser().parse_args
    options = parse(["--workspace", first, "--lang", "zh", "--quiet", "models", "list"])
    assert (options.workspace, options.lang, options.quiet) == (Path(first), "zh", True)
    assert parse(["--workspace", first, "models", "list", "--workspace", last]).workspace == Path(last)
    assert (parse(["models", "list"]).workspace, parse(["datasets"]).quiet) == (None, False)
    simulate = "simulate --scenario btyd --customers 50 --days 300 --seed 1 --out".split()
    assert cli.main(["--workspace", first, *simulate, str(tmp_path / "log")]) == 0
    assert cli.main(["--workspace", first, "ingest", str(tmp_path / "log" / "events.csv"), "--name", "shop"]) == 0
    assert (tmp_path / "first" / "datasets" / "shop").is_dir() and not (tmp_path / "environment").exists()


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
