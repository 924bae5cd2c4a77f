"""The default selector of a pod: what its Services and the workload that controls it select, taken together.

A pod without topology spread constraints is spread over nodes and zones with the pods of this selector. What a Service or workload selects
is all that is kept of it.

Source: kube-scheduler helper.DefaultSelector.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kcore.base.limits import SCHEDULER_TEMPLATES_MAX
from kcore.scheduler.peers.selectors import Anchored, Labels
from kcore.scheduler.rows import Expression, Owner, Peer

SERVICE: Final = "Service"

Expressions = tuple[Expression, ...]


class Owners:
    """Selectors of Services and workloads."""

    def __init__(self) -> None:
        self._services: dict[tuple[str, str], Mapping[str, str]] = {}
        self._by_label: dict[str, Anchored[str]] = {}
        self._workloads: dict[tuple[str, str, str], Expressions] = {}
        self._found: dict[tuple[str, Labels, Owner | None], Expressions] = {}

    def set_service(self, namespace: str, name: str, selector: Mapping[str, str] | None) -> None:
        """Take in a Service's selector; None or an empty one selects nothing."""
        old = self._services.pop((namespace, name), None)
        if selector:
            self._services[(namespace, name)] = selector
        if old == (selector or None):
            return
        self._found.clear()
        services = self._by_label.setdefault(namespace, Anchored())
        if old:
            services.remove(min(old.items()), name)
        if selector:
            services.add(min(selector.items()), name)
        if not services:
            del self._by_label[namespace]

    def set_workload(self, namespace: str, owner: Owner, selector: Expressions | None) -> None:
        """Take in a workload's selector; None where the workload is gone."""
        key = owner.kind, namespace, owner.name
        if self._workloads.get(key) == selector:
            return
        self._found.clear()
        if selector is None:
            del self._workloads[key]
        else:
            self._workloads[key] = selector

    def selector(self, peer: Peer, owner: Owner | None) -> Expressions:
        """Return the default selector of a pod; without any expression where nothing selects it."""
        if not self._services and not self._workloads:
            return ()
        key = peer.namespace, peer.labels, owner
        found = self._found.get(key)
        if found is None:
            if len(self._found) >= SCHEDULER_TEMPLATES_MAX:
                self._found.clear()
            found = self._found[key] = self._joined(peer, owner)
        return found

    def _joined(self, peer: Peer, owner: Owner | None) -> Expressions:
        merged: dict[str, str] = {}
        labels = set(peer.labels)
        services = self._by_label.get(peer.namespace)
        for name in sorted(services.candidates(peer.labels)) if services else ():
            selector = self._services[(peer.namespace, name)]
            if selector.items() <= labels:
                merged.update(selector)
        own = self._workloads.get((owner.kind, peer.namespace, owner.name), ()) if owner else ()
        return tuple(dict.fromkeys((*(Expression(key, "In", (value,)) for key, value in sorted(merged.items())), *own)))
