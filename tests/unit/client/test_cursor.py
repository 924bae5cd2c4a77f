"""One sequence out of several streams, case by case."""

from kcore.client.cursor import Cursor, From
from kcore.client.wire import ADDED, BOOKMARK, DELETED, MODIFIED, WatchEvent

END = b"...k8s.io/initial-events-end..."


def added(key, revision):
    return WatchEvent(ADDED, b"+", key, revision)


def modified(key, revision):
    return WatchEvent(MODIFIED, b"~", key, revision)


def deleted(key, revision):
    return WatchEvent(DELETED, b"-", key, revision)


def end(revision):
    return WatchEvent(BOOKMARK, END, "", revision)


def mark(revision):
    return WatchEvent(BOOKMARK, b"", "", revision)


def synced(*objects, revision):
    cursor = Cursor()
    cursor.next()
    cursor.receive([*objects, end(revision)])
    return cursor


def told(changes):
    return [(change.type, change.key, change.revision) for change in changes]


def test_it_starts_with_all_objects_and_has_synced_at_the_bookmark():
    cursor = Cursor()
    assert cursor.next() == From("", True)
    assert told(cursor.receive([added("a", 3)])) == [(ADDED, "a", 3)]
    assert not cursor.has_synced
    assert cursor.receive([end(5)]) == []
    assert cursor.has_synced
    assert cursor.revision == 5


def test_it_resumes_before_the_last_event_and_leaves_out_what_was_seen():
    cursor = synced(added("a", 3), revision=5)
    cursor.receive([modified("a", 7), added("b", 7)])
    assert cursor.next() == From("6", False)
    assert told(cursor.receive([modified("a", 7), added("b", 7), added("c", 7)])) == [(ADDED, "c", 7)]


def test_a_deletion_that_is_repeated_is_left_out():
    cursor = synced(added("a", 3), revision=5)
    assert told(cursor.receive([deleted("a", 6)])) == [(DELETED, "a", 6)]
    assert cursor.receive([deleted("a", 6)]) == []


def test_after_a_bookmark_it_resumes_at_the_bookmark():
    cursor = synced(added("a", 3), revision=5)
    cursor.receive([modified("a", 7), mark(9)])
    assert cursor.next() == From("9", False)


def test_a_relist_shows_as_the_difference():
    cursor = synced(added("a", 3), added("b", 4), added("c", 5), revision=5)
    cursor.relist()
    assert cursor.next() == From("5", True)
    changes = cursor.receive([added("a", 3), added("c", 8), added("d", 9), end(9)])
    assert told(changes) == [(MODIFIED, "c", 8), (ADDED, "d", 9), (DELETED, "b", 9)]
    assert changes[-1].raw == b""


def test_a_relist_that_broke_off_starts_over():
    cursor = synced(added("a", 3), added("b", 4), revision=5)
    cursor.relist()
    cursor.next()
    cursor.receive([added("b", 4)])
    assert cursor.next() == From("5", True)
    assert told(cursor.receive([added("a", 3), end(9)])) == [(DELETED, "b", 9)]


def test_a_relist_that_broke_off_never_accepts_an_older_list():
    cursor = synced(added("a", 3), revision=5)
    cursor.relist()
    cursor.next()
    cursor.receive([modified("a", 12)])
    assert cursor.next() == From("12", True)


def test_types_follow_from_what_is_known():
    cursor = synced(added("a", 3), revision=5)
    assert told(cursor.receive([added("a", 6), modified("b", 7), deleted("x", 8)])) == [(MODIFIED, "a", 6), (ADDED, "b", 7)]


def test_a_server_whose_data_is_from_a_backup_is_read_anew_and_everything_counts_as_changed():
    cursor = synced(added("a", 3), added("b", 4), revision=50)
    cursor.forget()
    assert cursor.next() == From("", True)
    assert told(cursor.receive([added("a", 3), end(10)])) == [(MODIFIED, "a", 3), (DELETED, "b", 10)]
    assert cursor.next() == From("10", False)


def test_changes_among_the_initial_events_count():
    cursor = Cursor()
    cursor.next()
    changes = cursor.receive([added("a", 3), added("b", 4), deleted("a", 6), modified("b", 7), end(7)])
    assert told(changes) == [(ADDED, "a", 3), (ADDED, "b", 4), (DELETED, "a", 6), (MODIFIED, "b", 7)]
