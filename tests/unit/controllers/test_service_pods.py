"""Which pods a service has, and what it finds in them."""

import pytest

from kcore.api.core.v1.pod_pb2 import Pod
from kcore.api.core.v1.service_pb2 import Service
from kcore.controllers import service_pods


class Services:
    """A lister of services that counts how often it is asked."""

    def __init__(self, *services):
        self.services, self.asked = services, 0

    def by_any(self, index, values):
        self.asked += 1
        return [each for value in values for each in self.services if value in service_pods.selector_values(each)]


def service(**selector):
    found = Service()
    found.metadata.name, found.metadata.namespace = "web", "default"
    found.spec.selector.update(selector)
    return found


def pod(**labels):
    found = Pod()
    found.metadata.name, found.metadata.namespace = "p", "default"
    found.metadata.labels.update(labels)
    return found


def test_a_pod_that_changes_what_is_told_of_it_leads_to_its_services():
    services = Services(service(app="web", tier="front"))
    old, new = pod(app="web", tier="front"), pod(app="web", tier="front")
    assert list(service_pods.keys_of_pod(None, new, services)) == ["default/web"]
    assert list(service_pods.keys_of_pod(old, None, services)) == ["default/web"]
    assert list(service_pods.keys_of_pod(old, new, services)) == []
    new.status.podIP = "10.0.0.1"
    assert list(service_pods.keys_of_pod(old, new, services)) == ["default/web"]
    assert list(service_pods.keys_of_pod(old, pod(app="web"), services)) == ["default/web"], "the service that it leaves"
    assert list(service_pods.keys_of_pod(pod(app="web"), old, services)) == ["default/web"], "the service that it comes to"
    assert list(service_pods.keys_of_pod(None, pod(app="web"), services)) == []


@pytest.mark.parametrize(
    ("target", "number"),
    [({"intVal": 8080}, 8080), ({}, 80), ({"type": 1, "strVal": "web"}, 8000), ({"type": 1, "strVal": "side"}, 9000)],
)
def test_a_target_port_is_a_number_or_the_name_of_a_port_of_a_container(target, number):
    found, asked = pod(), service().spec.ports.add(port=80, protocol="TCP")
    container = found.spec.containers.add()
    container.ports.add(name="web", containerPort=53, protocol="UDP")
    container.ports.add(name="web", containerPort=8000, protocol="TCP")
    found.spec.initContainers.add().ports.add(name="side", containerPort=1)
    found.spec.initContainers.add(restartPolicy="Always").ports.add(name="side", containerPort=9000)
    for field, value in target.items():
        setattr(asked.targetPort, field, value)
    assert service_pods.target_port(asked, found) == number


def test_a_name_that_no_container_has_means_no_port():
    asked = service().spec.ports.add(port=80)
    asked.targetPort.type, asked.targetPort.strVal = 1, "other"
    assert service_pods.target_port(asked, pod()) is None


def test_a_pod_has_a_name_in_the_service_of_its_subdomain_only():
    found = pod()
    found.spec.hostname, found.spec.subdomain = "alpha", "web"
    assert service_pods.hostname_in(service(), found) == "alpha"
    found.spec.subdomain = "other"
    assert service_pods.hostname_in(service(), found) == ""


def test_addresses_are_told_by_family():
    found, asked = pod(), service()
    found.status.podIP = "10.0.0.1"
    assert service_pods.addresses_of(found, "IPv4") == ["10.0.0.1"], "a status of an older form"
    for ip in ("10.0.0.1", "fd00::1"):
        found.status.podIPs.add(ip=ip)
    assert (service_pods.addresses_of(found, "IPv4"), service_pods.addresses_of(found, "IPv6")) == (["10.0.0.1"], ["fd00::1"])
    assert service_pods.family_of(asked, found) == "IPv4"
    asked.spec.clusterIP = "fd01::1"
    assert service_pods.family_of(asked, found) == "IPv6"
    asked.spec.ipFamilies.append("IPv4")
    assert service_pods.family_of(asked, found) == "IPv4"
