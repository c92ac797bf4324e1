from .sampling import sample_folder as sample_folder
from .sampling import sampling_note as sampling_note
from .spark_scoring import score_folder as score_folder
