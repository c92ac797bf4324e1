from .column_choice import likeliest_first as likeliest_first
from .proposal import Proposal as Proposal
from .propose import could_be as could_be
