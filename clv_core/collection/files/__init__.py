"""Files: whatever bytes come in become a table of texts, with the line that each row stands on."""
