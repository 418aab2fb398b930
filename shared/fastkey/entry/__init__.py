"""What stands between an AWS event and a use case."""
