"""A server behind TLS: its certificate is checked, and trusted where the user says so."""

import shutil
import subprocess

import pytest

from somaseg.serving import Client
from somaseg.serving.errors import UnreachableServerError


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of our own for 127.0.0.1 and its key."""
    if not shutil.which("openssl"):
        pytest.skip("no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names]
    subprocess.run([*made, "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], check=True, capture_output=True)
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture
def encrypted(model_server, servables, certificate):
    running = model_server.ModelServer(dict(servables), tls=certificate)
    yield {protocol: f"https://{address}" for protocol, address in running.addresses.items()}
    running.stop()


@pytest.mark.parametrize("protocol", ["rest", "grpc"])
def test_a_trusted_certificate_gives_the_somas(encrypted, certificate, somas, monkeypatch, protocol):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    assert len(Client(encrypted[protocol], model="bright", protocol=protocol).segmenter()(somas)) == 12


@pytest.mark.parametrize("protocol", ["rest", "grpc"])
def test_a_certificate_that_is_not_trusted_is_told_at_once(encrypted, protocol):
    with pytest.raises(UnreachableServerError, match="certificate is not trusted here .* SSL_CERT_FILE"):
        Client(encrypted[protocol], model="bright", protocol=protocol)


def test_a_file_of_certificates_that_is_not_there_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "absent.pem"))
    with pytest.raises(ValueError, match=r"absent\.pem that SSL_CERT_FILE names cannot be read: No such file"):
        Client("https://127.0.0.1:1", protocol="grpc")
