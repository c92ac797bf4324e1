from .cells import UNPRICED as UNPRICED
