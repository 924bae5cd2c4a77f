"""Hollow nodes against an API server: they register, beat, run pods, end them, and go on after anything that happens to them or to it."""

from collections import Counter

from kcore.agent.podstatus import pull_failure
from kcore.agent.settings import HollowSettings
from kcore.api.core.v1.pod_pb2 import Pod
from kcore.api.meta.v1 import meta_pb2
from kcore.machinery import status
from tests.unit.agent.cluster import LEASES, NODES, PODS, Cluster, run


def test_nodes_are_registered_ready_and_with_their_labels() -> None:
    async def test(cluster: Cluster) -> None:
        await cluster.start(5)
        await cluster.ready()
        nodes = cluster.nodes()
        assert [node.metadata.name for node in nodes] == [f"node-{index}" for index in range(5)]
        assert Counter(node.metadata.labels["topology.kubernetes.io/zone"] for node in nodes) == {"zone-a": 2, "zone-b": 2, "zone-c": 1}
        node = nodes[0]
        assert node.metadata.labels["kubernetes.io/hostname"] == "node-0"
        assert {each.type: each.status for each in node.status.conditions} == {
            "MemoryPressure": "False",
            "DiskPressure": "False",
            "PIDPressure": "False",
            "NetworkUnavailable": "False",
            "Ready": "True",
        }
        assert node.status.allocatable["cpu"].string == "32"
        assert node.status.capacity["pods"].string == "110"
        assert node.status.nodeInfo.kubeletVersion.startswith("v1.37.")
        assert node.spec.podCIDR == node.spec.podCIDRs[0] == "10.128.0.0/29"
        assert len({each.status.addresses[0].address for each in nodes}) == 5

    run(test)


def test_nodes_wait_for_a_controllers_podcidr() -> None:
    async def test(cluster: Cluster) -> None:
        await cluster.start(2, cidrs=(), awaits_cidr=True)
        await cluster.until(lambda: len(cluster.nodes()) == 2)
        await cluster.clock.sleep(1.0)
        assert not cluster.hollow.is_ready
        cluster.create("early", "node-0")
        await cluster.until(lambda: cluster.pod("early").status.HasField("startTime"))
        assert not cluster.pod("early").status.podIP
        for index, node in enumerate(cluster.nodes()):
            node.spec.podCIDR = f"10.9.{index}.0/24"
            node.spec.podCIDRs.append(node.spec.podCIDR)
            cluster.server.update(NODES, node)
        await cluster.ready()
        await cluster.until(lambda: cluster.phase("early") == "Running")
        assert cluster.pod("early").status.podIP == "10.9.0.2"

    run(test)


def test_a_tainted_node_is_not_ready_until_a_controller_says_so() -> None:
    async def test(cluster: Cluster) -> None:
        await cluster.start(1, cidrs=(), awaits_cidr=True)
        await cluster.until(lambda: len(cluster.nodes()) == 1)
        (node,) = cluster.nodes()
        node.spec.podCIDR = "10.9.0.0/24"
        node.spec.podCIDRs.append("10.9.0.0/24")
        node.spec.taints.add(key="node.kubernetes.io/not-ready", effect="NoSchedule")
        node = cluster.server.update(NODES, node)
        await cluster.clock.sleep(1.0)
        assert not cluster.hollow.is_ready
        del node.spec.taints[:]
        cluster.server.update(NODES, node)
        await cluster.ready()

    run(test)


def test_nodes_without_controllers_take_their_own_taint_off() -> None:
    async def test(cluster: Cluster) -> None:
        await cluster.start(2)
        await cluster.ready()
        node = cluster.nodes()[0]
        node.spec.taints.add(key="node.kubernetes.io/not-ready", effect="NoSchedule")
        node.spec.taints.add(key="example.com/other", effect="NoSchedule")
        cluster.server.update(NODES, node)
        await cluster.until(lambda: [each.key for each in cluster.nodes()[0].spec.taints] == ["example.com/other"])

    run(test)


def test_leases_are_renewed_in_few_writes() -> None:
    async def test(cluster: Cluster) -> None:
        await cluster.start(200)
        await cluster.ready()
        await cluster.until(lambda: len(cluster.leases()) == 200)
        await cluster.clock.sleep(60.0)
        now_s = cluster.clock.now()
        for lease in cluster.leases():
            age_s = now_s - lease.spec.renewTime.seconds
            assert age_s <= 16.0
            assert lease.spec.holderIdentity == lease.metadata.name
            assert lease.spec.leaseDurationSeconds == 40
            assert lease.metadata.ownerReferences[0].kind == "Node"
        renewals = [call for call in cluster.transport.calls if call.resource == "leases" and call.verb == "update"]
        assert 1000 <= len(renewals) <= 1300

    run(test)


def test_a_lost_lease_is_made_again() -> None:
    async def test(cluster: Cluster) -> None:
        await cluster.start(2)
        await cluster.ready()
        await cluster.until(lambda: len(cluster.leases()) == 2)
        cluster.server.delete(LEASES, "kube-node-lease", "node-1", meta_pb2.DeleteOptions())
        await cluster.until(lambda: len(cluster.leases()) == 2)
        stolen = cluster.leases()[0]
        stolen.spec.holderIdentity = "thief"
        cluster.server.update(LEASES, stolen)
        await cluster.until(lambda: cluster.leases()[0].spec.holderIdentity == "node-0")

    run(test)


def test_nodes_report_every_five_minutes() -> None:
    async def test(cluster: Cluster) -> None:
        await cluster.start(3)
        await cluster.ready()
        await cluster.clock.sleep(700.0)
        for node in cluster.nodes():
            ready = next(each for each in node.status.conditions if each.type == "Ready")
            assert cluster.clock.now() - ready.lastHeartbeatTime.seconds <= 306
            assert cluster.clock.now() - ready.lastTransitionTime.seconds >= 700

    run(test)


def test_a_node_that_is_said_to_be_lost_reports_at_once() -> None:
    async def test(cluster: Cluster) -> None:
        await cluster.start(1)
        await cluster.ready()
        (node,) = cluster.nodes()
        next(each for each in node.status.conditions if each.type == "Ready").status = "Unknown"
        cluster.server.update(NODES, node, "status")
        await cluster.until(lambda: all(each.status != "Unknown" for each in cluster.nodes()[0].status.conditions), 2.0)

    run(test)


def test_a_node_that_somebody_deletes_stays_away() -> None:
    async def test(cluster: Cluster) -> None:
        await cluster.start(2)
        await cluster.ready()
        cluster.server.delete(NODES, "", "node-1", meta_pb2.DeleteOptions())
        await cluster.clock.sleep(700.0)
        assert [node.metadata.name for node in cluster.nodes()] == ["node-0"]

    run(test)


def test_a_pod_runs_with_an_address_after_one_write() -> None:
    async def test(cluster: Cluster) -> None:
        await cluster.start()
        await cluster.ready()
        cluster.create("web", "node-1")
        await cluster.until(lambda: cluster.phase("web") == "Running")
        await cluster.clock.sleep(5.0)
        found = cluster.pod("web").status
        assert found.podIP == "10.128.0.10"
        assert found.hostIP == cluster.nodes()[1].status.addresses[0].address
        assert cluster.writes("web") == [("update", "status")]

    run(test)


def test_pods_of_other_nodes_are_left_alone() -> None:
    async def test(cluster: Cluster) -> None:
        await cluster.start()
        await cluster.ready()
        cluster.create("foreign", "real-node")
        await cluster.clock.sleep(5.0)
        assert cluster.phase("foreign") == "Pending"

    run(test)


def test_a_host_network_pod_has_the_nodes_address() -> None:
    async def test(cluster: Cluster) -> None:
        await cluster.start()
        await cluster.ready()
        cluster.create("host", change=lambda pod: setattr(pod.spec, "hostNetwork", True))
        await cluster.until(lambda: cluster.phase("host") == "Running")
        assert cluster.pod("host").status.podIP == cluster.pod("host").status.hostIP == "172.16.0.2"

    run(test)


def test_a_deleted_pod_is_gone_within_a_second_after_its_final_status() -> None:
    async def test(cluster: Cluster) -> None:
        await cluster.start()
        await cluster.ready()
        cluster.create("web")
        await cluster.until(lambda: cluster.phase("web") == "Running")
        cluster.delete("web")
        await cluster.until(lambda: cluster.phase("web") == "gone", 1.0)
        assert cluster.writes("web")[-2:] == [("update", "status"), ("delete", "")]
        final = [mutation.new for mutation in cluster.server.history if mutation.key == "default/web"][-2]
        assert final.status.phase == "Failed"
        assert final.status.containerStatuses[0].state.terminated.exitCode == 143

    run(test)


def test_termination_takes_the_time_that_is_set() -> None:
    async def test(cluster: Cluster) -> None:
        await cluster.start(settings=HollowSettings(termination_s=20.0))
        await cluster.ready()
        cluster.create("slow")
        cluster.create("short")
        await cluster.until(lambda: cluster.phase("slow") == cluster.phase("short") == "Running")
        cluster.delete("slow", 30)
        cluster.delete("short", 3)
        await cluster.clock.sleep(4.0)
        assert (cluster.phase("slow"), cluster.phase("short")) == ("Running", "gone")
        await cluster.clock.sleep(17.0)
        assert cluster.phase("slow") == "gone"

    run(test)


def test_a_finalizer_keeps_the_final_status_and_one_deletion() -> None:
    async def test(cluster: Cluster) -> None:
        await cluster.start()
        await cluster.ready()
        cluster.create("held", change=lambda pod: pod.metadata.finalizers.append("example.com/hold"))
        await cluster.until(lambda: cluster.phase("held") == "Running")
        cluster.delete("held")
        await cluster.until(lambda: cluster.phase("held") == "Failed", 1.0)
        await cluster.clock.sleep(30.0)
        assert cluster.writes("held").count(("delete", "")) == 1
        pod = cluster.pod("held")
        del pod.metadata.finalizers[:]
        cluster.server.update(PODS, pod)
        assert cluster.phase("held") == "gone"

    run(test)


def test_pods_of_a_job_succeed_after_a_second() -> None:
    async def test(cluster: Cluster) -> None:
        def owned(pod: Pod) -> None:
            pod.spec.restartPolicy = "Never"
            pod.metadata.ownerReferences.add(kind="Job", name="j", controller=True)

        await cluster.start()
        await cluster.ready()
        cluster.create("task", change=owned)
        await cluster.until(lambda: cluster.phase("task") == "Running", 0.5)
        await cluster.until(lambda: cluster.phase("task") == "Succeeded", 1.2)
        assert cluster.writes("task") == [("update", "status")] * 2

    run(test)


def test_exhausted_addresses_are_told_on_the_pod_and_given_when_released() -> None:
    async def test(cluster: Cluster) -> None:
        await cluster.start(1)
        await cluster.ready()
        for number in range(7):
            cluster.create(f"web-{number}")
        await cluster.until(lambda: sum(pod.status.phase == "Running" for pod in cluster.pods()) == 5)
        await cluster.until(lambda: len(cluster.events()) == 2)
        event = cluster.events()[0]
        assert (event.reason, event.type, event.involvedObject.name) == ("FailedCreatePodSandBox", "Warning", "web-5")
        assert event.message.endswith("no IP addresses available in range 10.128.0.2-10.128.0.6 of pod CIDR 10.128.0.0/29")
        assert cluster.pod("web-5").status.containerStatuses[0].state.waiting.reason == "ContainerCreating"
        cluster.delete("web-2")
        await cluster.until(lambda: cluster.phase("web-5") == "Running", 1.0)
        assert cluster.phase("web-6") == "Pending"
        assert cluster.pod("web-5").status.podIP == "10.128.0.4"

    run(test)


def test_a_finished_pod_gives_its_address_back() -> None:
    async def test(cluster: Cluster) -> None:
        await cluster.start(1)
        await cluster.ready()
        for number in range(6):
            cluster.create(f"task-{number}", change=lambda pod: setattr(pod.spec, "restartPolicy", "Never"), exit_after="30")
        await cluster.until(lambda: sum(pod.status.phase == "Succeeded" for pod in cluster.pods()) == 6, 120.0)

    run(test)


def test_labels_that_others_write_at_the_same_time_are_kept() -> None:
    async def test(cluster: Cluster) -> None:
        await cluster.start()
        await cluster.ready()
        for number in range(20):
            pod = cluster.create(f"web-{number}", f"node-{number % 3}")
            pod.metadata.labels["late"] = "yes"
            await cluster.clock.sleep(0.0001 * number)
            pod.metadata.ClearField("resourceVersion")
            cluster.server.update(PODS, pod)
        await cluster.until(lambda: sum(pod.status.phase == "Running" for pod in cluster.pods()) == 15)
        assert all(pod.metadata.labels["late"] == "yes" for pod in cluster.pods())

    run(test)


def test_a_status_that_somebody_spoils_is_put_right() -> None:
    async def test(cluster: Cluster) -> None:
        await cluster.start()
        await cluster.ready()
        cluster.create("web")
        await cluster.until(lambda: cluster.phase("web") == "Running")
        pod = cluster.pod("web")
        next(each for each in pod.status.conditions if each.type == "Ready").status = "False"
        cluster.server.update(PODS, pod, "status")
        await cluster.until(lambda: all(each.status == "True" for each in cluster.pod("web").status.conditions), 1.0)

    run(test)


def test_a_resize_shows_in_the_status() -> None:
    async def test(cluster: Cluster) -> None:
        await cluster.start()
        await cluster.ready()
        cluster.create("web")
        await cluster.until(lambda: cluster.phase("web") == "Running")
        pod = cluster.pod("web")
        pod.spec.containers[0].resources.requests["cpu"].string = "2"
        cluster.server.update(PODS, pod, "resize")
        await cluster.until(lambda: cluster.pod("web").status.containerStatuses[0].allocatedResources["cpu"].string == "2", 1.0)
        assert cluster.pod("web").status.observedGeneration == 2

    run(test)


def test_a_new_process_takes_over_nodes_pods_and_addresses() -> None:
    async def test(cluster: Cluster) -> None:
        await cluster.start(2)
        await cluster.ready()
        for number in range(4):
            cluster.create(f"web-{number}", f"node-{number % 2}")
        await cluster.until(lambda: sum(pod.status.phase == "Running" for pod in cluster.pods()) == 4)
        before = {pod.metadata.name: pod.status.podIP for pod in cluster.pods()}
        await cluster.kill()
        cluster.delete("web-3")
        cluster.create("new", "node-0")
        await cluster.clock.sleep(3.0)
        await cluster.start(2)
        await cluster.ready()
        await cluster.until(lambda: cluster.phase("new") == "Running" and cluster.phase("web-3") == "gone")
        after = {pod.metadata.name: pod.status.podIP for pod in cluster.pods()}
        assert after == {name: ip for name, ip in before.items() if name != "web-3"} | {"new": "10.128.0.4"}
        assert cluster.writes("web-0") == [], "what was right is not written again"

    run(test)


def test_an_api_server_that_was_away_is_caught_up_with() -> None:
    async def test(cluster: Cluster) -> None:
        await cluster.start()
        await cluster.ready()
        cluster.create("before")
        await cluster.until(lambda: cluster.phase("before") == "Running")
        cluster.transport.go_down()
        cluster.create("during")
        cluster.delete("before")
        await cluster.clock.sleep(30.0)
        cluster.transport.come_up()
        await cluster.until(lambda: cluster.phase("during") == "Running" and cluster.phase("before") == "gone", 20.0)
        await cluster.clock.sleep(20.0)
        assert all(cluster.clock.now() - lease.spec.renewTime.seconds <= 16 for lease in cluster.leases())

    run(test)


def test_writes_that_are_lost_or_refused_are_repeated() -> None:
    async def test(cluster: Cluster) -> None:
        await cluster.start()
        await cluster.ready()
        cluster.transport.fail("bulk", status.service_unavailable("lost"), times=2, after=True)
        cluster.transport.fail("update", status.too_many_requests("later"), resource="pods", times=3)
        cluster.transport.fail("update", status.internal("broken"), resource="pods", times=2)
        for number in range(5):
            cluster.create(f"web-{number}")
        await cluster.until(lambda: sum(pod.status.phase == "Running" for pod in cluster.pods()) == 5)
        cluster.transport.fail("delete", status.service_unavailable("later"), resource="pods", times=2)
        cluster.delete("web-0")
        await cluster.until(lambda: cluster.phase("web-0") == "gone")

    run(test)


def test_a_pod_of_the_same_name_is_another_pod() -> None:
    async def test(cluster: Cluster) -> None:
        await cluster.start(1)
        await cluster.ready()
        cluster.create("web", change=lambda pod: pod.metadata.finalizers.append("x"))
        await cluster.until(lambda: cluster.phase("web") == "Running")
        first = cluster.pod("web")
        cluster.transport.go_down()
        pod = cluster.pod("web")
        del pod.metadata.finalizers[:]
        cluster.server.update(PODS, pod)
        cluster.delete("web", 0)
        cluster.create("web")
        cluster.server.compact()
        cluster.transport.come_up()
        await cluster.until(lambda: cluster.phase("web") == "Running")
        assert cluster.pod("web").metadata.uid != first.metadata.uid
        assert cluster.pod("web").status.podIP != first.status.podIP

    run(test)


def test_failed_pulls_and_crashes_are_told_in_events() -> None:
    async def test(cluster: Cluster) -> None:
        await cluster.start()
        await cluster.ready()
        cluster.create("bad", change=lambda pod: setattr(pod.spec.containers[0], "image", "webserver:404"))
        cluster.create("crash", exit_after="1", exit_code="1")
        await cluster.clock.sleep(5.0)
        told = {(event.involvedObject.name, event.type, event.reason, event.message) for event in cluster.events()}
        uid = cluster.pod("crash").metadata.uid
        assert told == {
            ("bad", "Warning", "Failed", f'Failed to pull image "webserver:404": {pull_failure("webserver:404")}'),
            ("bad", "Warning", "Failed", "Error: ErrImagePull"),
            ("bad", "Normal", "BackOff", 'Back-off pulling image "webserver:404"'),
            ("bad", "Warning", "Failed", "Error: ImagePullBackOff"),
            ("crash", "Warning", "BackOff", f"Back-off restarting failed container main in pod crash_default({uid})"),
        }
        assert cluster.events()[0].source.component == "kubelet"

    run(test)


def test_a_clock_that_jumps_moves_no_timer() -> None:
    async def test(cluster: Cluster) -> None:
        await cluster.start()
        await cluster.ready()
        cluster.create("task", change=lambda pod: setattr(pod.spec, "restartPolicy", "Never"), exit_after="10")
        await cluster.until(lambda: cluster.phase("task") == "Running")
        cluster.clock.jump(-86_400.0)
        await cluster.clock.sleep(9.0)
        assert cluster.phase("task") == "Running"
        cluster.clock.jump(2 * 86_400.0)
        await cluster.until(lambda: cluster.phase("task") == "Succeeded", 2.0)

    run(test)


def test_a_crash_looping_pod_goes_on_after_a_restart() -> None:
    async def test(cluster: Cluster) -> None:
        await cluster.start()
        await cluster.ready()
        cluster.create("crash", exit_after="1", exit_code="1")
        await cluster.until(lambda: cluster.phase("crash") == "Running")
        await cluster.until(lambda: cluster.pod("crash").status.containerStatuses[0].state.waiting.reason == "CrashLoopBackOff")
        await cluster.kill()
        await cluster.clock.sleep(2.0)
        await cluster.start()
        await cluster.until(lambda: cluster.pod("crash").status.containerStatuses[0].restartCount == 2, 12.0)
        assert cluster.pod("crash").status.podIP == "10.128.0.2"

    run(test)


def test_five_hundred_pods_take_few_requests() -> None:
    async def test(cluster: Cluster) -> None:
        await cluster.start(200)
        await cluster.ready()

        def create_all() -> None:
            for number in range(500):
                cluster.create(f"web-{number}", f"node-{number % 200}")

        cluster.server.commit(create_all)
        await cluster.until(lambda: sum(pod.status.phase == "Running" for pod in cluster.pods()) == 500)
        assert len({pod.status.podIP for pod in cluster.pods()}) == 500
        writes = [call for call in cluster.transport.calls if call.resource == "pods" and call.subresource == "status"]
        assert len(writes) == 500

    run(test)
