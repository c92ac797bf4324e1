"""Who is told of an alert: a webhook, people by e-mail; and which alerts somebody has acknowledged."""
