"""Typed calls about one resource."""

import pytest

from kcore.api.apps.v1.deployment_pb2 import Deployment
from kcore.api.core.v1.pod_pb2 import Pod
from kcore.machinery import status
from kcore.machinery.status import StatusError
from tests.unit.client.virtual import pod, run


def test_an_object_is_created_read_updated_and_deleted():
    async def test(world):
        pods = world.client.pods
        made = await pods.create(pod("a"))
        assert made.metadata.uid
        assert (await pods.get("a", namespace="default")) == made
        made.metadata.labels["app"] = "x"
        changed = await pods.update(made)
        assert int(changed.metadata.resourceVersion) > int(made.metadata.resourceVersion)
        await pods.delete("a", namespace="default")
        with pytest.raises(StatusError) as error:
            await pods.get("a", namespace="default")
        assert error.value.reason == "NotFound"

    run(test)


def test_status_and_the_rest_are_written_apart():
    async def test(world):
        made = await world.client.pods.create(pod("a"))
        made.status.phase, made.metadata.labels["app"] = "Running", "x"
        made = await world.client.pods.update_status(made)
        assert made.status.phase == "Running"
        assert "app" not in made.metadata.labels

    run(test)


def test_a_stale_update_is_a_conflict_and_modify_gets_around_it():
    async def test(world):
        pods = world.client.pods
        stale = await pods.create(pod("a"))
        await pods.update_status(_running(stale))
        stale.metadata.labels["app"] = "x"
        with pytest.raises(StatusError) as error:
            await pods.update(stale)
        assert error.value.reason == "Conflict"
        world.transport.fail("update", status.conflict("pods", "", "a"), times=2)
        done = await pods.modify("a", lambda found: found.metadata.labels.update(app="x"), namespace="default")
        assert done.metadata.labels["app"] == "x"

    run(test)


def _running(found: Pod) -> Pod:
    copied = Pod()
    copied.CopyFrom(found)
    copied.status.phase = "Running"
    return copied


def test_pages_follow_each_other_and_a_list_has_them_all():
    async def test(world):
        for number in range(7):
            await world.client.pods.create(pod(f"p{number}"))
        sizes = [len(page.items) async for page in world.client.pods.pages(namespace="default", limit=3)]
        assert sizes == [3, 3, 1]
        found = await world.client.pods.list()
        assert [item.metadata.name for item in found.items] == [f"p{number}" for number in range(7)]
        assert found.resource_version == "7"

    run(test)


def test_a_list_whose_revision_was_compacted_starts_anew():
    async def test(world):
        await world.client.pods.create(pod("a"))
        world.transport.fail("list", status.expired("compacted"))
        assert len((await world.client.pods.list()).items) == 1

    run(test)


def test_selectors_choose_objects_by_label_field_and_namespace():
    async def test(world):
        await world.client.pods.create(pod("a", app="x"))
        await world.client.pods.create(pod("b", node="n1"))
        await world.client.pods.create(pod("c", namespace="other"))
        by_label = await world.client.pods.list(label_selector="app=x")
        by_field = await world.client.pods.list(field_selector="spec.nodeName=n1")
        in_other = await world.client.pods.list(namespace="other")
        assert [found.items[0].metadata.name for found in (by_label, by_field, in_other)] == ["a", "b", "c"]

    run(test)


def test_a_watch_gives_typed_changes_until_it_is_left():
    async def test(world):
        await world.client.pods.create(pod("a"))
        async with world.client.pods.watch(namespace="default") as changes:
            first = await anext(changes)
            await world.client.pods.delete("a", namespace="default")
            others = [await anext(changes) for _ in range(2)]
        assert [c.type for c in (first, *others)] == ["ADDED", "MODIFIED", "DELETED"]
        assert {c.object_.metadata.name for c in (first, *others)} == {"a"}

    run(test)


def test_binding_eviction_and_scale_are_calls_of_their_own():
    async def test(world):
        client = world.client
        await client.pods.create(pod("a"))
        await client.pods.bind("a", "n1", namespace="default")
        assert (await client.pods.get("a", namespace="default")).spec.nodeName == "n1"
        with pytest.raises(StatusError, match="already assigned"):
            await client.pods.bind("a", "n2", namespace="default")
        await client.pods.evict("a", namespace="default", grace_period_seconds=0)
        assert not (await client.pods.list()).items

        web = Deployment()
        web.metadata.name, web.metadata.namespace, web.spec.replicas = "web", "default", 1
        await client.of(Deployment).create(web)
        scale = await client.deployments.update_scale("web", 3, namespace="default")
        assert scale.spec.replicas == 3
        assert (await client.deployments.get_scale("web", namespace="default")).spec.replicas == 3

    run(test)


def test_a_merge_patch_changes_what_it_names():
    async def test(world):
        await world.client.pods.create(pod("a", app="x", tier="y"))
        patch = {"metadata": {"labels": {"app": "z", "tier": None}}}
        done = await world.client.pods.patch("a", patch, namespace="default")
        assert dict(done.metadata.labels) == {"app": "z"}

    run(test)


def test_an_eviction_that_is_refused_is_not_tried_again():
    async def test(world):
        await world.client.pods.create(pod("a"))
        world.transport.fail("create", status.too_many_requests("budget", 10))
        with pytest.raises(StatusError, match="budget"):
            await world.client.pods.evict("a", namespace="default")
        assert world.clock.monotonic() == 0

    run(test)


def test_the_field_manager_of_a_client_goes_along():
    async def test(world):
        world.client._caller.field_manager = "me"
        assert world.client._caller.write_options(dry_run=True).field_manager == "me"

    run(test)


def test_an_unknown_resource_is_an_attribute_error():
    async def test(world):
        with pytest.raises(AttributeError):
            _ = world.client.nothings

    run(test)
