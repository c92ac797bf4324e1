"""What one column is, told by its own name and values: money, numbers, times, marks that a spreadsheet left."""
