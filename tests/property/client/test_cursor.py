"""A reflector's cursor against the truth: whatever breaks, repeats or is compacted, what it delivers leads to what is there."""

from hypothesis import given, settings
from hypothesis import strategies as st

from kcore.client.cursor import Cursor
from kcore.client.wire import ADDED, BOOKMARK, DELETED, MODIFIED, WatchEvent

END = b"k8s.io/initial-events-end"

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.lists(st.sampled_from("abcd"), min_size=1, max_size=3, unique=True)),
        st.tuples(st.just("delete"), st.sampled_from("abcd")),
        st.tuples(st.just("read"), st.integers(1, 4)),
        st.tuples(st.just("break"), st.none()),
        st.tuples(st.just("compact"), st.none()),
        st.tuples(st.just("bookmark"), st.none()),
    ),
    max_size=60,
)


class Server:
    """Objects with revisions, a history, and one watch; a write of several keys is one revision."""

    def __init__(self):
        self.revision, self.floor = 0, 0
        self.objects: dict[str, int] = {}
        self.history: list[WatchEvent] = []
        self.unread: list[WatchEvent] = []

    def commit(self, events):
        self.history += events
        self.unread += events

    def write(self, keys):
        self.revision += 1
        events = []
        for key in keys:
            events.append(WatchEvent(MODIFIED if key in self.objects else ADDED, b"x", key, self.revision))
            self.objects[key] = self.revision
        self.commit(events)

    def delete(self, key):
        if key in self.objects:
            self.revision += 1
            del self.objects[key]
            self.commit([WatchEvent(DELETED, b"x", key, self.revision)])

    def open(self, cursor):
        """Open a watch where the cursor is; too old makes it relist."""
        start = cursor.next()
        if not start.send_initial_events:
            if int(start.resource_version) < self.floor:
                cursor.relist()
                start = cursor.next()
            else:
                self.unread = [event for event in self.history if event.revision > int(start.resource_version)]
                return
        assert int(start.resource_version or 0) <= self.revision
        present = [WatchEvent(ADDED, b"x", key, revision) for key, revision in self.objects.items()]
        self.unread = [*present, WatchEvent(BOOKMARK, END, "", self.revision)]


@settings(max_examples=300)
@given(STEPS)
def test_what_is_delivered_leads_to_what_is_there(steps):
    server, cursor = Server(), Cursor()
    known: dict[str, int] = {}
    newest = 0

    def read(count):
        nonlocal newest
        batch, server.unread = server.unread[:count], server.unread[count:]
        for change in cursor.receive(batch):
            if change.type == ADDED:
                assert change.key not in known
                known[change.key] = change.revision
            elif change.type == MODIFIED:
                assert change.revision > known[change.key]
                known[change.key] = change.revision
            else:
                del known[change.key]
        assert cursor.revision >= newest
        newest = cursor.revision

    server.open(cursor)
    for action, argument in steps:
        if action == "write":
            server.write(argument)
        elif action == "delete":
            server.delete(argument)
        elif action == "read":
            read(argument)
        elif action == "break":
            server.open(cursor)
        elif action == "compact":
            server.floor = server.revision
            server.history = []
        elif server.revision:
            server.unread.append(WatchEvent(BOOKMARK, b"", "", server.revision))
    read(len(server.unread))
    assert known == server.objects
    assert cursor.has_synced
