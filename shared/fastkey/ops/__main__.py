"""python -m fastkey.ops"""

import sys

from fastkey.ops.cli import main

if __name__ == "__main__":
    sys.exit(main())
