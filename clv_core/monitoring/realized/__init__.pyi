from .partial_horizon import WHOLE as WHOLE
from .realized_value import Realised as Realised
from .realized_value import compare_realized as compare_realized
from .realized_value import outside as outside
from .realized_value import with_tier_name as with_tier_name
