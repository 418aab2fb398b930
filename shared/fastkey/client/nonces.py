"""The nonces of signed requests."""

from secrets import randbelow
from threading import Lock

from fastkey.client.errors import RateLimited

# Milliseconds before now among which a nonce is drawn. WhiteBIT takes what is within five seconds of its clock: three
# are left for the way there, and for this machine's clock to be late.
SPREAD = 2_000

# Of those, how many may be taken: a draw that has to be repeated ten times on average is still quick. It is 900 calls a
# second, of the 1,200 that WhiteBIT takes from an address.
CROWDED = SPREAD * 9 // 10


class Nonces:
    """Draws the nonces of one process.

    WhiteBIT takes a nonce once a key. Threads never draw the same one, because what was drawn is remembered until it
    cannot be drawn any more. Other processes are unknown here: each draws for itself, from the operating system's
    randomness, which a fork does not copy. So those that start in the same instant, as scheduled ones do, seldom meet;
    and whoever does is refused, and draws again. None lies ahead of now, so that a program which needs its nonces to
    rise (ccxt, unless told otherwise) can use the same key.
    """

    def __init__(self) -> None:
        self._drawn: set[int] = set()
        self._lock = Lock()

    def draw(self, now: int) -> int:
        """A nonce that was not drawn before. now: milliseconds since 1970. Raises RateLimited where few are left."""
        with self._lock:
            self._drawn = {nonce for nonce in self._drawn if nonce > now - SPREAD}
            if len(self._drawn) >= CROWDED:
                raise RateLimited(429, {"message": "This process calls too often; nothing was sent."})
            while (nonce := now - randbelow(SPREAD)) in self._drawn:
                pass
            self._drawn.add(nonce)
        return nonce
