"""How customers behaved: a small cube made once per dataset version, and one query a view over it."""
