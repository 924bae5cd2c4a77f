"""Which address of the API server is told to pods."""

import ipaddress

import pytest

from kcore.serve.apiserver import advertised


def test_a_server_that_listens_at_an_address_is_found_there() -> None:
    assert advertised("192.0.2.7") == "192.0.2.7"
    assert advertised("2001:db8::7") == "2001:db8::7"
    assert advertised("api.example.com") == "api.example.com"


@pytest.mark.parametrize("bind", ["127.0.0.1", "localhost", "0.0.0.0", "::", "::1"])
def test_one_that_listens_everywhere_or_at_home_is_found_where_the_machine_is_or_nowhere(bind: str) -> None:
    found = advertised(bind)
    assert found is None or not (ipaddress.ip_address(found).is_loopback or ipaddress.ip_address(found).is_unspecified)
