"""The registry: versions of each model, which of them is champion, and whether their files are intact.

    registry = Registry(workspace)
    registry.register(bundle)              # the first version of a name is champion, a later one challenger
    registry.promote("shop", 2)            # checked first, then one pointer is moved
    registry.serving("shop").bundle.model  # checked; the last intact version where the champion is damaged

Roles are rows of ``registry/registry.sqlite``, bundles are folders of ``models/``. A process that is killed leaves the
old state or the new one: the next call makes rows and folders agree (:mod:`.reconcile`).
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
