from .clv import CLV as CLV
from .clv import NotFittedError as NotFittedError
from .load_result import LoadResult as LoadResult
from .past_origins import PastOrigins as PastOrigins
from .python_words import ClvWarning as ClvWarning
