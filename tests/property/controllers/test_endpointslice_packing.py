"""However pods come, go and change, slices hold each of them once, none holds too many, and one change is one write."""

from hypothesis import given
from hypothesis import strategies as st

from kcore.api.core.v1.pod_pb2 import Pod
from kcore.api.core.v1.service_pb2 import Service
from kcore.controllers import endpointslice
from kcore.controllers.actions import Create, Delete, Update
from kcore.controllers.endpointslice import ENDPOINTS_MAX

NODES = {"n1": "za", "n2": ""}
STEPS = st.lists(
    st.tuples(st.sampled_from(["come", "go", "flip"]), st.integers(1, 150), st.randoms(use_true_random=False)), min_size=1, max_size=12
)


class World:
    """A service, its pods and slices."""

    def __init__(self):
        self.service = Service()
        self.service.metadata.name, self.service.metadata.namespace, self.service.metadata.uid = "web", "default", "uid-web"
        self.service.spec.selector["app"] = "web"
        self.service.spec.ports.add(name="http", port=80, protocol="TCP").targetPort.intVal = 8080
        self.pods, self.slices, self.made = {}, {}, 0

    def come(self, count, chance):
        for _ in range(count):
            self.made += 1
            pod = Pod()
            pod.metadata.name = pod.metadata.uid = f"p{self.made:05}"
            pod.metadata.namespace, pod.spec.nodeName = "default", chance.choice(sorted(NODES))
            pod.status.podIPs.add(ip=f"10.{self.made >> 16}.{self.made >> 8 & 255}.{self.made & 255}")
            pod.status.conditions.add(type="Ready", status="True")
            self.pods[pod.metadata.uid] = pod

    def go(self, count, chance):
        for uid in chance.sample(sorted(self.pods), min(count, len(self.pods))):
            del self.pods[uid]

    def flip(self, count, chance):
        for uid in chance.sample(sorted(self.pods), min(count, len(self.pods))):
            condition = self.pods[uid].status.conditions[0]
            condition.status = "False" if condition.status == "True" else "True"

    def plan(self):
        return endpointslice.plan(self.service, list(self.pods.values()), NODES, list(self.slices.values()))

    def act(self, actions):
        for action in actions:
            match action:
                case Create():
                    self.made += 1
                    action.object.metadata.name = f"web-{self.made:05}"
                    self.slices[action.object.metadata.name] = action.object
                case Update():
                    self.slices[action.object.metadata.name] = action.object
                case Delete():
                    del self.slices[action.name]

    def check(self):
        held = [end.targetRef.uid for each in self.slices.values() for end in each.endpoints]
        assert sorted(held) == sorted(self.pods), "none lost, none twice"
        assert all(len(each.endpoints) <= ENDPOINTS_MAX for each in self.slices.values())
        assert self.slices and (not self.pods or all(each.endpoints for each in self.slices.values()))
        assert self.plan() == [], "nothing is left to do"


@given(STEPS)
def test_each_pod_is_in_one_slice_and_no_slice_is_too_full(steps):
    world = World()
    for deed, count, chance in steps:
        getattr(world, deed)(count, chance)
        world.act(world.plan())
        world.check()


@given(STEPS, st.sampled_from(["come", "go", "flip"]), st.randoms(use_true_random=False))
def test_a_change_of_one_pod_touches_one_slice(steps, deed, chance):
    world = World()
    world.come(1, chance)
    for before, count, own in steps:
        getattr(world, before)(count, own)
        world.act(world.plan())
    if len(world.pods) < 2:
        world.come(2, chance)
        world.act(world.plan())
    getattr(world, deed)(1, chance)
    wanted = world.plan()
    assert len(wanted) == 1
    world.act(wanted)
    world.check()


@given(st.lists(st.integers(1, 40), min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_pods_that_come_bit_by_bit_leave_full_slices(counts, chance):
    world = World()
    for count in counts:
        world.come(count, chance)
        wanted = world.plan()
        assert len(wanted) <= 3, "one is filled, one is made, and at first the empty one goes"
        world.act(wanted)
    assert len(world.slices) == -(-len(world.pods) // ENDPOINTS_MAX)
