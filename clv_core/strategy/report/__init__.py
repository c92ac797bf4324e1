"""The stakeholder report: ``make_report`` fills ``sections`` of a ``document``, which ``slides`` and ``html`` write."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
