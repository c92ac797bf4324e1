"""Who is told of an alert: a webhook, people by e-mail; and what they have been told of already."""
