"""What fastkey does, one verb a file."""
