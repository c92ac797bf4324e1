"""Words: what logs call their columns, states and contact fields, in the languages that shops write."""
