"""Buy-till-you-die models: how often customers buy until they silently leave, and what an order is worth.

Own, vectorised implementations: maximum likelihood on unique rows with analytic gradients, quadrature in place of
hypergeometric functions (so no overflow and no NaN at large counts), a regularised answer where the log says
too little. Rates and ages are in one unit of time throughout; CLV Studio uses days.
"""

from clv_core.features.btyd.anchor import Anchor
from clv_core.features.btyd.bgnbd import BGNBD
from clv_core.features.btyd.events_summary import summary_from_events
from clv_core.features.btyd.gammagamma import GammaGamma
from clv_core.features.btyd.paretonbd import ParetoNBD

__all__ = ["Anchor", "BGNBD", "GammaGamma", "ParetoNBD", "summary_from_events"]
