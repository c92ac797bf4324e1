"""The command line's manners: exit codes, one JSON line, languages, no tracebacks."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from clv_core import __version__, cli
from clv_core.commands import simulation  # noqa: F401  registers the command
from clv_core.commands.parser import COMMANDS, SPECS
from clv_core.errors import (
    Cancelled,
    ChainFailed,
    ClvError,
    NeedsAnswer,
    NotEnoughData,
    NotFound,
    NotReady,
    Refused,
    UsageError,
)
from clv_core.i18n import translate

ROOT = Path(__file__).resolve().parent.parent
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(autouse=True)
def keep_signal_handler() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """Return a small, complete ``simulate`` call."""
    sizes = "simulate --scenario btyd --customers 50 --days 300 --seed 1".split()
    return [*sizes, "--out", str(tmp_path / "log"), "--workspace", str(tmp_path / "workspace")]


def call(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any], str]:
    """Return exit code, the last line of stdout read as JSON, and stderr."""
    code = cli.main(arguments)
    out, err = capsys.readouterr()
    return code, json.loads(out.splitlines()[-1]), err


def failing(error: BaseException) -> Callable[..., dict[str, Any]]:
    def run(*_: object) -> dict[str, Any]:
        raise error

    return run


def test_success_is_exit_0_with_one_json_line_and_progress_on_stderr(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = cli.main(words)
    out, err = capsys.readouterr()
    assert code == 0 and out.count("\n") == 1
    result = json.loads(out)
    assert Path(result["events"]) == tmp_path / "log" / "events.csv" and Path(result["truth"]).exists()
    assert translate("stage.simulate") in err


def test_a_quiet_command_says_on_stderr_what_fails_and_nothing_else(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = call([*words, "--quiet"], capsys)
    assert (code, err) == (0, "")
    code, answer, err = call(["datasets", "nothing", "--quiet", "--workspace", str(tmp_path)], capsys)
    assert (code, err) == (4, answer["error"]["message"] + "\n")


@pytest.mark.parametrize("arguments", [[], ["dance"], ["simulate"], ["--lang", "fr", "train"]])
def test_bad_usage_is_exit_2_in_words(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code, result, err = call(arguments, capsys)
    assert code == 2 and result["error"]["code"] == "usage"
    assert err.strip() == result["error"]["message"] and "Traceback" not in err


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        (["explain", "shop", "--model", "m", "--out", "x", "--customer", "-abc"], ["--customer=-abc"]),
        (["card", "shop", "--model", "m", "--customer", "-abc"], ["--customer=-abc"]),
        (["erase", "-abc"], ["--", "-abc"]),
        (["suppress", "add", "some", "-abc"], ["--", "-abc"]),
    ],
    ids=lambda words: words[0],
)
def test_how_ids_that_begin_with_a_dash_are_written_is_said_and_right(wrong: list[str], right: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        cli.build_parser().parse_args(wrong)
    for lang in ("en", "zh"):
        assert "--customer=-abc" in caught.value.message(lang) and "-- -abc" in caught.value.message(lang)
    kept = wrong[: -2 if right[0] != "--" else -1]
    customer = cli.build_parser().parse_args([*kept, *right]).customer
    assert customer == "-abc" or customer[-1] == "-abc"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("simulate_scenario", scenario="x", known="y"), 2),
        (NeedsAnswer("bad_name", name="x"), 3),
        (Refused("bad_name", name="x"), 4),
        (NotFound("no_job", job="x"), 4),
        (NotEnoughData("bad_name", name="x"), 4),
        (Cancelled(), 130),
        (KeyboardInterrupt(), 130),
        (ClvError("unexpected", kind="x"), 5),
        (ZeroDivisionError("secret detail"), 5),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value),
)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_each_error_has_its_exit_code_and_speaks_the_language(
    error: BaseException,
    code: int,
    language: str,
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(SPECS, "simulate", replace(SPECS["simulate"], run=failing(error)))
    monkeypatch.delenv("CLV_DEBUG", raising=False)
    got, result, err = call([*words, "--lang", language], capsys)
    assert got == code and set(result["error"]) == {"code", "params", "message"}
    assert bool(CHINESE.search(result["error"]["message"])) == (language == "zh")
    assert result["error"]["message"] in err
    assert "Traceback" not in err and "secret detail" not in err
    monkeypatch.setenv("CLV_DEBUG", "1")
    assert ("secret detail" in call(words, capsys)[2]) == isinstance(error, ZeroDivisionError)


def refused_on(number: int, name: str = "log") -> Callable[[Path], Exception]:
    return lambda folder: OSError(number, os.strerror(number), str(folder / name))


def unread_because(words: str) -> Callable[[Path], Exception]:
    error = Refused("unreadable_table", file="log.csv")
    error.__cause__ = duckdb.IOException(f"IO Error: Could not write file: {words}")
    return lambda _: error


def on_a_full_disk(_: Path) -> Exception:
    try:
        with Path("/dev/full").open("w", encoding="utf-8", buffering=1) as file:
            print("more than is free", file=file)
    except OSError as error:
        return error
    raise AssertionError


@pytest.mark.parametrize(
    ("error_in", "exit_code", "code", "word", "path"),
    [
        (on_a_full_disk, 5, "disk_full", "TMPDIR", None),
        (unread_because("No space left on device"), 5, "disk_full", "TMPDIR", None),
        (refused_on(errno.EDQUOT), 5, "disk_full", "TMPDIR", "log"),
        (unread_because("File too large"), 5, "file_too_large", "ulimit -f", None),  # RLIMIT_FSIZE and FAT
        (refused_on(errno.EFBIG), 5, "file_too_large", "ulimit -f", "log"),
        *(  # the name that was asked for, and not that of the file that is written first
            (refused_on(number, ".list.csv.0123abcd.tmp"), 2, "path_refused", os.strerror(number), "list.csv")
            for number in (errno.EROFS, errno.EACCES, errno.EISDIR, errno.ENOTDIR)
        ),
        (lambda _: MemoryError(), 5, "no_memory", "", None),
        (lambda _: OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)), 5, "no_memory", "", None),
        (lambda _: duckdb.OutOfMemoryException("Out of Memory Error: failed to allocate"), 5, "no_memory", "", None),
        (lambda _: RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), 5, "no_memory", "", None),
    ],
)
def test_what_the_machine_refuses_is_named_with_what_to_do(
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error_in: Callable[[Path], Exception],
    exit_code: int,
    code: str,
    word: str,
    path: str | None,
) -> None:
    monkeypatch.setitem(SPECS, "simulate", replace(SPECS["simulate"], run=failing(error_in(tmp_path))))
    got, result, _ = call(words, capsys)
    assert (got, result["error"]["code"]) == (exit_code, code) and word in result["error"]["message"]
    assert path is None or result["error"]["params"]["path"] == str(tmp_path / path)


def test_a_figure_that_json_cannot_say_never_leaves(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(SPECS, "simulate", replace(SPECS["simulate"], run=lambda *_: {"loss": float("nan")}))
    code, result, _ = call(words, capsys)
    assert code == 5 and result["error"]["code"] == "unexpected"


@pytest.mark.parametrize("value", ["nan", "inf"])
def test_a_setting_that_is_no_number_is_refused_in_words(
    value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, result, _ = call(["pretrain", "--minutes", value, "--out", str(tmp_path)], capsys)
    assert code == 2 and result["error"]["params"]["value"] == value and value in result["error"]["message"]


def test_the_language_may_be_written_with_an_equals_sign(capsys: pytest.CaptureFixture[str]) -> None:
    _, result, _ = call(["simulate", "--lang=zh"], capsys)
    assert CHINESE.search(result["error"]["message"])


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_command_explains_all_its_options(language: str, capsys: pytest.CaptureFixture[str]) -> None:
    for name in COMMANDS:
        with pytest.raises(SystemExit) as stopped:
            cli.main([name, "--help", "--lang", language])
        shown = capsys.readouterr().out
        assert stopped.value.code == 0 and translate(f"cli.{name}", language) in " ".join(shown.split())
    parser = cli.build_parser(language)
    subparsers = next(action for action in parser._actions if isinstance(action.choices, dict))
    assert isinstance(subparsers.choices, dict) and list(subparsers.choices) == list(COMMANDS)
    silent = [
        (name, action.dest)
        for name, subparser in subparsers.choices.items()
        for action in subparser.declare()._actions
        if not action.help
    ]
    assert silent == []


@pytest.mark.parametrize(("language", "stop"), [("en", "."), ("zh", "。")])
def test_the_list_of_commands_is_written_in_sentences_and_names_the_exit_codes(
    language: str, stop: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = {name: translate(f"cli.{name}", language) for name in COMMANDS}
    assert [name for name, text in said.items() if text[0].islower() or not text.endswith(stop)] == []
    with pytest.raises(SystemExit):
        cli.main(["--help", "--lang", language])
    end = capsys.readouterr().out.rpartition("--version")[2]
    errors = (UsageError, NeedsAnswer, Refused, ClvError, ChainFailed, NotReady, Cancelled)
    codes = {str(error.exit_code) for error in errors}
    assert codes == {"2", "3", "4", "5", "6", "7", "130"} and codes | {"0"} == set(re.findall(r"\d+", end))


def test_the_version_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(["--version"])
    assert stopped.value.code == 0 and __version__ in capsys.readouterr().out


def module_call(words: list[object], workspace: Path, **streams: Any) -> subprocess.CompletedProcess[str]:
    arguments = [sys.executable, "-m", "clv_core", *map(str, words), "--workspace", str(workspace)]
    return subprocess.run(arguments, cwd=ROOT, text=True, **{"stdout": -1, "stderr": -1, **streams})


def test_who_reads_no_further_ends_it_quietly(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = module_call(["datasets"], tmp_path, stdout=writer)
    refused = module_call(["datasets", "nothing"], tmp_path, stdout=writer, stderr=writer)
    os.close(writer)
    assert (done.returncode, done.stderr, refused.returncode) == (cli.EXIT_SIGPIPE, "", 4)


def test_an_answer_that_cannot_be_kept_is_told_of(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = module_call(["datasets", "--lang", "zh"], tmp_path, stdout=full)
    said = translate("error.answer_lost", "zh", reason=os.strerror(errno.ENOSPC))
    assert (done.returncode, done.stderr) == (5, f"{said}\n")


def test_what_a_closed_stderr_would_show_is_not_on_stdout(tmp_path: Path) -> None:
    done = module_call(["datasets", "nothing"], tmp_path, stderr=None, preexec_fn=lambda: os.close(2))
    assert done.returncode == 4 and json.loads(done.stdout)["error"]["code"] == "no_dataset"


@pytest.mark.examples(2)
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
@pytest.mark.parametrize("name", ["店", "é", "\udcff"], ids=ascii)
def test_json_is_utf_8_in_every_locale(name: str, encoding: str, tmp_path: Path) -> None:
    arguments = [sys.executable, "-m", "clv_core", "datasets", os.fsencode(name), "--workspace", tmp_path]
    known = {**os.environ, "PYTHONIOENCODING": f"{encoding}:strict"}
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, env=known)
    error = json.loads(done.stdout.decode("utf-8"))["error"]
    assert done.returncode == 4 and error["params"]["name"] == name


@pytest.mark.parametrize("place", ["--out", "--workspace"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_bytes_that_are_no_letters_are_refused_before_anything_is_done(
    place: str, language: str, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name in GBK where the system speaks UTF-8, as Python hands it over."""
    name = "\u8ba2\u5355".encode("gbk").decode(errors="surrogateescape")
    words[words.index(place) + 1] = str(tmp_path / name)
    code, result, _ = call([*words, "--lang", language], capsys)
    assert code == 2 and result["error"]["code"] == "no_letters"
    assert r"\xb6\xa9\xb5\xa5" in result["error"]["message"] and not list(tmp_path.iterdir())
