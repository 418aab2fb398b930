"""The sandbox of WhiteBIT, against the contract read as a table."""
