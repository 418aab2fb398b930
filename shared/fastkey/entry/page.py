"""What people see who come with a browser. In a module of its own, because few functions show anything."""

from collections.abc import Callable
from dataclasses import replace
from html import escape

from fastkey.domain.errors import FastkeyError
from fastkey.entry.http import Handler, Request, Response, handler_of, problem


def page(error: FastkeyError, request_id: str) -> Response:
    """An error as a person sees it who came here with a browser: the words of the problem."""
    body = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Cannot go on</title><p>{escape(error.text)}</p>"
        f"<p><small>Request {escape(request_id)}</small></p></html>"
    )
    return replace(problem(error, request_id), document=body, media_type="text/html; charset=utf-8")


def visit(answer: Callable[[Request], Response]) -> Handler:
    """Makes a Lambda handler as `endpoint` does, for browsers: where they ask for a page, errors become pages."""
    return handler_of(answer, lambda request: page if request.accepts_pages else problem)
