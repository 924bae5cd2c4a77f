"""What tests of the HTTP front-end get."""

from __future__ import annotations

import pytest

from tests.unit.apiserver.api import Api
from tests.unit.apiserver.rest.http import Http


@pytest.fixture
def http(api: Api) -> Http:
    """A client of an API server."""
    return Http(api)
