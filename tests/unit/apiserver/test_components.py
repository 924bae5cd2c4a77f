"""ComponentStatus: objects that are made when they are read."""

from __future__ import annotations

import pytest

from kcore.apiserver import components
from kcore.machinery.status import StatusError
from kcore.store.storage import StoreError
from tests.unit.apiserver.api import Api, names_of


class DeafStore:
    """A store that does not answer."""

    def get(self, key: bytes) -> None:
        raise StoreError("closed", "the store is closed")


async def test_a_component_can_be_read_and_listed(api: Api) -> None:
    found = api.get("componentstatuses", "etcd-0")
    assert found["conditions"] == [{"type": "Healthy", "status": "True", "message": "ok"}]
    assert (await api.list("componentstatuses"))["items"] == [{name: found[name] for name in ("metadata", "conditions")}]


async def test_components_can_be_selected(api: Api) -> None:
    assert names_of(await api.list("componentstatuses", fieldSelector="metadata.name=none")) == []
    assert names_of(await api.list("componentstatuses", fieldSelector="metadata.name=etcd-0")) == ["etcd-0"]
    assert names_of(await api.list("componentstatuses", labelSelector="a=b")) == []


async def test_an_unknown_component_is_not_found(api: Api) -> None:
    with pytest.raises(StatusError, match='componentstatus "none" not found'):
        api.get("componentstatuses", "none")


async def test_every_request_is_told_that_the_kind_is_old(api: Api) -> None:
    assert api.pipeline.deprecation(api.spec("componentstatuses")) == ["v1 ComponentStatus is deprecated in v1.19+"]


def test_a_store_that_does_not_answer_is_unhealthy() -> None:
    found = components.statuses(DeafStore())  # type: ignore[arg-type]
    assert found[0]["conditions"] == [{"type": "Healthy", "status": "False", "message": "the store is closed"}]
