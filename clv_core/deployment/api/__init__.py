"""The HTTP API: predictions for customers whose events are sent, and the latest batch's scores.

A request: ``routes`` -> ``service`` (key, body, model, deadline) -> ``batcher`` (joins requests) -> ``workers`` (each a
process or a thread) -> ``model_runner`` (in it, with the models in memory). ``model_cache`` follows the registry,
``connections`` limits what uvicorn waits for.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
