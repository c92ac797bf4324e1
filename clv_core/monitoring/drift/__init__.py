"""New data held against the data that a model was trained on, chunk of time by chunk of time."""
