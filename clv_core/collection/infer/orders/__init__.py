"""What rows of one order say together: an amount of all of them, parts, steps, ends, what was paid back."""
