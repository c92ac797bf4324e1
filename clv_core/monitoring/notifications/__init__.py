"""Send new alerts to a webhook and by e-mail."""
