"""CLV Studio's engine: predict customer lifetime value from an event log and act on it.

The packages follow the loop of the work, and imports go one way along it:
collection -> preprocessing -> features -> model -> training -> evaluation -> deployment -> strategy -> monitoring.
Above all stages, :mod:`clv_core.erasure` removes customers from everything that they store.
Start reading at :mod:`clv_core.pipeline`. In Python: ``from clv_core import CLV`` (:mod:`clv_core.estimator`), and
single models ``BGNBD``, ``ParetoNBD``, ``GammaGamma`` and others, and what goes with them (:mod:`clv_core.btyd`).
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clv_core.btyd import (
        BGBB,
        BGNBD,
        MBGNBD,
        CovariateModel,
        GammaGamma,
        ParetoNBD,
        PurchaseModel,
        alive_history,
        calibration_holdout,
        holdout_by_frequency,
        lifetime_value,
        purchase_tracking,
        purchases_by_frequency,
        summary_from_events,
    )
    from clv_core.errors import ClvError, NeedsAnswer
    from clv_core.estimator import CLV, ClvWarning, LoadResult, NotFittedError, PastOrigins
    from clv_core.plot import (
        plot_alive_history,
        plot_alive_matrix,
        plot_cumulative_purchases,
        plot_frequency_recency_matrix,
        plot_holdout_purchases,
        plot_incremental_purchases,
        plot_purchases_by_frequency,
    )

_SINGLE_MODELS = (
    *("BGBB", "BGNBD", "CovariateModel", "GammaGamma", "MBGNBD", "ParetoNBD"),
    *("PurchaseModel", "calibration_holdout", "lifetime_value", "summary_from_events"),
    *("alive_history", "holdout_by_frequency", "purchase_tracking", "purchases_by_frequency"),
)
_FIGURES = (
    *("plot_alive_history", "plot_alive_matrix", "plot_cumulative_purchases", "plot_frequency_recency_matrix"),
    *("plot_holdout_purchases", "plot_incremental_purchases", "plot_purchases_by_frequency"),
)
_PLACES = {
    **dict.fromkeys(("ClvError", "NeedsAnswer"), "clv_core.errors"),
    **dict.fromkeys(("CLV", "ClvWarning", "LoadResult", "NotFittedError", "PastOrigins"), "clv_core.estimator"),
    **dict.fromkeys(_SINGLE_MODELS, "clv_core.btyd"),
    **dict.fromkeys(_FIGURES, "clv_core.plot"),
}
__all__ = [
    "BGBB",
    "BGNBD",
    "CLV",
    "ClvError",
    "ClvWarning",
    "CovariateModel",
    "GammaGamma",
    "LoadResult",
    "MBGNBD",
    "NeedsAnswer",
    "NotFittedError",
    "ParetoNBD",
    "PastOrigins",
    "PurchaseModel",
    "alive_history",
    "calibration_holdout",
    "holdout_by_frequency",
    "lifetime_value",
    "plot_alive_history",
    "plot_alive_matrix",
    "plot_cumulative_purchases",
    "plot_frequency_recency_matrix",
    "plot_holdout_purchases",
    "plot_incremental_purchases",
    "plot_purchases_by_frequency",
    "purchase_tracking",
    "purchases_by_frequency",
    "summary_from_events",
]

__version__ = "0.1.0"

# Arrow's own pool returns memory after every large table and has the next one zeroed page by page: a third of the
# processor time in which a page first reads a million customers. It is chosen once, when pyarrow is imported.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

# What numpy and scipy fit here has a handful of parameters. While other processes run, OpenBLAS threads that wait for
# each other take nine tenths of such a fit: two fifths of the processor time in which a small model is trained.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def __getattr__(name: str) -> Any:
    """Import a name of the Python interface when it is first used: most callers need none of them."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    """Return the names of the Python interface, for completion."""
    return sorted({*__all__, "__version__", "__doc__"})
