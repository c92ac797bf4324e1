"""Charts as Plotly figures, for the pages and for ``CLV.plot_*``: the only room of the core that draws.

``drawing`` makes a chart; ``evaluation``, ``explanations`` and ``purchase_models`` have one function a chart;
``reasons`` draws an explanation; ``words`` has texts in the reader's language, and names from a log. Nothing else of
``clv_core`` loads Plotly.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
