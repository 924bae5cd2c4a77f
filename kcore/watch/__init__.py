"""From committed batches to watchers: history, present objects, fan-out, bounded queues.

Guarantees
- A watcher sees every change that it wants, once, in the order of revisions, or is told that it must list again.
- An event is encoded once for each form, whatever the number of watchers.
- A slow watcher costs bounded memory and nobody else's time.

Thread: the event loop's. It must never know what an object means: it sees projections.
"""

from kcore.watch.change import ADDED, BOOKMARK, DELETED, INITIAL_END, MODIFIED, Change, Item, Projected
from kcore.watch.hub import Hub, ResourceView
from kcore.watch.watcher import Watcher, WatchExpired, WatchSpec

__all__ = [
    "ADDED",
    "BOOKMARK",
    "DELETED",
    "INITIAL_END",
    "MODIFIED",
    "Change",
    "Hub",
    "Item",
    "Projected",
    "ResourceView",
    "WatchExpired",
    "WatchSpec",
    "Watcher",
]
