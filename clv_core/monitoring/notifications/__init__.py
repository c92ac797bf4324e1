"""Tell people of new alerts, and of a week: ``notify`` says what, ``sending`` posts it to a webhook or by e-mail."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
