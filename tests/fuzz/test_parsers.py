"""Whatever comes, a parser gives what it promises or raises an error that it declares, and that repeats nothing."""

import json
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct
from msgspec.structs import fields

from fastkey.adapters.dynamodb import ID_LIMIT, DynamoConnections
from fastkey.domain.errors import BodyTooLarge, FastkeyError, InvalidRequest, NotJson
from fastkey.domain.secret import Secret
from fastkey.entry.filters import FILTERS, filters_of
from fastkey.entry.http import BODY_LIMIT, Request, Response, endpoint
from fastkey.entry.model import parsed
from fastkey.settings import Settings, SettingsError
from tests.fuzz.drawn import CANARY, FUZZ, documents, refusal, texts
from tests.logged import logged
from tests.unit.entry.events import LambdaContext, http_event
from tests.unit.environment import ENVIRONMENT

# ---- The query -------------------------------------------------------------------------------------------------------

names = st.sampled_from(["state", "code", "error", "STATE", "state[]", " state"]) | st.text(max_size=5)
values = st.binary(max_size=20).map(quote) | texts.map(quote) | st.text(max_size=20)
queries = st.lists(st.tuples(names, values), max_size=8).map(lambda pairs: "&".join(map("=".join, pairs))) | st.text()


def request(**event: Any) -> Request:
    return Request(http_event(**event), timedelta(seconds=29))


@FUZZ
@given(queries)
def test_a_query_is_read_or_refused(query: str) -> None:
    error = refusal(request(query=query).authorization_response)
    assert error is None or type(error) is InvalidRequest


@FUZZ
@given(queries)
def test_what_is_read_of_a_query_was_there_once(query: str) -> None:
    try:
        response = request(query=query).authorization_response()
    except InvalidRequest:
        return
    pairs = parse_qsl(query, keep_blank_values=True)
    for name, value in (("state", response.state), ("code", response.code), ("error", response.error)):
        assert [v for n, v in pairs if n == name] in ([], [""] if value is None else [value.reveal()])
    assert [response.code, response.error].count(None) == 1


def asked_of(resource: str) -> st.SearchStrategy[tuple[str, str]]:
    """A read, and a query with its filters."""
    known = st.sampled_from([field.encode_name for field in fields(FILTERS[resource])])
    right = st.sampled_from(["1", "2", "07", "BTC_USDT", "FILLED"])
    asked = st.dictionaries(known, right, max_size=3) | st.dictionaries(known, right | values, max_size=4)
    return asked.map(lambda pairs: (resource, "&".join(map("=".join, pairs.items()))))


@FUZZ
@given(st.sampled_from(sorted(FILTERS)).flatmap(asked_of) | st.tuples(st.just("orders"), queries))
def test_what_is_sent_of_filters_is_what_was_asked_for(asked: tuple[str, str]) -> None:
    resource, query = asked
    read = list[Mapping[str, str | int]]()
    error = refusal(lambda: read.append(filters_of(resource, request(query=query).parameters())))
    assert error is None or type(error) is InvalidRequest
    named = dict(parse_qsl(query, keep_blank_values=True))
    for each in read:
        assert without_zeros(each) == without_zeros({**filters_of(resource, {}), **named})


def without_zeros(values: Mapping[str, Any]) -> dict[str, str]:
    """The values as texts without the zeros that a number may begin with."""
    return {name: str(value).lstrip("0") for name, value in values.items()}


# ---- Cookies ---------------------------------------------------------------------------------------------------------

NAME = "__Host-fastkey-0123456789abcdef"  # pragma: allowlist secret

cookies = st.lists(st.builds("{}{}{}".format, st.sampled_from([NAME, f" {NAME}", ""]), st.sampled_from("= "), texts))


@FUZZ
@given(cookies)
def test_a_cookie_is_one_or_none(sent: list[str]) -> None:
    read = request(cookies=sent).cookie(NAME).reveal()
    same = [cookie for cookie in sent if cookie.partition("=")[0].strip() == NAME]
    assert read == (same[0].partition("=")[2] if len(same) == 1 else "")


# ---- The body --------------------------------------------------------------------------------------------------------


class Model(Struct, forbid_unknown_fields=True):
    """As the bodies of the API are."""

    field: Annotated[str, Meta(max_length=50)]


nested = st.sampled_from([1, 50, 1000, BODY_LIMIT]).map(lambda depth: b"[" * depth)
dumped = st.builds(json.dumps, documents | st.fixed_dictionaries({"field": documents}), ensure_ascii=st.booleans())
doubled = st.builds('{{"field": "{}", "field": "{}"}}'.format, st.just(CANARY), st.text("ab"))
halves = st.sampled_from(['{"field": "\\ud800"}', '{"\\udfff": 1}', '{"field": "\ufeff"}', '\ufeff{"field": "a"}'])
octets = st.binary() | nested | (dumped | doubled | halves).map(lambda text: text.encode(errors="surrogatepass"))


@FUZZ
@given(octets, st.sampled_from(["application/json", "APPLICATION/JSON; charset=utf-8", "text/json", ""]))
def test_a_body_is_read_or_refused(body: bytes, content_type: str) -> None:
    error = refusal(lambda: parsed(request(body=body, content_type=content_type).body(), Model))
    assert error is None or type(error) in (InvalidRequest, BodyTooLarge, NotJson)


@FUZZ
@given(st.text() | st.text(alphabet="ABab01+/=-_ \n"))
def test_what_says_to_be_base64_is_read_or_refused(text: str) -> None:
    event = {**http_event(body=text), "isBase64Encoded": True}
    error = refusal(lambda: parsed(Request(event, timedelta(seconds=29)).body(), Model))
    assert error is None or type(error) in (InvalidRequest, BodyTooLarge)


@FUZZ
@given(documents)
def test_what_is_read_of_a_body_is_what_was_sent(document: Any) -> None:
    body = json.dumps({"field": document}).encode()
    try:
        read = parsed(request(body=body).body(), Model)
    except FastkeyError:
        return
    assert read.field == document


@FUZZ
@given(octets, queries, cookies, texts)
def test_an_endpoint_answers_whatever_it_reads_without_a_defect(
    body: bytes, query: str, sent: list[str], user_id: str
) -> None:
    @endpoint
    def read_all(request: Request) -> Response:
        request.cookie(NAME)
        for read in (lambda: request.user_id, request.authorization_response, lambda: parsed(request.body(), Model)):
            try:
                read()
            except FastkeyError as error:
                refused.append(error)
        raise refused[0] if refused else InvalidRequest

    refused: list[FastkeyError] = []
    with logged() as lines:
        answer = read_all(http_event(body=body, query=query, cookies=sent, user_id=user_id), LambdaContext())
    assert answer["statusCode"] in (400, 413, 415)
    assert CANARY not in json.dumps(answer) + lines.getvalue()
    assert "defect" not in lines.getvalue()


# ---- The cursor of a page --------------------------------------------------------------------------------------------


class Pages:
    """DynamoDB, as far as a query goes: it gives one empty page, and where the next one starts."""

    def __init__(self, last: Mapping[str, Any] | None = None) -> None:
        self.last = last
        self.started: dict[str, Any] = {}

    def query(self, **arguments: Any) -> dict[str, Any]:
        self.started = arguments.get("ExclusiveStartKey", {})
        return {"Items": [], **({"LastEvaluatedKey": self.last} if self.last else {})}


def connections(pages: Pages) -> DynamoConnections:
    client: Any = pages
    return DynamoConnections(client, "Connections", "KeyHolders")


positions = st.builds("{}#{}".format, st.datetimes().map(datetime.isoformat) | st.text(), texts)
cursors = st.text() | texts | (positions | st.text()).map(lambda text: b64encode(text.encode()).decode())


@FUZZ
@given(cursors)
def test_a_cursor_starts_a_page_of_the_callers_own_or_is_refused(cursor: str) -> None:
    pages = Pages()
    error = refusal(lambda: connections(pages).page("user-1", cursor))
    assert error is None or type(error) is InvalidRequest
    if error is None and cursor:
        assert pages.started["user_id"] == {"S": "user-1"}
        assert 0 < len(pages.started["connection_id"]["S"]) <= ID_LIMIT


@FUZZ
@given(st.datetimes(), st.uuids())
def test_a_cursor_leads_on_from_where_its_page_ended(created: datetime, connection_id: object) -> None:
    last = {
        "user_id": {"S": "user-1"},
        "created": {"S": f"{created.isoformat(timespec='microseconds')}#{connection_id}"},
        "connection_id": {"S": str(connection_id)},
    }
    pages = Pages(last)
    cursor = connections(pages).page("user-1", None).next_cursor
    connections(pages).page("user-1", cursor)
    assert pages.started == last


# ---- Settings --------------------------------------------------------------------------------------------------------

urls = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(["https://", "HTTPS://", "http://", "ftp://", "//", ""]),
    st.sampled_from(["", "", "", "a@", "a:b@"]),
    st.sampled_from(["a.example", "localhost", "127.0.0.1", "localhost.a.example", "whitebit.eu", "[::1]", "", CANARY]),
    st.sampled_from(["", "", ":1", ":"]),
    st.sampled_from(["", "", "/", "/a", "?a", "#a", "\n", ",https://b.example"]) | texts,
)


@FUZZ
@given(st.dictionaries(st.sampled_from([*ENVIRONMENT]), texts | urls))
def test_settings_are_usable_or_refused_by_name(changes: dict[str, str]) -> None:
    settings, refused = None, ""
    try:
        settings = Settings.read({**ENVIRONMENT, **changes})
    except SettingsError as error:
        refused = str(error)
    if settings is None:
        assert CANARY not in refused
        assert refused.split()[0] in changes
        return
    for url in (settings.whitebit_base_url, settings.public_url):
        found = urlsplit(url)
        assert found.scheme == "https" or found.hostname in ("localhost", "127.0.0.1", "host.docker.internal")
        assert url == f"{found.scheme}://{found.netloc}"
        assert "@" not in found.netloc
    for url in settings.allowed_return_urls:
        found = urlsplit(url)
        assert found.scheme == "https" or found.hostname in ("localhost", "127.0.0.1")
        assert not found.fragment


# ---- Secrets ---------------------------------------------------------------------------------------------------------


@FUZZ
@given(texts.filter(lambda text: len(text) > 3), st.text(alphabet="<>^=+-0123456789.sdr", max_size=6))
def test_a_secret_is_shown_as_stars(text: str, spec: str) -> None:
    secret = Secret(text)
    shown = {repr(secret), str(secret), format(secret, spec), f"{secret!r}", f"{[secret]}"[1:-1]}
    assert shown == {"***"}


@FUZZ
@given(st.text(), st.text())
def test_secrets_are_equal_if_their_texts_are(one: str, other: str) -> None:
    assert (Secret(one) == Secret(other)) is (one == other)
    assert Secret(one).matches(Secret(other).digest()) is (one == other)
    assert not Secret(one).matches(None)


@pytest.mark.parametrize("digest", ["", "0" * 64])
def test_a_digest_that_is_none_matches_nothing(digest: str) -> None:
    assert not Secret("").matches(digest)
