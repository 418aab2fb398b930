"""What a deployment sets is checked before a function starts."""

import pytest

from fastkey.domain.permissions import Ability
from fastkey.settings import Settings, SettingsError
from tests.template import WRITTEN
from tests.unit.environment import ENVIRONMENT


def read(**changes: str) -> Settings:
    return Settings.read({**ENVIRONMENT, **changes})


def test_settings_stand_in_the_environment_under_their_names() -> None:
    settings = read()
    assert settings.client_id == "client-1"
    assert settings.key_holders_table == "KeyHolders"


def test_the_template_gives_the_settings_and_nothing_that_nobody_reads() -> None:
    given = WRITTEN["Globals"]["Function"]["Environment"]["Variables"]
    read_by_libraries = {"POWERTOOLS_SERVICE_NAME", "AWS_ENDPOINT_URL"}
    assert set(ENVIRONMENT) == set(given) - read_by_libraries


@pytest.mark.parametrize(("position", "is_on"), [("on", True), ("off", False)])
def test_reads_by_token_are_switched(position: str, is_on: bool) -> None:
    assert read(BEARER_READS=position).bearer_reads is is_on


@pytest.mark.parametrize("position", ["ON", "true", "1"])
def test_a_switch_has_two_positions(position: str) -> None:
    with pytest.raises(SettingsError, match=r"^BEARER_READS must be on or off"):
        read(BEARER_READS=position)


@pytest.mark.parametrize("ability", Ability)
def test_a_partner_says_what_a_key_may_do_at_the_most(ability: Ability) -> None:
    assert read(MAXIMUM_PERMISSIONS=ability.value).maximum_permissions is ability


@pytest.mark.parametrize("ability", ["READ", "all", "none", "read,trade"])
def test_a_key_may_do_one_of_three_things_at_the_most(ability: str) -> None:
    with pytest.raises(SettingsError, match=r"^MAXIMUM_PERMISSIONS must be read, trade, withdraw\.$"):
        read(MAXIMUM_PERMISSIONS=ability)


@pytest.mark.parametrize("name", ENVIRONMENT)
@pytest.mark.parametrize("empty", [None, "", "  "])
def test_a_setting_that_is_missing_is_named(name: str, empty: str | None) -> None:
    environment = {k: v for k, v in ENVIRONMENT.items() if k != name} | ({name: empty} if empty is not None else {})
    with pytest.raises(SettingsError, match=f"^{name} is not set"):
        Settings.read(environment)


@pytest.mark.parametrize(
    "url",
    [
        "https://whitebit.com",
        "https://sandbox.example:8443",
        "http://localhost:8081",
        "http://127.0.0.1",
        "http://host.docker.internal:8081",
    ],
)
def test_whitebit_may_be_the_global_server_or_a_sandbox(url: str) -> None:
    assert read(WHITEBIT_BASE_URL=url).whitebit_base_url == url


@pytest.mark.parametrize(
    "url", ["https://whitebit.eu", "https://WhiteBIT.EU", "https://api.whitebit.eu", "https://whitebit.eu/"]
)
def test_the_eu_server_is_refused_with_the_reason(url: str) -> None:
    with pytest.raises(SettingsError, match=r"EU server does not have the API key endpoints.*https://whitebit\.com"):
        read(WHITEBIT_BASE_URL=url)


@pytest.mark.parametrize("name", ["WHITEBIT_BASE_URL", "PUBLIC_URL"])
@pytest.mark.parametrize(
    "url",
    [
        "whitebit.com",
        "http://whitebit.com",
        "http://localhost.evil.example",
        "https://whitebit.com/",
        "https://whitebit.com/path",
        "https://whitebit.com?query",
        "https://whitebit.com#fragment",
        "https://user@whitebit.com",
        "https://user:password@whitebit.com",  # pragma: allowlist secret
        "https://",
        "https://[",
        "ftp://whitebit.com",
    ],
)
def test_a_base_url_is_a_secure_host_and_nothing_more(name: str, url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.read({**ENVIRONMENT, name: url})
    assert name in str(caught.value)
    assert "password" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("https://a.example/x", {"https://a.example/x"}),
        ("https://a.example/x, https://b.example", {"https://a.example/x", "https://b.example"}),
        ("https://a.example/x,", {"https://a.example/x"}),
    ],
)
def test_return_urls_are_separated_by_commas(text: str, urls: set[str]) -> None:
    assert read(ALLOWED_RETURN_URLS=text).allowed_return_urls == urls


@pytest.mark.parametrize(
    "text",
    [",", "http://a.example/x", "https://a.example/#x", "javascript:alert(1)", "a.example", "https://a.example, b"],
)
def test_a_return_url_is_secure_and_has_no_fragment(text: str) -> None:
    with pytest.raises(SettingsError, match=r"^ALLOWED_RETURN_URLS"):
        read(ALLOWED_RETURN_URLS=text)
