from .append import saved_answers as saved_answers
from .order_updates import WholeOrders as WholeOrders
