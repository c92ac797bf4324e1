"""Collection: whatever file comes in becomes a dataset, and every row of it is accounted for."""
