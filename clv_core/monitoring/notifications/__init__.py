"""Notifications of new alerts, and the weekly mail: ``notify`` writes them, ``sending`` posts them or mails them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
