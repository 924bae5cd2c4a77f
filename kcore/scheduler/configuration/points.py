"""Which plugins a profile has at an extension point: the default ones, without those that are disabled, with those that are enabled.

    multiPoint: {disabled: [{name: ImageLocality}], enabled: [{name: NodeAffinity, weight: 9}]}
    score:      {disabled: [{name: "*"}], enabled: [{name: NodeResourcesFit, weight: 5}]}

A plugin of `multiPoint` is at every point that it extends. What a single point says goes before: its enabled plugins keep their weights
there, its disabled ones are not there, "*" being all. The default plugins are as if listed first under `multiPoint`.

Source: kube-scheduler 1.37, default plugins and the expansion of multiPoint.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from kcore.machinery import field_error as fe
from kcore.scheduler.configuration.fields import Fields

MULTI_POINT: Final = "multiPoint"
POINTS: Final = (
    "preEnqueue", "queueSort", "preFilter", "filter", "postFilter", "preScore", "score", "reserve", "permit", "preBind", "bind", "postBind",
    "placementGenerate", "placementScore", "placementFeasible", "podGroupPostFilter",
)  # fmt: skip
"""The extension points of a profile; kcore itself looks at filter, postFilter and score, and that something sorts and binds."""

_FILTER: Final = ("preFilter", "filter")
_FILTER_SCORE: Final = (*_FILTER, "preScore", "score")
DEFAULTS: Final[dict[str, tuple[int, tuple[str, ...]]]] = {
    "SchedulingGates": (0, ("preEnqueue",)),
    "PrioritySort": (0, ("queueSort",)),
    "NodeUnschedulable": (0, ("filter",)),
    "NodeName": (0, ("filter",)),
    "TaintToleration": (3, ("filter", "preScore", "score")),
    "NodeAffinity": (2, _FILTER_SCORE),
    "NodePorts": (0, _FILTER),
    "NodeResourcesFit": (1, _FILTER_SCORE),
    "VolumeRestrictions": (0, _FILTER),
    "NodeVolumeLimits": (0, _FILTER),
    "VolumeBinding": (1, (*_FILTER_SCORE, "reserve", "preBind")),
    "VolumeZone": (0, _FILTER),
    "PodTopologySpread": (2, _FILTER_SCORE),
    "InterPodAffinity": (2, _FILTER_SCORE),
    "DynamicResources": (2, ("preEnqueue", *_FILTER, "postFilter", "score", "reserve", "preBind")),
    "DefaultPreemption": (0, ("preEnqueue", "postFilter", "podGroupPostFilter")),
    "NodeResourcesBalancedAllocation": (1, ("preScore", "score")),
    "ImageLocality": (1, ("score",)),
    "DefaultBinder": (0, ("bind",)),
    "GangScheduling": (0, ("preEnqueue", "permit", "placementFeasible")),
}
"""The plugins of the default profile in their order: weight, and the points that each extends."""

OWN_POINTS: Final = ("filter", "score")
"""What a plugin of one's own may extend; its name is module:attribute."""


class Enabled(NamedTuple):
    """A plugin at a point; weight 0 stands for none given."""

    name: str
    weight: int = 0


class PluginSet(NamedTuple):
    """What a profile says of one point."""

    enabled: tuple[Enabled, ...] = ()
    disabled: frozenset[str] = frozenset()

    def disables(self, name: str) -> bool:
        """Say whether a plugin is taken away."""
        return name in self.disabled or "*" in self.disabled


def is_own(name: str) -> bool:
    """Say whether a name is that of a plugin of one's own."""
    return ":" in name


def extended(name: str) -> tuple[str, ...]:
    """Return the points that a plugin may extend."""
    return OWN_POINTS if is_own(name) else DEFAULTS[name][1]


def read_plugins(plugins: Fields) -> dict[str, PluginSet]:
    """Read `plugins` of a profile."""
    found = {point: _read_set(plugins.object(point), point) for point in (MULTI_POINT, *POINTS)}
    plugins.close()
    return found


def _read_set(given: Fields, point: str) -> PluginSet:
    enabled: list[Enabled] = []
    for plugin in given.objects("enabled"):
        name = plugin.text("name")
        weight = plugin.integer("weight", 0, 0, (1 << 31) - 1, "must be between 0 and 2147483647")
        plugin.close()
        if _is_known(name, point, plugin):
            if any(each.name == name for each in enabled):
                given.problems.append(fe.duplicate(plugin.at("name"), name))
            enabled.append(Enabled(name, weight))
    disabled = set()
    for plugin in given.objects("disabled"):
        name = plugin.text("name")
        plugin.pass_over("weight")
        plugin.close()
        if name == "*" or _is_known(name, point, plugin):
            disabled.add(name)
    given.close()
    return PluginSet(tuple(enabled), frozenset(disabled))


def _is_known(name: str, point: str, plugin: Fields) -> bool:
    if not name:
        plugin.problems.append(fe.required(plugin.at("name"), "a plugin has a name"))
    elif not is_own(name) and name not in DEFAULTS:
        known = ", ".join(sorted(DEFAULTS))
        plugin.problems.append(fe.invalid(plugin.at("name"), name, f"there is no such plugin; there are {known}, and module:attribute"))
    elif point != MULTI_POINT and point not in extended(name):
        plugin.problems.append(fe.invalid(plugin.at("name"), name, f"does not extend {point}, but {', '.join(extended(name))}"))
    else:
        return True
    return False


def at_point(sets: Mapping[str, PluginSet], point: str) -> list[Enabled]:
    """Return the plugins of a point in their order, with their weights."""
    own, everywhere = sets[point], _everywhere(sets[MULTI_POINT])
    names = {each.name for each in everywhere}
    explicit = {each.name for each in own.enabled}
    first = [each for each in own.enabled if each.name in names]
    middle = [
        each for each in everywhere if point in extended(each.name) and each.name not in explicit and not own.disables(each.name)
    ]
    last = [each for each in own.enabled if each.name not in names]
    return [Enabled(each.name, each.weight or 1) for each in (*first, *middle, *last)]


def _everywhere(given: PluginSet) -> list[Enabled]:
    """Return the plugins of `multiPoint`: the default ones in their places, then others, and those that were taken away first."""
    changed = {each.name: each for each in given.enabled}
    kept = [(name, weight) for name, (weight, _) in DEFAULTS.items() if not given.disables(name)]
    found = [changed.pop(name, Enabled(name, weight)) for name, weight in kept]
    return [*found, *changed.values()]
