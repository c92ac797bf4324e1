"""Models as zip files: a version is exported, and imported into another workspace once every byte of it is checked.

archive_reader   reads zip, JSON and safetensors of unknown origin within limits
archive_schemas  what a stranger's ``bundle.json``, ``state.json`` and ``reference.json`` may hold
model_checks     trees, tables, and whether the files rebuild the model
import_export    all checks in turn, then registered as a trained bundle is; writes the zip
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
