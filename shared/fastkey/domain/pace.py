"""How often: WhiteBIT is asked whether the key is there, and a user may start."""

from datetime import timedelta

# A person in trouble starts again a few times. More is a program, and each start costs rows, a consent and a workflow.
STARTS_AN_HOUR = 20

_EAGER = timedelta(seconds=30)


def seconds_until_next_look(waited: timedelta) -> int:
    """Seconds to wait before the next look, after having waited so long.

    WhiteBIT asks for 1-2 s up to 30 s, and for 5-10 s after that.
    """
    return 1 if waited < _EAGER else 5
