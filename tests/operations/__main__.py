"""Draws the dashboard of a made-up day into docs/dashboard.svg: `python -m tests.operations`."""

from tests.operations.dashboard import widgets
from tests.operations.day import DAY, Day
from tests.operations.deployment import Deployment
from tests.operations.picture import draw
from tests.template import ROOT

PICTURE = ROOT / "docs/dashboard.svg"


def picture() -> str:
    """The dashboard at the end of the day."""
    with Deployment().running() as deployment:
        day = Day(deployment)
        day.run()
    return draw(widgets(), deployment.metrics, day.began, day.began + DAY)


if __name__ == "__main__":
    PICTURE.write_text(picture())
    print(f"wrote {PICTURE}")
