"""Keys and certificates: private, made once, renewed in time."""

import datetime
from pathlib import Path

import pytest
from cryptography import x509

from kcore.serve import pki

DAY = datetime.timedelta(days=1)


def serving(folder: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / "pki" / "apiserver.crt").read_bytes())


def addresses(certificate: x509.Certificate) -> set[str]:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(address) for address in names.get_values_for_type(x509.IPAddress)}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "pki").iterdir()}


def test_everything_is_private_from_the_start(tmp_path: Path) -> None:
    pki.ensure(tmp_path, set())
    assert (tmp_path / "pki").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "pki").iterdir()} == {0o600}


def test_a_second_start_changes_nothing(tmp_path: Path) -> None:
    pki.ensure(tmp_path, {"192.0.2.1"})
    before = contents(tmp_path)
    pki.ensure(tmp_path, {"192.0.2.1"})
    assert contents(tmp_path) == before


def test_the_serving_certificate_is_signed_by_the_ca_and_names_every_address(tmp_path: Path) -> None:
    pki.ensure(tmp_path, {"192.0.2.1", "2001:db8::1"})
    ca = x509.load_pem_x509_certificate((tmp_path / "pki" / "ca.crt").read_bytes())
    serving(tmp_path).verify_directly_issued_by(ca)
    assert addresses(serving(tmp_path)) == {"127.0.0.1", "::1", "192.0.2.1", "2001:db8::1"}


def test_a_new_address_gets_a_new_serving_certificate_of_the_same_ca(tmp_path: Path) -> None:
    pki.ensure(tmp_path, set())
    before = contents(tmp_path)
    pki.ensure(tmp_path, {"192.0.2.9"})
    after = contents(tmp_path)
    assert {name for name in after if after[name] != before[name]} == {"apiserver.crt", "apiserver.key"}
    assert "192.0.2.9" in addresses(serving(tmp_path))


@pytest.mark.parametrize(("days_left", "is_good"), [(pki.RENEW_DAYS + 1, True), (pki.RENEW_DAYS - 1, False), (-1, False)])
def test_a_certificate_is_renewed_before_it_ends(tmp_path: Path, days_left: int, is_good: bool) -> None:
    pki.ensure(tmp_path, set())
    certificate = serving(tmp_path)
    now = certificate.not_valid_after_utc - days_left * DAY
    assert pki.serves(certificate, {"127.0.0.1"}, now) is is_good
