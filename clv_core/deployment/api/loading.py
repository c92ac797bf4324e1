"""From what was looked up to a scorer that is ready: every byte checked, warmed up."""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from clv_core.collection.stored.store import open_dataset
from clv_core.columns import PURCHASE
from clv_core.deployment.api.model_info import ModelKey
from clv_core.deployment.api.request_events import columns_of, read_customer
from clv_core.deployment.api.scorer import Scorer
from clv_core.deployment.belongings import SERVING
from clv_core.deployment.population_context import surroundings
from clv_core.deployment.registry import Registry
from clv_core.disk import CLOSED
from clv_core.workspace import Workspace

log = logging.getLogger(__name__)

LOCK: Final = ".lock"


def load(workspace: Workspace, registry: Registry, wanted: ModelKey) -> Scorer:
    """Return the scorer of what was looked up, or, where a champion is damaged, of the last good version.

    Raises:
        NotFound: it is gone by now.
        Refused: a byte of it was changed, and no version of its name is sound.
    """
    if wanted.champion:
        served = registry.serving(wanted.name)
        version, bundle, warnings = served.version, served.bundle, served.warnings
    else:
        version = registry.version(wanted.name, wanted.bundle)
        bundle, warnings = registry.open(version), ()
    dataset = open_dataset(workspace, str(bundle.record["dataset"]["name"]))
    with _in_turn(workspace.place(SERVING)):
        around = surroundings(workspace, bundle, dataset)
    scorer = Scorer(bundle, around, dataset, version.name, version.number, tuple(warnings))
    warm_up(scorer)
    return scorer


@contextmanager
def _in_turn(kept: Path) -> Iterator[None]:
    """Have one process read the log, and the others wait for what it keeps of it; if nothing can be, each reads it."""
    with ExitStack() as stack:
        try:
            kept.mkdir(parents=True, exist_ok=True)
            fcntl.flock(stack.enter_context((kept / LOCK).open("w")), fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in CLOSED:
                raise
            log.warning("nothing can be kept in %s (%s): the log is read anew by each process", kept, error.strerror)
        yield


def warm_up(scorer: Scorer) -> None:
    """Score a customer who is nobody, so that the first one who is somebody need not wait for imports and caches."""
    as_of, zone = scorer.around.cutoff, scorer.around.timezone
    time = datetime.combine(as_of, datetime.min.time()) - timedelta(days=1)
    nobody = {"customer_id": "-", "events": [{"event_time": time, "event_type": PURCHASE, "amount": 1.0}]}
    person = read_customer(nobody, zone, as_of, scorer.config.event_types)  # type: ignore[arg-type]
    scorer.predict(columns_of([person]), [person.attributes], as_of)
