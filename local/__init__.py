"""What runs on a developer's machine in place of AWS and WhiteBIT."""
