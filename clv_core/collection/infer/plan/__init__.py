"""The plan of a reading: how each cell, row and order becomes an event, as SQL, and what is counted by it."""
