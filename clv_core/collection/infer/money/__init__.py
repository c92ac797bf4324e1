"""Which of several amounts is read, and in which unit: prices, discounts, taxes, totals, cents."""
