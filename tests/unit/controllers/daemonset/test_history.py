"""A DaemonSet's revisions: doubled ones become one, old ones go, a node's pod has another name each time."""

from typing import Any

from kcore.controllers import history
from kcore.controllers.daemonset.pods import DAEMONSETS, REVISION_LABEL
from kcore.controllers.history import REVISIONS
from tests.property.controllers.batch_world import daemonset
from tests.unit.controllers.cluster import PODS, Cluster, run


def images(here: Cluster) -> dict[str, str]:
    return {name: pod.spec.containers[0].image for name, pod in here.all(PODS).items()}


def revise(here: Cluster, image: str) -> None:
    here.change(DAEMONSETS, "default/web", lambda found: setattr(found.spec.template.spec.containers[0], "image", image))


def made(limit: int = 10) -> Any:
    found = daemonset("web")
    found.metadata.namespace, found.spec.revisionHistoryLimit = "default", limit
    return found


def test_doubled_revisions_become_the_one_with_the_highest_number() -> None:
    async def story(here: Cluster) -> None:
        here.node("n1")
        stored = here.server.create(DAEMONSETS, made())
        for number, collisions in ((1, 1), (4, 2)):
            here.server.create(REVISIONS, history.new_revision(stored, DAEMONSETS, REVISION_LABEL, number, collisions))
        await here.start()
        await here.clock.sleep(5)
        (found,) = here.all(REVISIONS).values()
        (pod,) = here.all(PODS).values()
        assert found.revision == 4 and pod.metadata.labels[REVISION_LABEL] == found.metadata.labels[REVISION_LABEL]

    run(story, "daemonset")


def test_pods_of_a_doubled_revision_keep_running_under_the_other() -> None:
    async def story(here: Cluster) -> None:
        here.node("n1")
        stored = here.server.create(DAEMONSETS, made())
        await here.start()
        await here.clock.sleep(5)
        (before,) = here.all(PODS)
        here.server.create(REVISIONS, history.new_revision(stored, DAEMONSETS, REVISION_LABEL, 9, 5))
        await here.clock.sleep(5)
        assert len(here.all(REVISIONS)) == 2, "nobody looks because of a new revision that has its owner"
        here.change(DAEMONSETS, "default/web", lambda daemonset: daemonset.metadata.annotations.update(look="again"))
        await here.clock.sleep(5)
        (found,) = here.all(REVISIONS).values()
        (after,) = here.all(PODS).values()
        assert after.metadata.name == before and after.metadata.labels[REVISION_LABEL] == found.metadata.labels[REVISION_LABEL]
        assert found.revision == 9

    run(story, "daemonset")


def test_unused_revisions_beyond_the_limit_go() -> None:
    async def story(here: Cluster) -> None:
        here.node("n1")
        here.server.create(DAEMONSETS, made(limit=1))
        await here.start()
        for image in ("web:2", "web:3", "web:4"):
            await here.clock.sleep(5)
            revise(here, image)
        await here.clock.sleep(5)
        assert sorted(found.revision for found in here.all(REVISIONS).values()) == [3, 4]
        assert set(images(here).values()) == {"web:4"}

    run(story, "daemonset")


def test_the_next_pod_of_a_node_has_another_name() -> None:
    async def story(here: Cluster) -> None:
        here.node("n1")
        here.server.create(DAEMONSETS, made())
        await here.start()
        names = []
        for _ in range(3):
            await here.clock.sleep(5)
            (name,) = here.all(PODS)
            names.append(name)
            here.delete(PODS, name, "default", grace_s=0)
        assert len(set(names)) == 3

    run(story, "daemonset")
