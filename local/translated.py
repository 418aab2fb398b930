"""Prints a SAM template as CloudFormation gets it, as JSON, for tools that do not know SAM.

`python -m local.translated template.yaml`
"""

import json
import sys
from pathlib import Path

from local.aws.template import read, translate

if __name__ == "__main__":
    print(json.dumps(translate(read(Path(sys.argv[1])), {}, "eu-central-1"), indent=2))
