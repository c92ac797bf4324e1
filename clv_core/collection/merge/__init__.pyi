from .append import saved_answers as saved_answers
from .whole_orders import WholeOrders as WholeOrders
