"""From a trained model to scores: how models are stored, versioned, moved, run and explained.

model_record, bundle                                 facts of a model; its folder on disk, with weights and holdout
artifacts, saved_evaluation                          what was made with a model from a dataset
registry/, model_archive/                            versions with a champion; export and import as a zip
dataset_scoring, saved_scores, terms, scoring_warnings, embedding, zero_shot, spark/   scores of all customers
population_context, api/                             scores of some customers; the HTTP service
score_explanations                                   why customers are valued as they are
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
