"""The client speaks to whom a certificate vouches for, and to nobody else (RFC 6749, section 10.9)."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from fastkey.adapters.whitebit import WhiteBitClient
from fastkey.domain import errors
from fastkey.domain.secret import Secret
from tests.contract.scripted_server import answer
from tests.fakes.system import FakeClock


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for `localhost` that vouches for itself, and its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path = tmp_path / "certificate.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + pem)
    return path


@pytest.fixture
def heard(certificate: Path) -> list[bytes]:
    """What a server with that certificate reads of one connection."""
    return []


@pytest.fixture
def port(certificate: Path, heard: list[bytes]) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=_serve, args=(listener, context, heard))
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def _serve(listener: socket.socket, context: ssl.SSLContext, heard: list[bytes]) -> None:
    connection, _ = listener.accept()
    with suppress(OSError), connection, context.wrap_socket(connection, server_side=True) as secured:
        heard.append(secured.recv(65536))
        secured.sendall(answer(200, {"data": {"exists": False, "isEnabled": False}}))


def look(host: str, port: int) -> None:
    WhiteBitClient(f"https://{host}:{port}", "client", lambda: Secret(""), FakeClock()).key_info(Secret("a-token"))


def test_a_server_that_is_vouched_for_is_spoken_to(
    port: int, certificate: Path, heard: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    look("localhost", port)
    assert b"a-token" in heard[0]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"], ids=["by itself only", "under another name"])
def test_a_server_that_nobody_vouches_for_gets_no_secret(
    host: str, port: int, certificate: Path, heard: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    if host != "localhost":
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with pytest.raises(errors.WhiteBitUnavailable):
        look(host, port)
    assert heard in ([], [b""])
