from .sampling import sample_folder as sample_folder
from .sampling import sample_of as sample_of
from .spark_scoring import FolderScores as FolderScores
from .spark_scoring import score_folder as score_folder
from .spark_session import LogFolder as LogFolder
from .spark_session import Spark as Spark
