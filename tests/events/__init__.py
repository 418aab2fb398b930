"""What partners are told, and how."""
