"""Lists at one revision, continuations, selectors; watches from a revision, bookmarks, the end of history."""

from __future__ import annotations

import pytest

from kcore.base import limits
from kcore.machinery.status import StatusError
from tests.unit.apiserver.api import Api, configmap, names_of, pod, reason_of


async def test_pages_of_a_list_show_one_revision_while_writes_go_on(api: Api) -> None:
    for name in "abcde":
        await api.create("configmaps", configmap(name))
    first = await api.list("configmaps", limit=2)
    assert names_of(first) == ["a", "b"]
    assert first["metadata"]["remainingItemCount"] == 3
    await api.create("configmaps", configmap("bb"))
    await api.delete("configmaps", "d")
    second = await api.list("configmaps", limit=2, **{"continue": first["metadata"]["continue"]})
    assert names_of(second) == ["c", "d"]
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    assert second["metadata"]["remainingItemCount"] == 1
    last = await api.list("configmaps", limit=2, **{"continue": second["metadata"]["continue"]})
    assert names_of(last) == ["e"]
    assert "continue" not in last["metadata"]
    assert names_of(await api.list("configmaps")) == ["a", "b", "bb", "c", "e"]


async def test_a_selected_list_says_nothing_of_the_rest(api: Api) -> None:
    for name, label in (("a", "x"), ("b", "y"), ("c", "x")):
        await api.create("configmaps", {"metadata": {"name": name, "labels": {"l": label}}})
    first = await api.list("configmaps", labelSelector="l=x", limit=1)
    assert names_of(first) == ["a"]
    assert "remainingItemCount" not in first["metadata"]
    rest = await api.list("configmaps", labelSelector="l=x", **{"continue": first["metadata"]["continue"]})
    assert names_of(rest) == ["c"]


async def test_an_expired_continuation_offers_to_go_on_inconsistently(api: Api) -> None:
    for name in "abc":
        await api.create("configmaps", configmap(name))
    first = await api.list("configmaps", limit=1)
    await api.create("configmaps", configmap("bb"))
    api.storage.compact(api.storage.revision)
    with pytest.raises(StatusError) as failed:
        await api.list("configmaps", limit=1, **{"continue": first["metadata"]["continue"]})
    assert reason_of(failed.value) == (410, "Expired")
    token = failed.value.status["metadata"]["continue"]
    assert names_of(await api.list("configmaps", **{"continue": token})) == ["b", "bb", "c"]


async def test_an_exact_list_shows_the_past(api: Api) -> None:
    made = await api.create("configmaps", configmap("a"))
    await api.create("configmaps", configmap("b"))
    version = made["metadata"]["resourceVersion"]
    assert names_of(await api.list("configmaps", resourceVersion=version, resourceVersionMatch="Exact")) == ["a"]
    assert names_of(await api.list("configmaps", resourceVersion=version, resourceVersionMatch="NotOlderThan")) == ["a", "b"]
    assert names_of(await api.list("configmaps", resourceVersion="0")) == ["a", "b"]
    api.storage.compact(api.storage.revision)
    with pytest.raises(StatusError) as failed:
        await api.list("configmaps", resourceVersion=version, resourceVersionMatch="Exact")
    assert reason_of(failed.value) == (410, "Expired")


async def test_a_list_of_the_future_waits_a_moment_and_times_out(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TOO_LARGE_REVISION_WAIT_S", 0.01)
    with pytest.raises(StatusError) as failed:
        await api.list("configmaps", resourceVersion="999999")
    assert reason_of(failed.value) == (504, "Timeout")
    assert failed.value.status["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"resourceVersionMatch": "Exact"}, 422),
        ({"resourceVersionMatch": "Exact", "resourceVersion": "0"}, 422),
        ({"resourceVersion": "x"}, 400),
        ({"continue": "bm90anNvbg"}, 400),
        ({"labelSelector": "a b"}, 400),
        ({"fieldSelector": "spec.colour=red"}, 400),
        ({"sendInitialEvents": True}, 422),
    ],
)
async def test_senseless_lists_are_refused(api: Api, options: dict[str, object], code: int) -> None:
    with pytest.raises(StatusError) as failed:
        await api.list("configmaps", **options)
    assert failed.value.code == code


async def test_pods_are_selected_by_labels_and_fields(api: Api) -> None:
    await api.create("pods", {**pod("a", nodeName="n1"), "metadata": {"name": "a", "labels": {"app": "x"}}})
    await api.create("pods", {**pod("b", nodeName="n2"), "metadata": {"name": "b", "labels": {"app": "y"}}})
    assert names_of(await api.list("pods", fieldSelector="spec.nodeName=n1")) == ["a"]
    assert names_of(await api.list("pods", fieldSelector="status.phase!=Pending")) == []
    about = {"regarding": {"namespace": "default"}, "reportingController": "c", "reportingInstance": "i", "action": "a", "reason": "r"}
    about |= {"eventTime": "2026-01-01T00:00:00.000000Z", "type": "Normal"}
    await api.create("events@v1.events.k8s.io", {"metadata": {"name": "e"}, **about})
    assert names_of(await api.list("events@v1", fieldSelector="source=c")) == ["e"]
    assert names_of(await api.list("pods", labelSelector="app in (x,y)", fieldSelector="metadata.name=b")) == ["b"]
    assert names_of(await api.list("pods", labelSelector="!app")) == []


async def test_a_list_over_all_namespaces_is_in_key_order(api: Api) -> None:
    await api.create("namespaces", {"metadata": {"name": "a"}})
    await api.create("configmaps", configmap("z"), namespace="a")
    await api.create("configmaps", configmap("b"))
    assert names_of(await api.list("configmaps", namespace="")) == ["z", "b"]


async def test_a_watch_without_a_revision_begins_with_what_is_there(api: Api) -> None:
    await api.create("configmaps", configmap("a"))
    watch = api.watch("configmaps")
    assert await watch.names(1) == [("ADDED", "a")]
    await api.patch("configmaps", "a", {"data": {"x": "y"}})
    await api.delete("configmaps", "a")
    assert await watch.names(2) == [("MODIFIED", "a"), ("DELETED", "a")]


async def test_a_watch_goes_on_after_a_revision(api: Api) -> None:
    made = await api.create("configmaps", configmap("a"))
    await api.create("configmaps", configmap("b"))
    gone = await api.delete("configmaps", "b")
    watch = api.watch("configmaps", resourceVersion=made["metadata"]["resourceVersion"])
    assert await watch.names(1) == [("ADDED", "b")]
    event_type, obj = await watch.next()
    assert event_type == "DELETED"
    assert obj["metadata"]["resourceVersion"] == str(api.storage.revision) == gone["metadata"]["resourceVersion"]


async def test_initial_events_end_with_a_bookmark(api: Api) -> None:
    await api.create("configmaps", configmap("a"))
    options = {"sendInitialEvents": True, "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": True}
    watch = api.watch("configmaps", **options)
    assert await watch.names(1) == [("ADDED", "a")]
    event_type, mark = await watch.next()
    assert event_type == "BOOKMARK"
    assert mark["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert mark["metadata"]["resourceVersion"] == str(api.storage.revision)
    await api.create("configmaps", configmap("b"))
    assert await watch.names(1) == [("ADDED", "b")]


async def test_an_idle_watch_gets_bookmarks(api: Api) -> None:
    watch = api.watch("configmaps", allowWatchBookmarks=True)
    await api.create("configmaps", configmap("a"))
    assert await watch.names(1) == [("ADDED", "a")]
    await api.create("secrets", {"metadata": {"name": "s"}})
    api.server.hub.tick(api.clock.monotonic() + limits.BOOKMARK_PERIOD_S)
    event_type, mark = await watch.next()
    assert (event_type, mark["metadata"]["resourceVersion"]) == ("BOOKMARK", str(api.storage.revision))


async def test_a_selected_watch_sees_objects_come_and_go(api: Api) -> None:
    await api.create("configmaps", {"metadata": {"name": "c", "labels": {"a": "b"}}, "data": {"v": "1"}})
    watch = api.watch("configmaps", labelSelector="a=b")
    assert await watch.names(1) == [("ADDED", "c")]
    await api.patch("configmaps", "c", {"metadata": {"labels": {"a": "x"}}, "data": {"v": "2"}})
    event_type, obj = await watch.next()
    assert (event_type, obj["data"], obj["metadata"]["resourceVersion"]) == ("DELETED", {"v": "1"}, str(api.storage.revision))
    await api.patch("configmaps", "c", {"metadata": {"labels": {"a": "b"}}})
    assert await watch.names(1) == [("ADDED", "c")]


async def test_a_watch_of_one_namespace_or_name_sees_no_other(api: Api) -> None:
    await api.create("namespaces", {"metadata": {"name": "other"}})
    watch = api.watch("configmaps", fieldSelector="metadata.name=b")
    await api.create("configmaps", configmap("b"), namespace="other")
    await api.create("configmaps", configmap("a"))
    await api.create("configmaps", configmap("b"))
    event_type, obj = await watch.next()
    assert (event_type, obj["metadata"]["namespace"]) == ("ADDED", "default")


async def test_a_watch_of_compacted_history_expires(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WATCH_HISTORY_EVENTS_MAX", 1)
    made = await api.create("configmaps", configmap("a"))
    for name in "bcd":
        await api.create("configmaps", configmap(name))
    watch = api.watch("configmaps", resourceVersion=made["metadata"]["resourceVersion"])
    assert await watch.names(3) == [("ADDED", "b"), ("ADDED", "c"), ("ADDED", "d")]  # memory has forgotten, the store has not
    api.storage.compact(api.storage.revision)
    with pytest.raises(StatusError) as failed:
        await api.watch("configmaps", resourceVersion=made["metadata"]["resourceVersion"]).next()
    assert reason_of(failed.value) == (410, "Expired")
    assert failed.value.grpc_code == "OUT_OF_RANGE"


async def test_a_slow_watcher_is_cut_off(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WATCHER_QUEUE_EVENTS_MAX", 2)
    watch = api.watch("configmaps")
    await api.create("configmaps", configmap("a"))
    assert await watch.names(1) == [("ADDED", "a")]
    for name in "bcde":
        await api.create("configmaps", configmap(name))
    with pytest.raises(StatusError) as failed:
        await watch.next()
    assert reason_of(failed.value) == (410, "Expired")


async def test_watches_ask_for_initial_events_properly(api: Api) -> None:
    with pytest.raises(StatusError) as failed:
        await api.watch("configmaps", sendInitialEvents=True).next()
    assert reason_of(failed.value) == (422, "Invalid")


async def test_a_version_that_no_server_could_reach_is_refused_however_long_it_is(api: Api) -> None:
    for text in (str(1 << 64), "9" * 5000):
        with pytest.raises(StatusError) as failed:
            await api.list("configmaps", resourceVersion=text)
        assert (failed.value.code, failed.value.message.endswith("value out of range")) == (400, True)
    made = await api.create("configmaps", {"metadata": {"name": "c", "resourceVersion": "9" * 5000}}, dryRun=["All"])
    assert "resourceVersion" not in made["metadata"]
