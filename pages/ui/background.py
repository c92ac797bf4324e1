"""What the server does beside answering browsers: it lets go of files, and runs the schedules that are due."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final

from clv_core.environment import Environment
from clv_core.errors import traced
from clv_core.monitoring import is_due
from clv_core.program_files import APP_FOLDER
from clv_core.workspace import Workspace
from pages.ui import upload_gate

LOOK_SECONDS: Final = 30
OFF: Final = "off"


@asynccontextmanager
async def while_up(app: Any) -> AsyncGenerator[None, None]:
    """Do both for as long as the server runs."""
    async with upload_gate.letting_go(app):
        task = asyncio.create_task(_run_schedules())
        yield
        task.cancel()


async def _run_schedules() -> None:
    """Look again and again whether a schedule is due; its chain runs in a process of its own, one at a time."""
    command, quiet = [sys.executable, "-m", "clv_core", "run-due", "--quiet"], asyncio.subprocess.DEVNULL
    while Environment.from_environment().schedules != OFF:
        await asyncio.sleep(LOOK_SECONDS)
        try:
            if await asyncio.to_thread(is_due, Workspace.default(), datetime.now(UTC)):
                process = await asyncio.create_subprocess_exec(*command, cwd=APP_FOLDER, stdout=quiet, stderr=quiet)
                await process.wait()
        except Exception as error:  # one look that fails must not be the last
            logging.getLogger(__name__).error("schedules: %s", traced(error))
