"""Campaigns: a list with the control group that it leaves out, what it brought, and what that says of the next."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
