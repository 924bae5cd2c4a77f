"""Actions: sent in order, Events by outcome, creations slowly."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from kcore.api.bulk.v1 import bulk_service_pb2 as bulk_pb2
from kcore.client.bulk import BulkResult
from kcore.client.items import Item
from kcore.controllers import actions
from kcore.controllers.actions import Bind, Create, Delete, Event, Patch, Update, UpdateStatus, apply, apply_slowly, item_of
from kcore.machinery import status
from kcore.machinery.status import StatusError
from tests.property.controllers.world import PODS, pod


class Writes:
    """Carries writes out as told: by name, the error of each that fails."""

    def __init__(self, **errors: StatusError) -> None:
        self.errors = {name.replace("_", "-"): error for name, error in errors.items()}
        self.requests: list[list[str]] = []

    async def write(self, items: Sequence[Item]) -> list[BulkResult]:
        sent = bulk_pb2.WriteRequest.FromString(b"".join(items)).items
        self.requests.append([f"{item.verb} {item.name}" for item in sent])
        return [BulkResult(self.errors.get(item.name), item.name, "9", "u", b"") for item in sent]

    def submit(self, item: Item) -> "asyncio.Future[BulkResult]":
        return asyncio.ensure_future(self._one(item))

    async def _one(self, item: Item) -> BulkResult:
        return (await self.write([item]))[0]


class Recorder:
    """Keeps what is noted."""

    def __init__(self) -> None:
        self.noted: list[str] = []

    def event(self, regarding: Any, type_: str, reason: str, message: str) -> None:
        self.noted.append(f"{type_} {reason} {message}")


def create(name: str) -> Create:
    done = (Event(pod("owner"), actions.NORMAL, "Made", f"made {name}"),)
    return Create(pod(name), done, Event(pod("owner"), actions.WARNING, "Failed", "Error creating: "))


async def test_several_writes_are_one_request_in_order() -> None:
    writes = Writes()
    outcomes = await apply([create("a"), Delete(PODS, "default", "b")], writes, Recorder())
    assert writes.requests == [["create a", "delete b"]]
    assert [outcome.name for outcome in outcomes] == ["a", "b"]


async def test_a_write_that_fails_does_not_stop_the_others() -> None:
    recorder = Recorder()
    error = status.forbidden("pods", "", "a", "no")
    outcomes = await apply([create("a"), create("b")], Writes(a=error), recorder)
    assert [outcome.error for outcome in outcomes] == [error, None]
    assert recorder.noted == [f"Warning Failed Error creating: {error.message}", "Normal Made made b"]


async def test_an_event_alone_is_noted() -> None:
    recorder, writes = Recorder(), Writes()
    assert await apply([Event(pod("a"), "Normal", "Why", "because")], writes, recorder) == []
    assert recorder.noted == ["Normal Why because"] and writes.requests == []


@pytest.mark.parametrize("error", [status.not_found("pods", "", "a"), status.namespace_terminating("pods", "", "a", "default")])
async def test_some_failures_are_nobodys_business(error: StatusError) -> None:
    recorder = Recorder()
    await apply([create("a")], Writes(a=error), recorder)
    assert recorder.noted == []


async def test_creations_double_while_all_goes_well() -> None:
    writes = Writes()
    await apply_slowly([create(str(number)) for number in range(10)], writes, Recorder())
    assert [len(request) for request in writes.requests] == [1, 2, 4, 3]


async def test_creations_begin_with_what_went_well_before() -> None:
    writes = Writes()
    await apply_slowly([create(str(number)) for number in range(10)], writes, Recorder(), first=6)
    assert [len(request) for request in writes.requests] == [6, 4]


async def test_creations_end_after_a_batch_with_a_failure() -> None:
    writes = Writes(p2=status.internal("no"))
    outcomes = await apply_slowly([create(f"p{number}") for number in range(10)], writes, Recorder())
    assert [len(request) for request in writes.requests] == [1, 2]
    assert len(outcomes) == 3


async def test_the_first_error_that_matters_is_raised() -> None:
    writes = Writes(a=status.not_found("pods", "", "a"), b=status.conflict("pods", "", "b"))
    outcomes = await apply([create("a"), create("b")], writes, Recorder())
    with pytest.raises(StatusError, match="modified"):
        actions.raise_first(outcomes, harmless=("NotFound",))
    actions.raise_first(outcomes, harmless=("NotFound", "Conflict"))


def test_every_write_becomes_an_item() -> None:
    found = pod("a")
    found.metadata.namespace = "default"
    wanted = [
        (Create(found), "create", ""),
        (Update(found), "update", ""),
        (UpdateStatus(found), "update", "status"),
        (Patch(PODS, "default", "a", {"x": 1}), "patch", ""),
        (Delete(PODS, "default", "a", "u", "7", "Orphan", 0), "delete", ""),
        (Bind("default", "a", "n1"), "create", "binding"),
    ]
    for action, verb, subresource in wanted:
        (item,) = bulk_pb2.WriteRequest.FromString(item_of(action)).items
        assert (item.verb, item.subresource, item.namespace, item.name, item.resource) == (verb, subresource, "default", "a", "pods")
    (item,) = bulk_pb2.WriteRequest.FromString(item_of(Delete(PODS, "default", "a", "u", "7", "Orphan", 0))).items
    options = item.delete_options
    assert (options.preconditions.uid, options.preconditions.resourceVersion, options.propagationPolicy) == ("u", "7", "Orphan")
    assert options.HasField("gracePeriodSeconds")
