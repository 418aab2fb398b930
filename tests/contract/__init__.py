"""One suite for a port: the fake passes it, and the adapter that ships passes it."""
