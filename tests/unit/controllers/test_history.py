"""ControllerRevisions: their data, names, numbers, and which are dropped."""

import json
from functools import partial
from typing import Any

from kcore.api.meta.v1 import meta_pb2
from kcore.base import virtual_loop
from kcore.base.clock import VirtualClock
from kcore.base.entropy import SeededEntropy
from kcore.client.client import Client
from kcore.client.recorder import EventRecorder
from kcore.controllers import history
from kcore.controllers.deployment import DEPLOYMENTS
from kcore.testing.fake_server import FakeServer
from kcore.testing.fake_transport import FakeTransport
from tests.property.controllers.world import copy, deployment

LABEL = "controller-revision-hash"


def owner(image: str = "web:1") -> Any:
    found = deployment("web", 1)
    found.metadata.namespace, found.metadata.uid = "default", "u"
    found.metadata.annotations["team"] = "red"
    found.spec.template.spec.containers[0].image = image
    return found


def revision(image: str = "web:1", number: int = 1, collisions: int = 0) -> Any:
    return history.new_revision(owner(image), DEPLOYMENTS, LABEL, number, collisions)


def test_a_revision_keeps_the_template_as_a_patch_and_gives_it_back() -> None:
    found = revision()
    assert json.loads(found.data.raw)["spec"]["template"]["$patch"] == "replace"
    assert history.data_of(history.template_of(found)) == history.data_of(owner().spec.template)


def test_a_revision_is_found_by_the_owners_selector_and_names_its_controller() -> None:
    found = revision()
    assert dict(found.metadata.labels) == {"app": "web", LABEL: found.metadata.name.removeprefix("web-")}
    assert dict(found.metadata.annotations) == {"team": "red"}
    assert [(reference.uid, reference.controller) for reference in found.metadata.ownerReferences] == [("u", True)]


def test_the_name_follows_from_template_and_collision_count_alone() -> None:
    assert revision(number=1).metadata.name == revision(number=7).metadata.name
    names = {revision().metadata.name, revision("web:2").metadata.name, revision(collisions=1).metadata.name}
    assert len(names) == 3


def test_a_long_name_is_cut_so_that_the_hash_fits() -> None:
    long = owner()
    long.metadata.name = "w" * 253
    assert len(history.new_revision(long, DEPLOYMENTS, LABEL, 1, 0).metadata.name) == 234


def test_the_order_of_keys_makes_no_difference() -> None:
    found = copy(revision())
    value = json.loads(found.data.raw)
    value["spec"]["template"] = dict(reversed(value["spec"]["template"].items()))
    found.data.raw = json.dumps(value).encode()
    assert found.data.raw != revision().data.raw and history.has_data(found, revision().data.raw)
    assert not history.has_data(found, revision("web:2").data.raw)


def test_equal_revisions_come_in_the_order_of_their_numbers() -> None:
    found = history.with_data([revision(number=3), revision("web:2", 2), revision(number=1)], revision().data.raw)
    assert [one.revision for one in found] == [1, 3]
    assert history.next_number(found) == 4
    assert history.next_number([]) == 1
    assert history.renumber(found[0], 9).object.revision == 9 and found[0].revision == 1


def test_unused_revisions_beyond_the_limit_go_oldest_first() -> None:
    all_ = [revision(f"web:{number}", number) for number in (4, 2, 1, 3)]
    assert [found.revision for found in history.beyond(all_, 2, lambda found: found.revision == 1)] == [2, 3]
    assert history.beyond(all_, 4, lambda found: False) == []


def test_a_name_that_other_data_has_raises_the_collision_count() -> None:
    clock, entropy = VirtualClock(), SeededEntropy(7)
    server = FakeServer(clock, entropy)
    client = Client(FakeTransport(server), clock=clock, entropy=entropy)

    async def story() -> None:
        create = partial(history.create, client, EventRecorder(client, "test"), lambda collisions: revision(collisions=collisions))
        first, collisions = await create(0)
        again, still = await create(0)
        assert (collisions, still, again.metadata.uid) == (0, 0, first.metadata.uid)
        server.delete(history.REVISIONS, "default", first.metadata.name, meta_pb2.DeleteOptions())
        foreign = revision()
        foreign.data.raw = b"{}"
        server.create(history.REVISIONS, foreign)
        other, collisions = await create(0)
        assert (collisions, other.metadata.name) == (1, revision(collisions=1).metadata.name)

    virtual_loop.run(story(), clock)
