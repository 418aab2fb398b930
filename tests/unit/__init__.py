"""What the domain, the use cases and the handlers promise, on fakes."""
