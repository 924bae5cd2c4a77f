"""A controller as a value: a name, a function that reconciles a key, and the objects whose changes say which keys to look at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from kcore.base import limits
from kcore.base.clock import Clock
from kcore.base.entropy import Entropy
from kcore.client.kinds import Resource
from kcore.client.reflector import EVERYTHING, Selection
from kcore.client.wire import join_key
from kcore.client.workqueue import DONE, Result, WorkQueue
from kcore.controllers.ports import Api, Informer, Lister, Recorder
from kcore.controllers.settings import Settings

__all__ = ["DONE", "Changed", "Claimant", "Context", "Controller", "InformerOf", "Result", "Source", "key_of", "own_keys"]

Changed = Callable[[Any, Any], Iterable[str]]
"""From the old and the new object (None if there is none) to the keys to look at; may note what was expected. Never waits."""


class InformerOf(Protocol):
    """Gives the informer of a resource, the same to all who ask for the same."""

    def __call__(self, resource: Resource, selection: Selection = EVERYTHING) -> Informer[Any]:
        """Return it."""
        ...


class Seen(Protocol):
    """Takes in what is shown of an owner's object, before the owner is looked at."""

    def __call__(self, key: str, object_: Any, /, *, gone: bool) -> None:
        """Take in the newest state of an object of the owner with this key, or the last one if it is gone."""
        ...


def unseen(_key: str, _object: Any, *, gone: bool) -> None:
    """Take nothing in."""


@dataclass(frozen=True, slots=True)
class Claimant:
    """A kind of owners.

    kind           how references name it
    owners         who there is; with the index of `adoption.index_selectors`
    seen           takes in what is shown of their objects
    looks_at_new   whether an owner is looked at when it gets a new object
    """

    kind: str
    owners: Lister[Any]
    seen: Seen = unseen
    looks_at_new: bool = True


@dataclass(frozen=True, slots=True)
class Source:
    """Objects whose changes make a controller look.

    changed        to which keys; a Claimant stands for the owners of the objects, and says all by itself what it reads of orphans
    metadata_only  nothing but metadata is needed; the objects may have more
    reads          the fields of an object that decide what an update of it means; None: any
    reads_if_owned further ones, which mean nothing in an object without an owner
    selection      which objects; must be that by which the controller asked for the informer
    gather_s       how long a key waits for more changes before it is looked at
    """

    resource: Resource
    changed: Changed | Claimant
    metadata_only: bool = False
    selection: Selection = EVERYTHING
    reads: tuple[str, ...] | None = None
    reads_if_owned: tuple[str, ...] = ()
    gather_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Controller:
    """What the manager runs.

    first_keys  are looked at once at the start, whatever changes (a controller that acts by the clock keeps its key alive by
                `Result.requeue_after_s`)
    """

    name: str
    queue: WorkQueue[str]
    reconcile: Callable[[str], Awaitable[Result | None]]
    sources: tuple[Source, ...]
    workers: int = limits.CONTROLLER_WORKERS
    first_keys: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Context:
    """What a controller is made of.

    informer       of whole objects of a resource, the same for all who ask
    metadata_of    of a resource's metadata; whole objects if somebody asks for these anyway
    """

    api: Api
    informer: InformerOf
    metadata_of: InformerOf
    recorder: Recorder
    clock: Clock
    entropy: Entropy
    settings: Settings

    def queue(self, name: str) -> WorkQueue[str]:
        """Make the workqueue of a controller."""
        return WorkQueue(name, self.clock)


def key_of(object_: Any) -> str:
    """Return the key of an object: `namespace/name`, or `name`."""
    meta = object_.metadata
    return join_key(meta.namespace, meta.name)


def own_keys(old: Any, new: Any) -> Iterable[str]:
    """Look at the object itself."""
    return (key_of(old if new is None else new),)


IGNORE: Final[Changed] = lambda _old, _new: ()  # noqa: E731 - a value, not a function with a name of its own
"""For a source that only has to be known."""
