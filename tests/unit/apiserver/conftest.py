"""The API server that each test gets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.apiserver.api import Api


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    """An API server with what every cluster has."""
    made = Api(tmp_path / "store")
    yield await made.start()
    made.close()
