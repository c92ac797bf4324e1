"""A folder of events scored in shards, by any scheduler or loop; each run does the next thing that can be done.

shard_folder      the folder in which runs meet: the plan, what each round has written, what is missing
shard_events      the events of one shard, as a log
shard_statistics  what spans all customers, made in each shard so that it adds up
shard_cost        what shards will take, and what they took
shard_scoring     a run of a shard, and the merge of all
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
