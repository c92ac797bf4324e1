from .drift_reference import Reference as Reference
from .event_profile import PRICES as PRICES
from .feature_histograms import PREDICTED as PREDICTED
from .feature_histograms import later_instants as later_instants
from .periods import Check as Check
from .periods import PastSeries as PastSeries
