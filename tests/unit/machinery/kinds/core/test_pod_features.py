"""Fields whose feature is off are dropped, unless the stored pod has them."""

from __future__ import annotations

import copy

from kcore.machinery.kinds.core.pod_features import GENERIC_WORKLOAD, drop_disabled
from tests.unit.machinery.kinds.core.pods import Object

FULL: Object = {
    "schedulingGroup": {"podGroupName": "g"}, "evictionResponders": [{"name": "r"}],
    "containers": [{
        "name": "c", "volumeMounts": [{"name": "v", "bindMountOptions": ["x"]}], "lifecycle": {"stopSignal": "SIGTERM"},
        "livenessProbe": {"httpGet": {"port": 1, "protocol": "HTTP2"}}, "readinessProbe": {"grpc": {"port": 1, "mode": "x"}},
    }],
    "ephemeralContainers": [{"name": "e", "lifecycle": {"preStop": {"httpGet": {"port": 1, "protocol": "x"}}}}],
    "volumes": [
        {"name": "a", "emptyDir": {"mode": 5}}, {"name": "s", "secret": {"defaultUser": 1, "items": [{"key": "k", "user": 1}]}},
        {"name": "p", "projected": {"defaultUser": 1, "sources": [
            {"serviceAccountToken": {"path": "t", "user": 1}}, {"configMap": {"items": [{"key": "k", "user": 1}]}},
        ]}},
    ],
}


def test_fields_of_features_that_are_off_go() -> None:
    spec = copy.deepcopy(FULL)
    drop_disabled(spec)
    assert spec == {
        "containers": [{
            "name": "c", "volumeMounts": [{"name": "v"}], "livenessProbe": {"httpGet": {"port": 1}},
            "readinessProbe": {"grpc": {"port": 1}},
        }],
        "ephemeralContainers": [{"name": "e", "lifecycle": {"preStop": {"httpGet": {"port": 1}}}}],
        "volumes": [
            {"name": "a", "emptyDir": {}}, {"name": "s", "secret": {"items": [{"key": "k"}]}},
            {"name": "p", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}, {"configMap": {"items": [{"key": "k"}]}}]}},
        ],
    }


def test_fields_that_the_stored_pod_uses_stay() -> None:
    spec = copy.deepcopy(FULL)
    drop_disabled(spec, FULL)
    assert spec == FULL


def test_a_feature_can_be_turned_on() -> None:
    spec: Object = {"schedulingGroup": {"podGroupName": "g"}, "evictionResponders": []}
    drop_disabled(spec, {}, frozenset([GENERIC_WORKLOAD]))
    assert spec == {"schedulingGroup": {"podGroupName": "g"}}


def test_a_plain_spec_stays_as_it_is() -> None:
    spec: Object = {"containers": [{"name": "c", "lifecycle": {}}], "volumes": [{"name": "v", "secret": None}]}
    drop_disabled(spec)
    assert spec == {"containers": [{"name": "c", "lifecycle": {}}], "volumes": [{"name": "v", "secret": None}]}
