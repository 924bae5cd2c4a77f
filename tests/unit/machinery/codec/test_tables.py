"""Tables from descriptors: lazily, completely, and within the codec's bounds."""

from __future__ import annotations

import pytest

from kcore.machinery import codec
from kcore.machinery.codec import tables

MESSAGES = [name for name in tables.messages() if not name.startswith("kcore.api.dynamic.")]
"""All but requests that hold JSON as protobuf's own Struct: those are read by its library."""


def test_every_message_has_a_table() -> None:
    for name in MESSAGES:
        tables.table(name).describe()


def test_a_table_is_made_once_and_knows_its_names() -> None:
    pod = tables.table("kcore.api.core.v1.Pod")
    assert tables.table("kcore.api.core.v1.Pod") is pod
    assert pod.slot_names() == {"metadata", "spec", "status"}
    assert "configMap" in tables.table("kcore.api.core.v1.Volume").slot_names()


def test_a_message_that_does_not_exist_is_named() -> None:
    with pytest.raises(KeyError, match="Nope"):
        codec.decode("kcore.api.core.v1.Nope", b"")


def test_only_the_claims_of_a_statefulset_show_their_type_inside_of_another_object() -> None:
    typed = [
        (name, spec.name)
        for name in MESSAGES
        for spec in map(tables.FieldSpec._make, tables.table(name).describe())
        if spec.typed and not name.endswith(("Request", "Response"))
    ]
    assert typed == [("kcore.api.apps.v1.StatefulSetSpec", "volumeClaimTemplates")]
