"""Who hears how far a run is: a bar in a notebook, lines at a terminal, and always the log ``clv_core.estimator``."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass, field
from html import escape
from typing import Any, Final

from clv_core.i18n import translate
from clv_core.jobs import ConsoleProgress, NoProgress, Progress

log: Final = logging.getLogger("clv_core.estimator")


def listener_of(progress: bool | None) -> Progress:
    """Return a listener that also writes each stage to the log.

    Args:
        progress: whether anything is shown; None shows it in a notebook alone.
    """
    if progress is False or (progress is None and not in_notebook()):
        return LoggedProgress(NoProgress())
    return LoggedProgress(NotebookProgress() if in_notebook() else ConsoleProgress("en"))


def in_notebook() -> bool:
    """Return whether this is a kernel of Jupyter's, which shows what is displayed."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None


@dataclass
class LoggedProgress:
    """Passes reports on, and logs each stage once, at level DEBUG."""

    listener: Progress
    stage: str = ""

    def report(self, stage: str, done: float, total: float, **figures: float) -> None:
        """Pass a report on."""
        if stage != self.stage:
            self.stage = stage
            log.debug("%s", translate(f"stage.{stage}", "en"))
        self.listener.report(stage, done, total, **figures)


@dataclass
class NotebookProgress:
    """Shows the stage and a bar below the cell, in one place, at most four times a second."""

    handle: Any = None
    inner: ConsoleProgress = field(default_factory=lambda: ConsoleProgress("en"))

    def report(self, stage: str, done: float, total: float, **figures: float) -> None:
        """Show how far the stage is."""
        if not self.inner.is_due(stage, done, total):
            return
        share = min(1.0, done / total) if total > 1 else float(done >= total)
        text = translate(f"stage.{stage}", "en")
        html = f'<progress max="1" value="{share:.3f}"></progress> {escape(text)} {share:.0%}'
        shown = {"text/plain": f"{text} {share:.0%}", "text/html": html}
        if self.handle is None:
            from IPython.display import display

            self.handle = display(shown, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self.handle.update(shown, raw=True)
