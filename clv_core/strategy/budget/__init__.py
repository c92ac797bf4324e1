"""Budget: who gets which offer, what that is expected to bring, and what it brought."""
