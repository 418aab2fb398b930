"""What the deployment sets, read from the environment once, when a function starts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from fastkey.domain.permissions import Ability
from fastkey.ports import Vault

# HTTPS, because tokens and cookies travel over it; plain HTTP only for a server on this machine.
_BASE_URL = re.compile(r"https://[A-Za-z0-9.-]+(:\d+)?|http://(localhost|127\.0\.0\.1|host\.docker\.internal)(:\d+)?")
# No fragment: what is added to the query would end up in it.
_RETURN_URL = re.compile(r"(https://|http://(localhost|127\.0\.0\.1)(:\d+)?/)[^\s#]+")
_EU_SERVER = re.compile(r"https?://([^/]*\.)?whitebit\.eu\.?([:/]|$)", re.IGNORECASE)


class SettingsError(Exception):
    """A setting is missing, or cannot be used. The message names the setting, and never its value."""


@dataclass(frozen=True, slots=True)
class Settings:
    """A deployment's settings; each stands in the environment under its name in capitals.

    URLs have no slash at the end.
    """

    client_id: str
    client_secret_name: str
    whitebit_base_url: str
    public_url: str
    allowed_return_urls: frozenset[str]
    bearer_reads: bool
    maximum_permissions: Ability
    vault: Vault
    starts_table: str
    limits_table: str
    authorizations_table: str
    connections_table: str
    key_holders_table: str
    sealing_key_arn: str
    keys_arn: str
    keys_table: str
    provision_key_arn: str
    revoke_key_arn: str
    untold_events_url: str

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """Reads and checks all settings. Raises SettingsError."""

        def text(name: str) -> str:
            if not (value := environment.get(name, "").strip()):
                raise SettingsError(f"{name} is not set.")
            return value

        return cls(
            client_id=text("CLIENT_ID"),
            client_secret_name=text("CLIENT_SECRET_NAME"),
            whitebit_base_url=_whitebit(text("WHITEBIT_BASE_URL")),
            public_url=_base_url("PUBLIC_URL", text("PUBLIC_URL")),
            allowed_return_urls=_return_urls(text("ALLOWED_RETURN_URLS")),
            bearer_reads=_switch("BEARER_READS", text("BEARER_READS")),
            maximum_permissions=_ability("MAXIMUM_PERMISSIONS", text("MAXIMUM_PERMISSIONS")),
            vault=_vault("VAULT", text("VAULT")),
            starts_table=text("STARTS_TABLE"),
            limits_table=text("LIMITS_TABLE"),
            authorizations_table=text("AUTHORIZATIONS_TABLE"),
            connections_table=text("CONNECTIONS_TABLE"),
            key_holders_table=text("KEY_HOLDERS_TABLE"),
            sealing_key_arn=text("SEALING_KEY_ARN"),
            keys_arn=text("KEYS_ARN"),
            keys_table=text("KEYS_TABLE"),
            provision_key_arn=text("PROVISION_KEY_ARN"),
            revoke_key_arn=text("REVOKE_KEY_ARN"),
            untold_events_url=text("UNTOLD_EVENTS_URL"),
        )


def _switch(name: str, position: str) -> bool:
    if position not in ("on", "off"):
        raise SettingsError(f"{name} must be on or off.")
    return position == "on"


def _ability(name: str, ability: str) -> Ability:
    if ability not in list(Ability):
        raise SettingsError(f"{name} must be {', '.join(Ability)}.")
    return Ability(ability)


def _vault(name: str, vault: str) -> Vault:
    if vault not in list(Vault):
        raise SettingsError(f"{name} must be {', '.join(Vault)}.")
    return Vault(vault)


def _return_urls(listed: str) -> frozenset[str]:
    urls = frozenset(url.strip() for url in listed.split(",") if url.strip())
    if not urls or not all(map(_RETURN_URL.fullmatch, urls)):
        raise SettingsError("ALLOWED_RETURN_URLS must be https URLs without a fragment, separated by commas.")
    return urls


def _whitebit(url: str) -> str:
    if _EU_SERVER.match(url):
        raise SettingsError(
            "WHITEBIT_BASE_URL names whitebit.eu, and WhiteBIT's EU server does not have the API key endpoints "
            "that fastkey needs: use https://whitebit.com."
        )
    return _base_url("WHITEBIT_BASE_URL", url)


def _base_url(name: str, url: str) -> str:
    if not _BASE_URL.fullmatch(url):
        raise SettingsError(f"{name} must be https://host, without a path and without a slash at the end.")
    return url
