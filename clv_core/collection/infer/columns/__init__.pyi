from .by_name import could_be as could_be
from .proposal import Proposal as Proposal
