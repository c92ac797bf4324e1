from .shard_events import check_reads_folder as check_reads_folder
from .shard_events import zone_of as zone_of
from .shard_folder import Shard as Shard
from .shard_scoring import FolderRequest as FolderRequest
from .shard_scoring import MergedScores as MergedScores
from .shard_scoring import merge_shards as merge_shards
from .shard_scoring import not_ready as not_ready
from .shard_scoring import score_shard as score_shard
