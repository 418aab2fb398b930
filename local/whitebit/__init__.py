"""A sandbox of WhiteBIT's OAuth and API key flow, which has none of its own. `python -m local.whitebit` starts it."""

from local.whitebit.options import Options, Revision
from local.whitebit.server import Server, serve

__all__ = ["Options", "Revision", "Server", "serve"]
