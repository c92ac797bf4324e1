"""CLV Studio's engine: predict customer lifetime value from an event log and act on it.

The packages follow the loop of the work, and imports go one way along it:
collection -> preprocessing -> features -> model -> training -> evaluation -> deployment -> strategy -> monitoring.
Beside it stands :mod:`clv_core.erasing`, which takes customers out of what every stage keeps.
Start reading at :mod:`clv_core.pipeline`.
"""

__version__ = "0.1.0"
