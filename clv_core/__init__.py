"""CLV Studio's engine: predict customer lifetime value from an event log and act on it.

The packages follow the loop of the work, and imports go one way along it:
collection -> preprocessing -> features -> model -> training -> evaluation -> deployment -> strategy -> monitoring.
Above all stages, :mod:`clv_core.erasure` removes customers from everything that they store.
Start reading at :mod:`clv_core.pipeline`.
"""

import os

__version__ = "0.1.0"

# Arrow's own pool returns memory after every large table and has the next one zeroed page by page: a third of the
# processor time in which a page first reads a million customers. It is chosen once, when pyarrow is imported.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

# What numpy and scipy fit here has a handful of parameters. While other processes run, OpenBLAS threads that wait for
# each other take nine tenths of such a fit: two fifths of the processor time in which a small model is trained.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
