"""How many calls an IP address may make."""

from collections import defaultdict, deque

WINDOW_SECONDS = 10.0
LIMITS = {"/api/v4/trade-account/": 12_000, "/api/v4/main-account/": 1_000}


class RateLimits:
    """A sliding window for each IP address and prefix of paths."""

    def __init__(self) -> None:
        self._calls: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)

    def allow(self, ip: str, path: str, now: float) -> bool:
        """Count a call at `now` (seconds); False when it is one too many."""
        prefix = next((prefix for prefix in LIMITS if path.startswith(prefix)), None)
        if prefix is None:
            return True
        calls = self._calls[ip, prefix]
        while calls and calls[0] <= now - WINDOW_SECONDS:
            calls.popleft()
        if len(calls) >= LIMITS[prefix]:
            return False
        calls.append(now)
        return True
