"""Explain predictions: effects of named groups of features, in the unit of the prediction.

parts               what a prediction is divided among, whom customers are compared with, and how a part is hidden
shapley             the division itself, with predictions in big batches
explanation         the division of value, chance and value if buying over many customers
checks              whether the reasons are real, and in the same order in two halves
dependence          what a part adds over its reading, and which other part changes that
events              which event moved a customer's value
whatif              predictions for changed customers, and some customers against others
saved_explanations  explanations on disk, with the customers that what-if questions can change
sentences           all of it in words
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
