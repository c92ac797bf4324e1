"""Which column says who bought, and how its ids are read: guests, blanks, e-mails; what names a person."""
