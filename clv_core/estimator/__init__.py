"""Customer lifetime value in Python: ``CLV(horizon_days=182).fit(events).predict()``, in scikit-learn's manners.

The same steps as ``clv ingest``, ``clv train`` and ``clv score``, with the same figures and the same warnings.

clv            the estimator: read, train, predict, score, keep
fitted_model   what it builds on: the model, its log, other events; model_figures: figures, reasons, charts
load_result    what became of every row and column of a log
tables         a table of any kind as a file that the reader takes
keywords       answers on how a log is read; python_words: warnings, and sentences that name these keywords
past_origins   splits of a log at past days, for GridSearchCV
listeners      progress in a notebook and in the log
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
