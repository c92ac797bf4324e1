"""The folders of a workspace, and writing files so that a crash leaves either the old or the new one.

workspace/
  datasets/<name>/          current.json -> <version>/{events.parquet, set_aside.parquet, manifest.json};
                            made/<version>/: artifacts made from it (:mod:`clv_core.deployment.artifacts`);
                            campaigns/<campaign>/: who is in its groups (:mod:`clv_core.strategy.campaigns`)
  models/<model id>/        one bundle a folder, named by its content
  registry/registry.sqlite  versions of models, and which one is champion
  runs/<dataset>-<run id>/  state from which a killed training resumes; removed when it ends or its dataset is deleted
  jobs/<job id>/            status.json, history.jsonl, log.txt
  scratch/<process>/        spilled queries and unfinished tables of running processes (:mod:`clv_core.scratch`)
  locks/                    locks that runs hold (:mod:`clv_core.locks`)
  sources/<name>.json       where a log is read from, and how far (:mod:`clv_core.collection.sources`)
  schedules/<name>.json     what runs unattended; <name>.jsonl its runs (:mod:`clv_core.monitoring.schedules`)
  schedules/running, told   the record of a chain that runs, and what was told of each
  alerts/<model id>/        acknowledged alerts, notified addresses, the last retraining
  destinations/<name>/      where scores are sent, and what was (:mod:`clv_core.strategy.destinations`)
  objections/               who objected to profiling (:mod:`clv_core.collection.privacy.objections`)
  exports/                  files made for other systems, with their side files
  audit/                    who did what (:mod:`clv_core.audit`), and the keys of those whose card was looked at
  retention.json            how many days each kind of data stays (:mod:`clv_core.upkeep.retention`)
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clv_core.environment import Environment
from clv_core.errors import Refused, UsageError
from clv_core.program_files import IS_CHECKOUT
from clv_core.records import JsonObject

NAME_PATTERN = re.compile(r"[^\W_][\w .-]{0,63}", re.UNICODE)
OLD_FOLDERS = (
    *("predictions", "serving", "explanations", "backtests", "recommendations", "pricing", "monitoring"),
    *("explored", "tuning"),
)
MAX_NAME_BYTES = 160
"""File systems allow 255 bytes; temporary names and those of results are longer."""
RESERVED_NAMES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


@dataclass(frozen=True)
class Workspace:
    """A folder of datasets, models, jobs and exports.

    Args:
        root: the folder; made on first use.
    """

    root: Path

    @classmethod
    def default(cls) -> Workspace:
        """Return ``$CLV_WORKSPACE``; without it ``workspace/`` under the current folder in a checkout, else the
        platform's folder for the user's data.
        """
        named = Environment.from_environment().workspace
        if named or IS_CHECKOUT:
            return cls(Path(named or "workspace").absolute())
        import platformdirs

        return cls(platformdirs.user_data_path("clv-studio", appauthor=False) / "workspace")

    def folder(self, *parts: str) -> Path:
        """Return (and make) a folder below the root."""
        path = self.place(*parts)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError("workspace_not_writable", path=str(path), reason=error.strerror or "") from error
        return path

    def place(self, *parts: str) -> Path:
        """Return a folder below the root without making it, so that reading works in a read-only workspace."""
        return self.root.joinpath(*parts)

    @property
    def read_only(self) -> bool:
        """Whether the root exists and this account may not write to it."""
        return self.root.is_dir() and not os.access(self.root, os.W_OK | os.X_OK)

    @property
    def has_old_layout(self) -> bool:
        """Whether artifacts lie in folders of the root, as before 0.2 (``deployment.old_layout`` moves them)."""
        return not self.read_only and any((self.root / name).is_dir() for name in OLD_FOLDERS)

    @property
    def datasets(self) -> Path:
        """The folder of datasets."""
        return self.folder("datasets")

    @property
    def models(self) -> Path:
        """The folder of bundles."""
        return self.folder("models")

    @property
    def runs(self) -> Path:
        """The folder of resumable training states."""
        return self.folder("runs")

    @property
    def jobs(self) -> Path:
        """The folder of jobs."""
        return self.folder("jobs")

    @property
    def exports(self) -> Path:
        """The folder of exported files."""
        return self.folder("exports")


def check_name(name: str) -> str:
    """Return ``name`` if it can name a folder on every system.

    Raises:
        Refused: it is empty, too long, or holds characters that a file system or a path would misread.
    """
    stripped = name.strip()
    fits = NAME_PATTERN.fullmatch(stripped) and len(stripped.encode()) <= MAX_NAME_BYTES
    if not fits or stripped.endswith(".") or RESERVED_NAMES.fullmatch(stripped):
        raise Refused("bad_name", name=name[:80])
    return stripped


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Yield a temporary path in the folder of ``target``; on success sync it to disk and rename it into place.

    Works for a file and for a folder that does not exist yet. On any error the temporary is removed and
    ``target`` is untouched.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.parent / f".{target.name}.{uuid.uuid4().hex[:8]}.tmp"
    try:
        yield temporary
        sync_all(temporary)
        os.replace(temporary, target)
        _sync(target.parent)
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            temporary.unlink(missing_ok=True)


def sync_all(path: Path, *, deep: bool = True) -> None:
    """Bring a file, or a folder and (``deep``) all below it, to the disk."""
    for entry in [*path.rglob("*"), path] if deep and path.is_dir() else [path]:
        _sync(entry)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(target: Path, text: str) -> None:
    """Write a UTF-8 text file atomically."""
    with atomic_path(target) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(target: Path, value: Any) -> None:
    """Write a JSON file atomically.

    Raises:
        ValueError: a number is NaN or infinite.
    """
    write_text(target, json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False, sort_keys=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def read_lines(path: Path) -> list[str]:
    """Read the lines of a file of JSON lines that are not blank; none where there is no file.

    Only a line feed ends one: texts may hold other characters at which ``splitlines`` would split.
    """
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [line for line in text.split("\n") if line.strip()]


def latest_records(path: Path) -> Iterator[JsonObject]:
    """Yield the records of :func:`append_record`, the latest first, without a line that a crash cut off."""
    for line in reversed(read_lines(path)):
        with suppress(ValueError):
            yield json.loads(line)


def append_record(path: Path, record: JsonObject, mode: int = 0o666) -> None:
    """Add a JSON line to a log that several processes write, and bring it to the disk.

    Args:
        path: of the log.
        record: of JSON types.
        mode: permissions of a log that does not exist yet.
    """
    line = json.dumps(record, ensure_ascii=False) + "\n"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, mode)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"  # by a crash: end that line first
        os.write(descriptor, b"\n" * torn + line.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
