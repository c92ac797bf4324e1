"""Explain predictions: effects of named groups of features, in the unit of the prediction.

answers       what of a prediction is explained: whether they buy, how much, the product
parts         what a prediction is divided among: groups of features, each with what the event sequence says of it
background    who is explained, and whom they are compared with
mix           customers whose parts come from different people: how a part is hidden
shapley       the division itself, with the model asked in big batches
explanation   the division of the answers over many customers
faithful      whether hiding the strongest reasons moves predictions more than hiding others
ranks         whether the order of the reasons is the same in two halves
dependence    what a part adds over its reading, and which other part changes that
against       some customers against others
events        which event moved a customer's value
pool, whatif  some customers kept on disk, and the model asked about changed ones
store         explanations on disk
"""
