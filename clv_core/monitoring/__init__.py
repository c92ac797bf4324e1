"""Is a model still true: new data against its reference, realised against predicted value, and who is told."""
