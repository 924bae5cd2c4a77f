"""Names of types."""
import pytest

from kcore.machinery import gvk
from kcore.machinery.gvk import GroupKind, GroupResource, GroupVersionKind, GroupVersionResource


def test_the_core_group_has_no_name() -> None:
    assert GroupVersionKind("", "v1", "Pod").api_version == "v1"
    assert GroupVersionResource("apps", "v1", "deployments").api_version == "apps/v1"
    assert gvk.split_api_version("v1") == ("", "v1")
    assert gvk.split_api_version("apps/v1") == ("apps", "v1")
    assert (str(GroupKind("", "Pod")), str(GroupResource("apps", "deployments"))) == ("Pod", "deployments.apps")
    assert str(GroupVersionKind("", "v1", "Event")) == "/v1, Kind=Event"


def test_two_slashes_are_refused() -> None:
    with pytest.raises(ValueError, match="unexpected GroupVersion string: a/b/c"):
        gvk.split_api_version("a/b/c")


def test_an_object_says_what_it_is() -> None:
    found = gvk.from_object({"apiVersion": "apps/v1", "kind": "Deployment"})
    assert found == GroupVersionKind("apps", "v1", "Deployment")
    assert found.group_kind == GroupKind("apps", "Deployment")
    assert gvk.from_object({}) == GroupVersionKind("", "", "")
