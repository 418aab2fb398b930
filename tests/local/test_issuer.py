"""The local identity provider, and the command that asks it."""

import subprocess
import sys
from pathlib import Path

import jwt
import pytest
import requests
from werkzeug.test import Client

from local.issuer import Issuer

PROJECT = Path(__file__).parents[2]


def ask_for_token(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "local.token", *arguments]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)


def test_a_token_is_verified_by_the_published_keys(issuer: Issuer) -> None:
    configuration = requests.get(f"{issuer.url}/.well-known/openid-configuration", timeout=5).json()
    assert configuration["issuer"] == issuer.url
    token = issuer.token("ada", role="admin", iat=None)
    key = jwt.PyJWKClient(configuration["jwks_uri"]).get_signing_key_from_jwt(token).key
    claims = jwt.decode(token, key, algorithms=["RS256"], audience="shop", issuer=issuer.url)
    assert (claims["sub"], claims["role"]) == ("ada", "admin")
    assert "iat" not in claims


def test_the_command_prints_a_token_and_nothing_else(issuer: Issuer) -> None:
    result = ask_for_token("--sub", "ada", "--issuer", issuer.url)
    assert (result.returncode, result.stderr) == (0, "")
    assert jwt.decode(result.stdout.strip(), options={"verify_signature": False})["sub"] == "ada"


def test_the_command_says_so_where_no_world_runs() -> None:
    result = ask_for_token("--sub", "ada", "--issuer", "http://127.0.0.1:1")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("No local world answers at http://127.0.0.1:1")


@pytest.mark.parametrize(("address", "status"), [("127.0.0.1", 200), ("::1", 200), ("192.0.2.7", 404), ("", 404)])
def test_tokens_are_for_this_machine_alone(issuer: Issuer, address: str, status: int) -> None:
    client = Client(issuer.application)
    answer = client.post("/token", data={"sub": "ada"}, environ_overrides={"REMOTE_ADDR": address})
    assert answer.status_code == status


@pytest.mark.parametrize(("method", "path"), [("POST", "/token"), ("GET", "/token"), ("GET", "/")])
def test_anything_else_is_not_found(issuer: Issuer, method: str, path: str) -> None:
    assert requests.request(method, issuer.url + path, timeout=5).status_code == 404
