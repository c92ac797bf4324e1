"""Logs too large for one machine: folders of Parquet that Spark reads.

spark_scoring  scores every customer of a folder: the population context on the driver, predictions on the workers
spark_worker   the part that runs on the workers
sampling       a sample of a folder's customers as an ordinary dataset, to train on
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
