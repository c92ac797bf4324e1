"""Contacts: how customers can be reached, who may be, and who must not."""
