"""Logs too large for one machine: folders of Parquet that Spark reads.

spark_session  Spark on this machine, or a cluster
spark_scoring  scores every customer of a folder in shards; what spans customers is merged on the driver
spark_worker   the rounds of a shard, which run on the workers
sampling       a sample of a folder's customers as an ordinary dataset, to train on
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
