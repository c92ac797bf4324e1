"""Next month's file joins a dataset, and the cleaning rules that are on stay on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from clv_core.collection.infer.answers import Answers
from clv_core.collection.merge.append import append as append_raw
from clv_core.collection.store.version_store import Manifest, open_dataset, open_version
from clv_core.jobs import NoProgress, Progress
from clv_core.locks import changes
from clv_core.preprocessing.clean import apply_rules
from clv_core.workspace import Workspace


@changes
def append(
    workspace: Workspace,
    name: str,
    source: Path | Sequence[Path],
    *,
    answers: Answers | None = None,
    progress: Progress | None = None,
    original: str = "",
) -> Manifest:
    """Append files to a dataset as :func:`clv_core.collection.merge.append.append` does, then apply its rules again.

    The dataset turns once, to the version with its rules: where they cannot be applied, or the run is stopped or
    killed, it is left at the version that it had.

    Raises:
        NotFound: there is no such dataset.
        NeedsAnswer: something can be read in two ways, or the file's currency is not the dataset's.
        Refused: a file cannot be used, too little would be left by the rules, or another run is changing the dataset.
    """
    before = open_dataset(workspace, name)
    rules = before.manifest.rules
    made = append_raw(
        workspace, name, source, answers=answers, progress=progress, original=original, inactive=bool(rules)
    )
    if not rules or made.version == before.version:
        return made
    return apply_rules(open_version(workspace, name, made.version), rules, progress or NoProgress())
