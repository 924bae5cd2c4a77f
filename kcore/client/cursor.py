"""Turns what several watch streams say, one after the other, into one sequence of changes without gaps: the pure half of a reflector.

What is known is each key's revision. From it follow the types: ADDED means that the key was not known, MODIFIED that it was; what is
known already is left out. So neither a relist nor a repeated event shows, but for objects that went while nobody looked: they come as
DELETED without bytes when the new list is complete.

    known {a: 5, b: 6}   relist: ADDED a@5, ADDED c@9, bookmark "end" @9   ->  ADDED c@9, DELETED b@9

Resume: events of one revision may be split over two answers, so a stream that broke is resumed before the last event's revision, and what
was seen of it is left out; after a bookmark, which says that its revision is complete, at that revision.

Source: client-go's reflector and watch list (KEP-3157); the types as its DeltaFIFO's consumers see them.
"""

from __future__ import annotations

from typing import NamedTuple

from kcore.client.wire import ADDED, BOOKMARK, DELETED, MODIFIED, WatchEvent, ends_initial_events


class From(NamedTuple):
    """Where the next stream starts.

    resource_version  that of the request
    send_initial_events  all present objects first
    """

    resource_version: str
    send_initial_events: bool


class Cursor:
    """The place in the changes of one resource.

    revision    newest revision seen; never goes back, but for a relist after `forget`
    has_synced  whether all objects that were there at first have been delivered
    """

    def __init__(self) -> None:
        self.revision = 0
        self.has_synced = False
        self.known: dict[str, int] = {}
        self._listing = True
        self._listed: set[str] = set()
        self._complete_revision = 0

    def next(self) -> From:
        """Return where the next stream starts; to be called once for each."""
        if self._listing:
            self._listed.clear()
            return From(str(self.revision) if self.revision else "", send_initial_events=True)
        return From(str(self._complete_revision), send_initial_events=False)

    def relist(self) -> None:
        """History after the cursor is gone: the next stream starts with all objects, as they are then or later."""
        self._listing = True

    def forget(self) -> None:
        """The server does not know the cursor's revision (its data is from a backup): start with all objects as they are there.

        Equal revisions then say nothing about equal objects, so all that are still there come as MODIFIED.
        """
        self._listing = True
        self.revision = self._complete_revision = 0
        self.known = dict.fromkeys(self.known, -1)

    def receive(self, events: list[WatchEvent]) -> list[WatchEvent]:
        """Take what a stream said, in order, and return what is new of it."""
        changes: list[WatchEvent] = []
        known, add, newest = self.known, changes.append, 0
        for event in events:
            type_, _, key, revision = event
            if type_ == BOOKMARK:
                self._advance(newest)
                self._bookmark(event, changes)
                continue
            if revision > newest:
                newest = revision
            if type_ == DELETED:
                self._deleted(event, changes)
                continue
            if self._listing:
                self._listed.add(key)
            old = known.get(key)
            if old != revision:
                present = ADDED if old is None else MODIFIED
                add(event if type_ == present else event._replace(type=present))
                known[key] = revision
        self._advance(newest)
        return changes

    def _deleted(self, event: WatchEvent, changes: list[WatchEvent]) -> None:
        if self._listing:
            self._listed.discard(event.key)
        if self.known.pop(event.key, None) is not None:
            changes.append(event)

    def _bookmark(self, event: WatchEvent, changes: list[WatchEvent]) -> None:
        if self._listing:
            if not ends_initial_events(event.raw):
                return
            gone = [key for key in self.known if key not in self._listed]
            for key in gone:
                del self.known[key]
                changes.append(WatchEvent(DELETED, b"", key, event.revision))
            self._listing, self._listed = False, set()
            self.has_synced = True
        self.revision = max(self.revision, event.revision)
        self._complete_revision = max(self._complete_revision, event.revision)

    def _advance(self, revision: int) -> None:
        self.revision = max(self.revision, revision)
        if not self._listing:
            self._complete_revision = max(self._complete_revision, revision - 1)
