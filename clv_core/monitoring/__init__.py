"""Is a model still accurate? Checks against its training data and what came true, alerts, and retraining.

``monitor.monitor`` makes a report (``monitoring_report``) of data drift (``drift``), realized value (``realized``),
alerts and what to do (``health``). ``retraining`` compares a new model with the champion; ``notifications`` sends new
alerts.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
