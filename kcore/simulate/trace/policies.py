"""Policies: what a scheduler is configured with in a replay, by a name, a file, or a plugin in Python.

    least-allocated                  one of `BUILT_IN`
    packing.yaml                     a KubeSchedulerConfiguration; pods of a trace are decided by its first profile
    my/plugins.py:Roomy              a plugin of one's own (`kcore.scheduler.extension`) in a file; or module:attribute, as in such a
    kcore...fragmentation:Fragmentation   configuration: it filters beside the default plugins, and is the only one that scores

A plugin whose class takes `devices` or `mix` is given the cluster's devices, and the kinds of pods of the workload with their numbers.
Devices are filtered by shares whatever a policy says, and pauses between attempts are left out: on virtual time nobody has to be spared.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from kcore.scheduler.configuration.arguments import VERSION
from kcore.scheduler.configuration.points import is_own
from kcore.scheduler.configuration.reading import KIND, Configuration, read
from kcore.simulate.trace.devices import Devices, DeviceShares

Document = Any

FRAGMENTATION: Final = "kcore.simulate.trace.fragmentation:Fragmentation"
STRATEGIES: Final = {"least-allocated": "LeastAllocated", "most-allocated": "MostAllocated"}
BUILT_IN: Final = ("default", *STRATEGIES, "fragmentation")
"""The policies that have a name: kube-scheduler's defaults; NodeResourcesFit alone, devices among its resources; `fragmentation`."""


class Policy(NamedTuple):
    """What is replayed under a title.

    built_in  one of BUILT_IN; or document: a KubeSchedulerConfiguration, as YAML is read
    plugin    or the module:attribute of a plugin that scores alone; folder: where its file lies
    """

    title: str
    built_in: str = ""
    document: Document = None
    plugin: str = ""
    folder: str = ""


def of_plugin(name: str, title: str = "") -> Policy:
    """Return the policy of a plugin: module:attribute, or the path of a file and its attribute, which is its title if it has no other."""
    module, _, attribute = name.rpartition(":")
    title = title or attribute
    if not module.endswith(".py"):
        return Policy(title, plugin=name)
    path = Path(module).resolve()
    return Policy(title, plugin=f"{path.stem}:{attribute}", folder=str(path.parent))


def configuration(policy: Policy, devices: Devices, given: Mapping[str, Any], preempts: bool = True) -> Configuration:
    """Return what a scheduler decides by under a policy; given: what plugins may be given beside the devices, by name.

    preempts  whether there may be pods of lower priority to preempt: where there are none, nobody looks for them

    Raises  ConfigurationError
    """
    if policy.folder and policy.folder not in sys.path:
        sys.path.insert(0, policy.folder)
    document = policy.document
    if policy.plugin:
        document = _scoring({"name": policy.plugin})
    elif policy.built_in:
        document = _built_in(policy.built_in, devices)
    found = read(_given(document, {"devices": devices, **given}))
    first, *_ = found.profiles
    filters, preemption = (*first.placed_filters, DeviceShares(devices)), first.preemption if preempts else None
    return Configuration((first._replace(placed_filters=filters, preemption=preemption),), 0.0, 0.0)


def _built_in(name: str, devices: Devices) -> Document:
    if name in STRATEGIES:
        resources = [{"name": each, "weight": 1} for each in ("cpu", "memory", devices.resource)]
        return _scoring({"name": "NodeResourcesFit"}, {"scoringStrategy": {"type": STRATEGIES[name], "resources": resources}})
    return _scoring({"name": FRAGMENTATION}) if name == "fragmentation" else {"apiVersion": VERSION, "kind": KIND}


def _scoring(plugin: Document, args: Document = None) -> Document:
    """Return the configuration in which a plugin scores alone."""
    points = {"score": {"disabled": [{"name": "*"}], "enabled": [plugin]}}
    if is_own(plugin["name"]):
        points["filter"] = {"enabled": [plugin]}
    profile = {"plugins": points, "pluginConfig": [{"name": plugin["name"], "args": args}] if args else []}
    return {"apiVersion": VERSION, "kind": KIND, "profiles": [profile]}


def _given(document: Document, given: Mapping[str, Any]) -> Document:
    """Return a configuration in which each plugin of one's own has those of its parameters that can be given; a wrong one as it is."""
    if not isinstance(document, dict) or not isinstance(document.get("profiles"), list):
        return document
    return {**document, "profiles": [_given_profile(each, given) if isinstance(each, dict) else each for each in document["profiles"]]}


def _given_profile(profile: Document, given: Mapping[str, Any]) -> Document:
    configured = [each for each in profile.get("pluginConfig") or () if isinstance(each, dict)]
    points = [each for each in (profile.get("plugins") or {}).values() if isinstance(each, dict)]
    enabled = [plugin.get("name") for each in points for plugin in each.get("enabled") or () if isinstance(plugin, dict)]
    args = {str(each.get("name")): each.get("args") or {} for each in configured}
    for name in dict.fromkeys(each for each in enabled if isinstance(each, str) and is_own(each)):
        wanted = {each: given[each] for each in _parameters(name) if each in given}
        if wanted:
            args[name] = wanted | args.get(name, {})
    return {**profile, "pluginConfig": [{"name": name, "args": each} for name, each in args.items()]}


def _parameters(name: str) -> tuple[str, ...]:
    """Return what a plugin's class takes; nothing where it cannot be loaded, which is told when it is."""
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
        return tuple(inspect.signature(found).parameters) if isinstance(found, type) else ()
    except (ImportError, AttributeError, ValueError):
        return ()
