"""The objects of flow control that must be as they are: the server could not do without them.

Source: Kubernetes apiserver `pkg/apis/flowcontrol/bootstrap/default.go`.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_ALL_REQUESTS: Final = {
    "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "clusterScope": True, "namespaces": ["*"]}],
    "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
}


def _groups(*names: str) -> list[dict[str, Any]]:
    return [{"kind": "Group", "group": {"name": name}} for name in names]


FLOW_SCHEMAS: Final[Mapping[str, dict[str, Any]]] = {
    "exempt": {
        "priorityLevelConfiguration": {"name": "exempt"}, "matchingPrecedence": 1,
        "rules": [{"subjects": _groups("system:masters"), **_ALL_REQUESTS}],
    },
    "catch-all": {
        "priorityLevelConfiguration": {"name": "catch-all"}, "matchingPrecedence": 10000, "distinguisherMethod": {"type": "ByUser"},
        "rules": [{"subjects": _groups("system:unauthenticated", "system:authenticated"), **_ALL_REQUESTS}],
    },
}
PRIORITY_LEVELS: Final[Mapping[str, dict[str, Any]]] = {
    "exempt": {"type": "Exempt"},
    "catch-all": {
        "type": "Limited", "limited": {"nominalConcurrencyShares": 5, "limitResponse": {"type": "Reject"}, "lendablePercent": 0},
    },
}
