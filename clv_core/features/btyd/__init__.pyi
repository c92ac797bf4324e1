from .anchor import Anchor as Anchor
from .bgnbd import BGNBD as BGNBD
from .events_summary import summary_from_events as summary_from_events
from .gammagamma import GammaGamma as GammaGamma
from .paretonbd import ParetoNBD as ParetoNBD
