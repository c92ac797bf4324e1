"""Logs that no one machine holds: folders of Parquet that Spark reads.

scoring     every customer of a folder predicted: what the whole log decides here, the customers on the workers
worker      what a worker does with some of them
sampling    a folder's customers, as many as one trainer can use, as an ordinary dataset
"""
