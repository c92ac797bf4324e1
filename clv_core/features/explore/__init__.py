"""How customers behaved: a small cube made once per dataset version, and one query a view over it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
