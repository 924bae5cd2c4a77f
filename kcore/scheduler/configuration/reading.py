"""The file -> `Configuration`.

    profiles:
    - schedulerName: default-scheduler
    - schedulerName: packing
      pluginConfig:
      - name: NodeResourcesFit
        args: {scoringStrategy: {type: MostAllocated, resources: [{name: cpu, weight: 1}]}}
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from kcore.base.features import NO_FEATURES, Features
from kcore.base.limits import SCHEDULER_BACKOFF_S, SCHEDULER_BACKOFF_S_MAX
from kcore.machinery import field_error as fe
from kcore.machinery.field_error import FieldError
from kcore.scheduler.configuration.arguments import MAKERS, VERSION, bind_timeout_s, default_preemption
from kcore.scheduler.configuration.fields import Fields, Problems
from kcore.scheduler.configuration.points import DEFAULTS, Enabled, PluginSet, at_point, is_own, read_plugins
from kcore.scheduler.extension.loading import load
from kcore.scheduler.profile import DEFAULT, DEFAULT_NAME, Profile

KIND: Final = "KubeSchedulerConfiguration"
_NO_EFFECT: Final = (
    "parallelism", "leaderElection", "clientConnection", "enableProfiling", "enableContentionProfiling", "delayCacheUntilActive",
    "healthzBindAddress", "metricsBindAddress",
)  # fmt: skip
_PERCENTAGE: Final = "not in valid range [0-100]"
_SECONDS_MAX: Final = (1 << 31) - 1


class ConfigurationError(ValueError):
    """A file is wrong; `problems` tells of each thing that is."""

    def __init__(self, problems: Iterable[FieldError]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problem.message() for problem in self.problems))


class Configuration(NamedTuple):
    """What a scheduler decides by.

    profiles       by the schedulerName of pods
    backoff_s      the pause after a pod's first failed attempt, and the longest one
    features       those that are on; no file says so
    """

    profiles: tuple[Profile, ...] = (DEFAULT,)
    backoff_s: float = SCHEDULER_BACKOFF_S
    backoff_s_max: float = SCHEDULER_BACKOFF_S_MAX
    features: Features = NO_FEATURES


def read(document: Any) -> Configuration:
    """Read a configuration from what its YAML or JSON says.

    Raises  ConfigurationError
    """
    problems: Problems = []
    given = Fields(document, "", problems)
    if document is None:
        problems.append(fe.required("kind", f"must be {KIND}"))
    for name, wanted in (("apiVersion", VERSION), ("kind", KIND)):
        found = given.text(name)
        if found != wanted:
            problems.append(fe.not_supported(name, found, (wanted,)))
    if given.items("extenders"):
        problems.append(fe.forbidden("extenders", "there are no extenders; a plugin of your own is named module:attribute"))
    given.integer("parallelism", 16, 1, None, "should be an integer value greater than zero")
    given.pass_over(*_NO_EFFECT)
    percentage = given.integer("percentageOfNodesToScore", 0, 0, 100, _PERCENTAGE)
    first = given.integer("podInitialBackoffSeconds", int(SCHEDULER_BACKOFF_S), 1, _SECONDS_MAX, "must be greater than 0")
    rule = "must be greater than or equal to PodInitialBackoffSeconds"
    last = given.integer("podMaxBackoffSeconds", max(int(SCHEDULER_BACKOFF_S_MAX), first), first, _SECONDS_MAX, rule)
    profiles = tuple(_profile(each, percentage) for each in given.objects("profiles")) or (_sampling(DEFAULT, percentage),)
    _check_names(profiles, problems)
    given.close()
    if problems:
        raise ConfigurationError(problems)
    return Configuration(profiles, float(first), float(last))


def _check_names(profiles: tuple[Profile, ...], problems: Problems) -> None:
    names = [profile.name for profile in profiles]
    for index, name in enumerate(names):
        if name in names[:index]:
            problems.append(fe.duplicate(f"profiles[{index}].schedulerName", name))


def _sampling(profile: Profile, percentage: int) -> Profile:
    return profile._replace(percentage=percentage % 100)


def _profile(given: Fields, percentage: int) -> Profile:
    name = given.text("schedulerName", DEFAULT_NAME)
    if not name:
        given.problems.append(fe.required(given.at("schedulerName")))
    percentage = given.integer("percentageOfNodesToScore", percentage, 0, 100, _PERCENTAGE)
    sets = read_plugins(given.object("plugins"))
    args = _plugin_config(given)
    nothing = Fields(None, "", given.problems)
    preemption = default_preemption(args.get("DefaultPreemption", nothing))
    timeout_s = bind_timeout_s(args.get("VolumeBinding", nothing))
    filters, scores = at_point(sets, "filter"), at_point(sets, "score")
    named = dict.fromkeys((*(each.name for each in (*filters, *scores)), *args))
    made = {each: _instances(each, args.get(each), given) for each in named}
    _check_points(sets, name, given)
    given.close()
    preempts = any(each.name == "DefaultPreemption" for each in at_point(sets, "postFilter"))
    plugins = _sampling(_assembled(name, filters, scores, made), percentage)
    return plugins._replace(preemption=preemption if preempts else None, bind_timeout_s=float(timeout_s))


def _plugin_config(given: Fields) -> dict[str, Fields]:
    found: dict[str, Fields] = {}
    for each in given.objects("pluginConfig"):
        name = each.text("name")
        if name in found:
            each.problems.append(fe.duplicate(each.path, name))
        elif not is_own(name) and name not in DEFAULTS:
            each.problems.append(fe.invalid(each.at("name"), name, "there is no such plugin"))
        args = found[name] = each.object("args")
        if not is_own(name):
            kind = f"{name}Args"
            args.text("kind", kind, (kind,))
            args.text("apiVersion", VERSION, (VERSION,))
        each.close()
    return found


def _instances(name: str, args: Fields | None, given: Fields) -> tuple[Any, ...]:
    """Return what a plugin consists of; a default one without arguments of its own is the one that everybody shares."""
    if is_own(name):
        return load(name, args or Fields(None, given.at("plugins"), given.problems))
    if args is not None and name in MAKERS:
        made = MAKERS[name](args)
        args.close()
        return made
    if args is not None:
        args.close()
    scores = (plugin for plugin, _ in (*DEFAULT.node_scores, *DEFAULT.placed_scores, *DEFAULT.peer_scores))
    everyone = (*DEFAULT.node_filters, *DEFAULT.placed_filters, *DEFAULT.peer_filters, *DEFAULT.late_filters, *scores)
    found: list[Any] = [*everyone]
    return tuple(dict.fromkeys(plugin for plugin in found if plugin.name == name))


def _check_points(sets: Mapping[str, PluginSet], name: str, given: Fields) -> None:
    for point, words in (("queueSort", "queue sort"), ("bind", "bind")):
        if not at_point(sets, point):
            sentence = f"at least one {words} plugin needs to be enabled for profile with scheduler name {fe.quote(name)}"
            given.problems.append(fe.invalid(given.at("plugins"), fe.OMITTED, sentence))


def _assembled(name: str, filters: list[Enabled], scores: list[Enabled], made: Mapping[str, tuple[Any, ...]]) -> Profile:
    """Put a profile together: which kind a plugin is of, its methods tell."""
    filtering = [plugin for each in filters for plugin in made[each.name]]
    late = {plugin.name for plugin in DEFAULT.late_filters}
    scoring = [(plugin, each.weight) for each in scores for plugin in made[each.name]]
    return Profile(
        name=name,
        node_filters=tuple(plugin for plugin in filtering if hasattr(plugin, "mask")),
        placed_filters=tuple(plugin for plugin in filtering if hasattr(plugin, "codes") and plugin.name not in late),
        node_scores=tuple((plugin, weight) for plugin, weight in scoring if hasattr(plugin, "raw")),
        placed_scores=tuple((plugin, weight) for plugin, weight in scoring if hasattr(plugin, "score")),
        peer_filters=tuple(plugin for plugin in filtering if hasattr(plugin, "verdicts")),
        peer_scores=tuple((plugin, weight) for plugin, weight in scoring if hasattr(plugin, "scores")),
        late_filters=tuple(plugin for plugin in filtering if hasattr(plugin, "codes") and plugin.name in late),
    )
