"""CLV Studio's engine: predict customer lifetime value from an event log and act on it.

The packages follow the loop of the work, and imports go one way along it:
collection -> preprocessing -> features -> model -> training -> evaluation -> deployment -> strategy -> monitoring.
Beside it stands :mod:`clv_core.erasure`, which takes customers out of what every stage keeps.
Start reading at :mod:`clv_core.pipeline`.
"""

import os

__version__ = "0.1.0"

# Arrow's own pool hands memory back after every large table and has the next one zeroed page by page: a third of the
# processor time in which a page first reads a million customers. It is chosen once, when pyarrow is imported.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

# What numpy and scipy fit here has a handful of numbers. Beside other work, threads of OpenBLAS that wait for each
# other take nine tenths of such a fit: two fifths of the processor time in which a small model is trained.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
