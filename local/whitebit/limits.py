"""How many calls an IP address may make."""

from collections import defaultdict, deque

WINDOW_SECONDS = 10.0
LIMITS = {"/api/v4/trade-account": 12_000, "/api/v4/main-account": 1_000, "/api/v4/main-account/history": 200}


class RateLimits:
    """A sliding window for each IP address and prefix of paths."""

    def __init__(self) -> None:
        self._calls: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)

    def allow(self, ip: str, path: str, now: float) -> bool:
        """Count a call at `now` (seconds), under each prefix that it has; False when it is one too many for one."""
        prefixes = [prefix for prefix in LIMITS if path.startswith(prefix)]
        windows = [self._calls[ip, prefix] for prefix in prefixes]
        for calls in windows:
            while calls and calls[0] <= now - WINDOW_SECONDS:
                calls.popleft()
        if any(len(calls) >= LIMITS[prefix] for prefix, calls in zip(prefixes, windows, strict=True)):
            return False
        for calls in windows:
            calls.append(now)
        return True
