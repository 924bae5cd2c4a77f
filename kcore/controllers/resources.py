"""The resources that controllers for all kinds work on."""

from __future__ import annotations

from kcore.base.features import NO_FEATURES, Features
from kcore.client import kinds
from kcore.client.kinds import Resource


def with_calls(*verbs: str, features: Features = NO_FEATURES) -> list[Resource]:
    """Return the resources, served with these features on, that have all these calls, in the order of discovery."""
    return [found for found in kinds.served(features) if _calls(found).issuperset(verbs)]


def _calls(resource: Resource) -> set[str]:
    """Return the verbs for which a resource has an RPC of its own."""
    return {verb for verb, subresource in resource.rpcs().values() if not subresource}
