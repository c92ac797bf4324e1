"""Every page over a million customers: ``python -m tests.bench.pages --workspace DIR --dataset million``.

The workspace is the one that ``make bench-million`` leaves, with a model trained on the million. Each script runs
in this process, as the server would run it: once with nothing in memory, once more as after a reload, and once for each
control that a person would turn. Runs of the command line that a page starts are waited for and not counted.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from streamlit.testing.v1 import AppTest

from clv_core import jobs
from clv_core.workspace import Workspace

Turn = tuple[str, Callable[[AppTest], Any]]

APP: Final = Path(__file__).resolve().parents[2] / "pages" / "shell.py"
LIMIT: Final = 1.0
WAIT_SECONDS: Final = 1800


TURNS: Final[dict[str, tuple[Turn, ...]]] = {
    "evaluate": (
        ("who buys", lambda app: app.session_state.__setitem__("evaluate_part", "buyers")),
        ("another threshold", lambda app: app.slider(key="threshold").set_value(30)),
    ),
    "segments": (
        ("value and churn risk", lambda app: app.selectbox(key="scheme_kind").set_value("quadrant")),
        ("RFM", lambda app: app.selectbox(key="scheme_kind").set_value("rfm")),
        ("purchase probability at least 50%", lambda app: app.slider(key="filter_p").set_value(50)),
    ),
    "customer": (("search", lambda app: app.text_input(key="card_search").set_value("c0000012")),),
    "exports": (("list made", lambda app: app.button(key="export_make").click()),),
}
"""What a person would turn on a page."""


class Visitor:
    """One session that goes from page to page and writes down how long each run of a script takes.

    Args:
        root: the workspace.
        dataset: whose pages are looked at.
    """

    def __init__(self, root: Path, dataset: str) -> None:
        self._workspace = Workspace(root)
        self.app = AppTest.from_file(str(APP), default_timeout=600)
        self.app.query_params["lang"] = "en"
        self.app.query_params["dataset"] = dataset
        self._timed("home: first of all", self.app.run)

    def visit(self, page: str, path: str) -> None:
        """Open a page, once with what it starts and once more with all that is there."""
        self.app.switch_page(path)
        self._timed(f"{page}: first run", self.app.run)
        if self._waited():
            self._timed(f"{page}: after its runs", self.app.run)
        self._timed(f"{page}: again", self.app.run)

    def turn(self, what: str, change: Callable[[AppTest], Any]) -> None:
        """Turn a control of the page and run it."""
        change(self.app)
        self._timed(what, self.app.run)

    def _waited(self) -> bool:
        """Wait for the jobs that a page started; say whether there were any."""
        end, found = time.monotonic() + WAIT_SECONDS, False
        while time.monotonic() < end and self._running():
            found = True
            time.sleep(0.5)
        return found

    def _running(self) -> bool:
        return any(job.status().state == jobs.RUNNING for job in jobs.jobs(self._workspace))

    def _timed(self, what: str, run: Callable[[], Any]) -> None:
        started, worked = time.perf_counter(), time.process_time()
        run()
        seconds, work = time.perf_counter() - started, time.process_time() - worked
        wrong = [one.value for one in (*self.app.exception, *self.app.error)]
        said = f"**{wrong[0][:80]}**" if wrong else "" if seconds <= LIMIT else "over"
        print(f"| {what} | {seconds:.2f} | {work:.2f} | {said} |", flush=True)


def main() -> None:
    """Print the seconds of each run as a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--dataset", default="million")
    parser.add_argument("--pages", default="")
    options = parser.parse_args()
    os.environ["CLV_WORKSPACE"] = str(options.workspace.absolute())
    from pages.ui.navigation import PAGES

    print(f"| run | seconds (limit {LIMIT:g}) | computed | |\n|---|---|---|---|")
    visitor = Visitor(options.workspace, options.dataset)
    wanted = options.pages.split(",") if options.pages else [page.name for page in PAGES]
    for page in PAGES:
        if page.name in wanted:
            visitor.visit(page.name, page.path)
            for what, change in TURNS.get(page.name, ()):
                visitor.turn(f"{page.name}: {what}", change)


if __name__ == "__main__":
    main()
