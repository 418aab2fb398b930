"""What `python -X importtime` tells. https://docs.python.org/3/using/cmdline.html#cmdoption-X"""

import re
from collections import Counter

_LINE = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)")


def by_package(told: str) -> Counter[str]:
    """Milliseconds that each package took, without those that it imported in turn. told: the interpreter's stderr."""
    packages: Counter[str] = Counter()
    for microseconds, module in _LINE.findall(told):
        packages[module.partition(".")[0]] += int(microseconds)
    return Counter({package: round(total / 1000) for package, total in packages.items()})


def largest(told: str, count: int = 5) -> str:
    """The packages that took longest, and how many milliseconds each."""
    return ", ".join(f"{package} {milliseconds}" for package, milliseconds in by_package(told).most_common(count))
