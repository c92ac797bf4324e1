from .event_names import EventName as EventName
from .event_names import event_type_of as event_type_of
from .ledger import DOUBTS as DOUBTS
