"""The commands of the command line, one module each: ``add_arguments(parser, language)`` and ``run(options, context)``."""

from __future__ import annotations

from dataclasses import dataclass

from clv_core.jobs import Progress
from clv_core.workspace import Workspace


@dataclass(frozen=True)
class Context:
    """What every command is given.

    Args:
        workspace: where datasets and models live.
        language: of the messages.
        progress: listener for long runs.
    """

    workspace: Workspace
    language: str
    progress: Progress
