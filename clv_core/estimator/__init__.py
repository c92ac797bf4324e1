"""Customer lifetime value in Python: ``CLV(horizon_days=182).fit(events).predict()``, in scikit-learn's manners.

The same steps as ``clv ingest``, ``clv train`` and ``clv score``, with the same figures and the same warnings.

clv           the estimator: read, train, predict, measure, explain, draw, keep
load_result   what became of every row and column of a log
tables        a table of any kind as a file that the reader takes
python_words  warnings, and sentences that name Python's arguments where the command line names its options
past_origins  splits of a log at past days, for GridSearchCV
listeners     progress in a notebook and in the log
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
