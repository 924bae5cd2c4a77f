"""Certificates of a control plane, made at its first start and kept under DIR/pki with mode 0600.

A CA of ten years signs the serving certificate (a year, renewed at a start when less than a month is left or an address is missing).
"""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kcore.base.config import write_private

CA_DAYS, SERVING_DAYS, RENEW_DAYS = 3650, 365, 30
NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A key as PEM, not encrypted: its file is private."""
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def ensure_ca(pki: Path, now: datetime.datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """The CA, made if there is none."""
    certificate_path, key_path = pki / "ca.crt", pki / "ca.key"
    if certificate_path.exists() and key_path.exists():
        key = serialization.load_pem_private_key(key_path.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return x509.load_pem_x509_certificate(certificate_path.read_bytes()), key
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kcore-ca")])
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + datetime.timedelta(days=CA_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    write_private(key_path, key_pem(key))
    write_private(certificate_path, certificate.public_bytes(serialization.Encoding.PEM))
    return certificate, key


def serves(certificate: x509.Certificate, addresses: set[str], now: datetime.datetime) -> bool:
    """Whether a serving certificate is good for these addresses and long enough."""
    if certificate.not_valid_after_utc - now < datetime.timedelta(days=RENEW_DAYS):
        return False
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return addresses <= {str(address) for address in names.get_values_for_type(x509.IPAddress)}


def ensure_signing_key(pki: Path) -> bytes:
    """The key that signs the tokens of service accounts, in PEM; made if there is none."""
    path = pki / "sa.key"
    if not path.exists():
        pki.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, key_pem(ec.generate_private_key(ec.SECP256R1())))
    return path.read_bytes()


def ensure(directory: Path, addresses: set[str]) -> None:
    """Make what is missing under DIR/pki.

    addresses  IP addresses beside 127.0.0.1 and ::1 under which the server is reached
    """
    pki = directory / "pki"
    pki.mkdir(mode=0o700, parents=True, exist_ok=True)
    now = datetime.datetime.now(datetime.UTC)
    wanted = {"127.0.0.1", "::1"} | addresses
    serving_path = pki / "apiserver.crt"
    ca, ca_key = ensure_ca(pki, now - datetime.timedelta(minutes=5))
    if serving_path.exists() and serves(x509.load_pem_x509_certificate(serving_path.read_bytes()), wanted, now):
        return
    key = ec.generate_private_key(ec.SECP256R1())
    alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in NAMES]
    alternatives += [x509.IPAddress(ipaddress.ip_address(address)) for address in sorted(wanted)]
    certificate = (
        x509.CertificateBuilder(
            ca.subject,
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kcore-apiserver")]),
            key.public_key(),
            x509.random_serial_number(),
        )
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=SERVING_DAYS))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    write_private(pki / "apiserver.key", key_pem(key))
    write_private(serving_path, certificate.public_bytes(serialization.Encoding.PEM) + ca.public_bytes(serialization.Encoding.PEM))
