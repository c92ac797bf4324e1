"""The command line: ``python -m clv_core COMMAND ... [--workspace DIR] [--lang en|zh]``.

Commands are functions in the modules of :mod:`clv_core.commands`, with a table of their options. Progress goes to
stderr, the result is one JSON object in the last line of stdout; a job writes it to its status instead. Exit codes: 0
done, 2 bad usage, 3 needs an answer, 4 refused, 5 failed, 6 a schedule failed, 130 stopped, 141 stdout was closed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import nullcontext, suppress
from itertools import pairwise
from pathlib import Path
from typing import Final

from clv_core import audit, jobs
from clv_core.commands import MODEL, MODEL_OR_NONE, Context, build_parser
from clv_core.commands.parser import SPECS
from clv_core.disk import disk_error, out_of_memory
from clv_core.environment import Environment
from clv_core.errors import Cancelled, ClvError, UsageError, traced
from clv_core.i18n import DEFAULT_LANGUAGE, LANGUAGES
from clv_core.locks import running
from clv_core.pace import usual
from clv_core.records import JsonObject
from clv_core.scratch import work_in
from clv_core.workspace import Workspace

AUDITED: Final = (*("ingest", "combine", "rename", "delete", "train", "score", "backup"), "models export")
"""Commands that are noted in the audit log here; the others write their own entries, with more detail."""

LOCK_FREE: Final = (
    *("simulate", "datasets", "pretrain", "erase", "suppress", "objections", "app", "serve", "mcp", "keys", "recover"),
    *("schedule", "run-due", "destinations", "audit"),
)
"""Commands that may run during an erasure, as they write nothing about customers; ``erase`` takes its own lock, and so
does each step of a chain.
"""

EXIT_SIGPIPE: Final = 141
"""Exit code where stdout was closed, as shells report a program that SIGPIPE ended."""


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    language = _language(arguments)
    job = _job_folder(arguments)
    written = [Path(tempfile.gettempdir())]
    try:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        options = build_parser(language, _workspace(_value(arguments, "--workspace"))).parse_args(arguments)
        language = options.lang or language
        workspace = _workspace(options.workspace)
        _check_encoding([workspace.root, *_paths(options)])
        written = [*_output_paths(options), workspace.root, *written]
        work_in(workspace)
        if workspace.has_old_layout:
            from clv_core.upkeep import migrate_old_layout

            migrate_old_layout(workspace)
        progress = _progress(job, language, options.quiet, workspace, [options.command, *arguments])
        if job:
            jobs.update_status(job, pid=os.getpid())
        with nullcontext() if options.command in LOCK_FREE else running(workspace):
            _resolve_model(workspace, options)
            result = options.run(options, Context(workspace, language, progress))
        _audit(workspace, options, result)
        text = json.dumps(result, ensure_ascii=False, allow_nan=False)
    except (Exception, KeyboardInterrupt) as error:
        return _fail(_error_to_show(error, written, job), language, job)
    if job:
        jobs.finish(job, language, result=result)
        return 0
    return _print_result(text, language)


def _progress(
    job: Path | None, language: str, quiet: bool, workspace: Workspace, words: Sequence[str]
) -> jobs.Progress:
    """Return the listener of a command: the status of its job, none, or stderr."""
    if job:
        return jobs.JobProgress(job)
    if quiet:
        return jobs.NoProgress()
    return jobs.ConsoleProgress(language, plan=jobs.plan_of(workspace, words) or usual(words))


def _print_result(text: str, language: str) -> int:
    """Print the result and return the exit code."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        return EXIT_SIGPIPE
    except OSError as error:
        return _fail(ClvError("answer_lost", reason=error.strerror or ""), language, None)
    return 0


def _resolve_model(workspace: Workspace, options: argparse.Namespace) -> None:
    """Replace a model that is named by its role or version by the bundle's id."""
    spec = SPECS.get(options.command)
    listed = [] if spec is None else spec.all_options
    if (MODEL in listed or MODEL_OR_NONE in listed) and options.model is not None:
        from clv_core.deployment.registry import resolve_bundle_id

        options.model = resolve_bundle_id(workspace, options.model, options.name)


def _output_paths(options: argparse.Namespace) -> list[Path]:
    """Return the files and folders that the call names to be written."""
    out = getattr(options, "out", None)
    return [Path(path) for path in (out if isinstance(out, list) else [out]) if path is not None]


def _audit(workspace: Workspace, options: argparse.Namespace, result: JsonObject) -> None:
    """Note a command in the audit log, without arguments that may name a customer.

    A new version or model is named in the result: the arguments name its kind at most.
    """
    action = " ".join(filter(None, [options.command, getattr(options, "action", None)]))
    if action in AUDITED and not getattr(options, "estimate", False):  # an estimate scores nobody
        name = getattr(options, "name", None)
        name = name if isinstance(name, str) else None
        model = result.get("model") or getattr(options, "model", None)
        version = result.get("version") or getattr(options, "version", None)
        renamed = result.get("renamed")
        name = result["dataset"] if renamed else name
        audit.note(workspace, action, dataset=name, renamed=renamed, model=model, version=version, outcome="done")


def _paths(options: argparse.Namespace) -> Iterator[Path]:
    """Yield the files and folders that a call names."""
    for value in vars(options).values():
        yield from (path for path in (value if isinstance(value, list) else [value]) if isinstance(path, Path))


def _check_encoding(paths: Sequence[Path]) -> None:
    """Refuse paths whose bytes are not text in the system's encoding: stored files name them, in UTF-8.

    Raises:
        UsageError: there is one.
    """
    for path in map(str, paths):
        try:
            path.encode()
        except UnicodeEncodeError:
            encoding = sys.getfilesystemencoding().upper()
            shown = os.fsencode(path).decode(errors="backslashreplace")
            raise UsageError("no_letters", word=shown, encoding=encoding) from None


def _error_to_show(error: BaseException, written: Sequence[Path], job: Path | None) -> ClvError:
    """Return the error to show for what was raised; the trace of an unexpected one goes to the job's log or stderr."""
    if _stopped(error):
        return Cancelled()
    if refused := disk_error(error, written):
        return refused
    if isinstance(error, ClvError):
        return error
    if out_of_memory(error):
        return ClvError("no_memory")
    if Environment.from_environment().debug:
        traceback.print_exc()
    elif job:
        print(traced(error), file=sys.stderr)
    return ClvError("unexpected", kind=type(error).__name__)


def _stopped(error: BaseException | None) -> bool:
    """Return whether a signal caused an error: DuckDB and file readers raise errors of their own for it."""
    while error is not None and not isinstance(error, KeyboardInterrupt | Cancelled):
        error = error.__cause__ or error.__context__
    return error is not None


def _fail(error: ClvError, language: str, job: Path | None) -> int:
    if job:
        jobs.finish(job, language, result=error.result, error=error)
        return error.exit_code
    done = {} if error.result is None else {"result": error.result}
    result = json.dumps({"error": error.to_json(language), **done}, ensure_ascii=False, allow_nan=False)
    for text, stream in ((error.message(language), sys.stderr), (result, sys.stdout)):
        with suppress(OSError):  # closed: there is still the exit code
            print(text, file=stream, flush=True)
    return error.exit_code


def _language(arguments: Sequence[str]) -> str:
    """Return ``--lang`` before parsing, so that help and usage errors are in that language."""
    value = _value(arguments, "--lang")
    return value if value in LANGUAGES else DEFAULT_LANGUAGE


def _value(arguments: Sequence[str], option: str) -> str:
    """Return the last value of an option before parsing; an empty text where it is not given."""
    value = ""
    for word, after in pairwise([*arguments, ""]):
        name, equals, text = word.partition("=")
        if name == option:
            value = text if equals else after
    return value


def _workspace(folder: str | Path | None) -> Workspace:
    """Return the workspace in a folder; the default one where none is named."""
    return Workspace(Path(folder).absolute()) if folder else Workspace.default()


def _job_folder(arguments: Sequence[str]) -> Path | None:
    return Path(arguments[1]) if len(arguments) > 1 and arguments[0] == "--job" else None
