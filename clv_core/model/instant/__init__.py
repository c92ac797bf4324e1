"""A network that is trained once, on simulated shops, and predicts the customers of a log that it has never seen.

pretrained_inputs  tensors of customers, their steps and the logs around them
model              predictions in a log's currency, at the level of the anchor; the network, in which the log's
                   statistics steer what is made of a customer's; the weights that the program ships with
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
