from .drift_reference import Reference as Reference
from .feature_histograms import PREDICTED as PREDICTED
from .feature_histograms import later_instants as later_instants
from .periods import PRICES as PRICES
from .periods import Check as Check
from .periods import PastSeries as PastSeries
