"""Customers erased: from datasets, models' files, scores, explanations, exports and records, with a certificate.

Views, explanations and scores on other terms of a dataset that held them are removed, since they are made again from
what is left; batches of scores, comparisons and holdouts lose their rows; weights of models remain, and the certificate
names those that learned from them. Every step may be cut off and is done by the next call with the same ids.
"""
