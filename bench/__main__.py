"""Measures: `python -m bench` all, `python -m bench cold` one part."""

import sys
from importlib import import_module

print(import_module(f"bench.{sys.argv[1]}").measure(int(sys.argv[2])).text())
