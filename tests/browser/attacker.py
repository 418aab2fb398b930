"""A page on a site that is neither fastkey's nor WhiteBIT's nor the partner's."""

from werkzeug.wrappers import Request, Response


class Attacker:
    """Serves `html`, whatever a test puts there."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.html = ""
        self.application = Request.application(self._answer)

    def _answer(self, _: Request) -> Response:
        return Response(f"<!doctype html><title>Attacker</title>{self.html}", content_type="text/html")
