"""The registry: which versions of a model there are, which one speaks, and whether its bytes are what was registered.

    registry = Registry(workspace)
    registry.register(bundle)              # the first version of a name is its champion, a later one its challenger
    registry.promote("shop", 2)            # one pointer, flipped last
    registry.serving("shop").bundle.model  # every byte checked; the last good version where the champion is damaged

The facts are rows of ``registry/registry.sqlite``, the bytes folders of ``models/``. Whoever is killed at any moment
leaves the old state or the new one: the next look brings rows and folders together (:mod:`.reconcile`).
"""

from clv_core.deployment.registry.registry import Overtaken as Overtaken
from clv_core.deployment.registry.registry import Registry as Registry
from clv_core.deployment.registry.serving import Served as Served
from clv_core.deployment.registry.version import Version as Version
