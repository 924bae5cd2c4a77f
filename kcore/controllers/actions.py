"""What plans consist of: writes and Events as values, and the one place that sends them.

    outcomes = await apply([Create(pod, done=(created_event,)), UpdateStatus(replicaset)], api.bulk, recorder)

Writes go out in order; one that fails does not stop the others. A write may carry the Events that its success causes, and the one of its
failure: the text of a failure's Event ends with the error. Several writes are one bulk request, a single one travels with those of others.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kcore.client import items
from kcore.client.bulk import BulkResult
from kcore.client.items import Item
from kcore.client.kinds import Resource
from kcore.controllers.ports import Recorder, Writes
from kcore.machinery.status import StatusError

NORMAL: Final = "Normal"
WARNING: Final = "Warning"


@dataclass(frozen=True, slots=True)
class Event:
    """An Event about an object."""

    regarding: Any
    type: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Create:
    """Create an object."""

    object: Any
    done: tuple[Event, ...] = ()
    failed: Event | None = None


@dataclass(frozen=True, slots=True)
class Update:
    """Replace an object but for its status; refused if its resourceVersion is not the newest."""

    object: Any
    done: tuple[Event, ...] = ()
    failed: Event | None = None


@dataclass(frozen=True, slots=True)
class UpdateStatus:
    """Replace the status of an object; refused if its resourceVersion is not the newest."""

    object: Any
    done: tuple[Event, ...] = ()
    failed: Event | None = None


@dataclass(frozen=True, slots=True)
class Patch:
    """Change an object by a JSON merge patch; a uid or resourceVersion in it must be the object's."""

    resource: Resource
    namespace: str
    name: str
    body: dict[str, Any]
    subresource: str = ""
    done: tuple[Event, ...] = ()
    failed: Event | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete an object if it is still the one that is meant."""

    resource: Resource
    namespace: str
    name: str
    uid: str = ""
    resource_version: str = ""
    propagation_policy: str = ""
    grace_period_seconds: int | None = None
    done: tuple[Event, ...] = ()
    failed: Event | None = None


@dataclass(frozen=True, slots=True)
class Bind:
    """Assign a pod to a node."""

    namespace: str
    name: str
    node: str
    uid: str = ""
    done: tuple[Event, ...] = ()
    failed: Event | None = None


_NO_FAILURE: Final = frozenset(("NotFound", "AlreadyExists"))
"""Reasons of refusals that nobody is told of: what was to be deleted is gone, what was to be created is there."""

Write = Create | Update | UpdateStatus | Patch | Delete | Bind
Action = Write | Event


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a write; without error the rest is set."""

    action: Write
    error: StatusError | None
    name: str = ""
    uid: str = ""
    resource_version: str = ""


async def apply(actions: Iterable[Action], writes: Writes, recorder: Recorder) -> list[Outcome]:
    """Send actions and return the outcomes of the writes among them, in order.

    Raises  StatusError if the writes could not be sent; each of them may have happened
    """
    wanted = list(actions)
    sent = [action for action in wanted if not isinstance(action, Event)]
    results = await _send([item_of(action) for action in sent], writes)
    for action in wanted:
        if isinstance(action, Event):
            _record(action, recorder)
    outcomes = [
        Outcome(action, result.error, result.name, result.uid, result.resource_version)
        for action, result in zip(sent, results, strict=True)
    ]
    for outcome in outcomes:
        _record_outcome(outcome, recorder)
    return outcomes


async def apply_slowly(creates: Sequence[Create], writes: Writes, recorder: Recorder, first: int = 1) -> list[Outcome]:
    """Create objects in batches of 1, 2, 4 ...; after a batch in which one failed, no more are sent.

    first    the size of the first batch
    Returns  the outcomes of what was sent: a fault that all share (a quota, a webhook) costs one request, not thousands
    """
    outcomes: list[Outcome] = []
    size = first
    while len(outcomes) < len(creates):
        batch = await apply(creates[len(outcomes) : len(outcomes) + size], writes, recorder)
        outcomes += batch
        if any(outcome.error for outcome in batch):
            break
        size *= 2
    return outcomes


def first_error(outcomes: Iterable[Outcome], *, harmless: Container[str] = ()) -> StatusError | None:
    """Return the first error whose reason is not harmless."""
    return next((outcome.error for outcome in outcomes if outcome.error and outcome.error.reason not in harmless), None)


def raise_first(outcomes: Iterable[Outcome], *, harmless: Container[str] = ()) -> None:
    """Raise the first error whose reason is not harmless.

    Raises  StatusError
    """
    error = first_error(outcomes, harmless=harmless)
    if error is not None:
        raise error


def undisturbed(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Leave out creates that were refused because the namespace is on its way out: nothing can be done, and nothing is to be."""
    return [outcome for outcome in outcomes if outcome.error is None or not is_namespace_terminating(outcome.error)]


def item_of(action: Write) -> Item:
    """Write an action as an item of a bulk request."""
    match action:
        case Create():
            return items.create(action.object)
        case Update():
            return items.update(action.object)
        case UpdateStatus():
            return items.update_status(action.object)
        case Patch():
            return items.patch(
                action.resource, action.name, action.body, namespace=action.namespace, subresource=action.subresource
            )
        case Delete():
            return items.delete(
                action.resource,
                action.name,
                namespace=action.namespace,
                grace_period_seconds=action.grace_period_seconds,
                propagation_policy=action.propagation_policy,
                uid=action.uid,
                resource_version=action.resource_version,
            )
        case Bind():
            return items.bind(action.name, action.node, namespace=action.namespace, uid=action.uid)


async def _send(wanted: list[Item], writes: Writes) -> list[BulkResult]:
    if not wanted:
        return []
    if len(wanted) == 1:
        return [await writes.submit(wanted[0])]
    return await writes.write(wanted)


def _record(event: Event, recorder: Recorder) -> None:
    recorder.event(event.regarding, event.type, event.reason, event.message)


def _record_outcome(outcome: Outcome, recorder: Recorder) -> None:
    action, error = outcome.action, outcome.error
    if error is None:
        for event in action.done:
            _record(event, recorder)
    elif action.failed is not None and not is_namespace_terminating(error) and error.reason not in _NO_FAILURE:
        failed = action.failed
        _record(Event(failed.regarding, failed.type, failed.reason, failed.message + error.message), recorder)


def is_namespace_terminating(error: StatusError) -> bool:
    """Tell whether a create was refused because its namespace is being deleted."""
    causes = (error.status.get("details") or {}).get("causes") or ()
    return any(cause.get("reason") == "NamespaceTerminating" for cause in causes)
