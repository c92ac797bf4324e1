from .bridge import REFUND_DATE as REFUND_DATE
from .bridge import REFUND_DATES as REFUND_DATES
