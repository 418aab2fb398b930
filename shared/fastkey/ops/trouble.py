"""What an operator is told instead of a traceback."""


class Trouble(Exception):
    """Nothing was done of what was asked for, because of what the message says."""
