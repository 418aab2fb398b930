"""Measures: `python -m bench` all, `python -m bench cold` one part."""

import sys

from bench import cold

print(cold.measure(int(sys.argv[2])).text())
