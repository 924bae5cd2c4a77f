"""KubeSchedulerConfiguration: which profile a file means, and what is said of a wrong one."""

from typing import Any

import pytest

from kcore.base.clock import VirtualClock
from kcore.base.entropy import SeededEntropy
from kcore.scheduler.configuration.reading import ConfigurationError, read
from kcore.scheduler.core import Core
from kcore.scheduler.cycle import explain, schedule
from kcore.scheduler.evaluation import Evaluations
from kcore.scheduler.plugins.pod_topology_spread import NOTHING
from kcore.scheduler.profile import DEFAULT, PreemptionArgs, Profile
from kcore.scheduler.rows import Ask, Spread
from kcore.scheduler.snapshot import snapshot
from tests.unit.scheduler.pods import node, node_bytes, pod, pod_bytes

HEAD = {"apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration"}


def profile_of(**given: Any) -> Profile:
    return read({**HEAD, "profiles": [given]}).profiles[0]


def with_args(name: str, **args: Any) -> Profile:
    return profile_of(pluginConfig=[{"name": name, "args": args}])


def balanced(*resources: str) -> Profile:
    return with_args("NodeResourcesBalancedAllocation", resources=[{"name": name, "weight": 1} for name in resources])


def problems_of(document: dict[str, Any]) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        read({**HEAD, **document})
    return [problem.message() for problem in caught.value.problems]


def names(plugins: Any) -> list[str]:
    return [plugin.name for plugin in plugins]


def scores(profile: Profile) -> dict[str, int]:
    return {plugin.name: weight for plugin, weight in (*profile.node_scores, *profile.placed_scores, *profile.peer_scores)}


def totals(profile: Profile, ask: Ask, *nodes: Any) -> dict[str, dict[str, int]]:
    core = Core(VirtualClock(), SeededEntropy(1))
    for each in nodes:
        core.node_changed(each)
    return explain(pod("a", ask), core.columns, profile).normalised


def test_a_file_that_says_nothing_is_the_default_profile() -> None:
    found = read(HEAD)
    assert found.profiles == (DEFAULT,)
    assert (found.backoff_s, found.backoff_s_max) == (1.0, 10.0)


def test_an_empty_profile_has_the_default_plugins_with_their_weights() -> None:
    found = profile_of(schedulerName="mine")
    assert found == DEFAULT._replace(name="mine", node_filters=found.node_filters)
    assert set(names(found.node_filters)) == set(names(DEFAULT.node_filters))
    assert scores(found) == scores(DEFAULT)


def test_a_plugin_is_disabled_everywhere_or_at_one_point() -> None:
    everywhere = profile_of(plugins={"multiPoint": {"disabled": [{"name": "TaintToleration"}]}})
    assert "TaintToleration" not in names(everywhere.node_filters)
    assert "TaintToleration" not in scores(everywhere)
    scoring = profile_of(plugins={"score": {"disabled": [{"name": "TaintToleration"}]}})
    assert "TaintToleration" in names(scoring.node_filters)
    assert "TaintToleration" not in scores(scoring)


def test_all_scores_are_replaced_by_one() -> None:
    found = profile_of(plugins={"score": {"disabled": [{"name": "*"}], "enabled": [{"name": "NodeAffinity", "weight": 7}]}})
    assert scores(found) == {"NodeAffinity": 7}
    assert names(found.placed_filters) == names(DEFAULT.placed_filters)


def test_weights_are_those_of_the_point_then_those_of_multi_point_and_one_where_none_is_given() -> None:
    found = profile_of(
        plugins={
            "multiPoint": {
                "enabled": [{"name": "NodeAffinity", "weight": 5}, {"name": "ImageLocality", "weight": 9}, {"name": "TaintToleration"}]
            },
            "score": {"enabled": [{"name": "ImageLocality", "weight": 4}]},
        }
    )
    assert scores(found) == {**scores(DEFAULT), "NodeAffinity": 5, "ImageLocality": 4, "TaintToleration": 1}


def test_everything_disabled_leaves_what_is_enabled_again() -> None:
    enabled = [{"name": "PrioritySort"}, {"name": "DefaultBinder"}, {"name": "NodeResourcesFit", "weight": 2}]
    found = profile_of(plugins={"multiPoint": {"disabled": [{"name": "*"}], "enabled": enabled}})
    assert (names(found.node_filters), names(found.placed_filters), found.peer_filters) == ([], ["NodeResourcesFit"], ())
    assert scores(found) == {"NodeResourcesFit": 2}
    assert found.preemption is None


def test_nobody_is_preempted_where_preemption_is_disabled() -> None:
    profile = profile_of(plugins={"postFilter": {"disabled": [{"name": "DefaultPreemption"}]}})
    core = Core(VirtualClock(), SeededEntropy(1), read({**HEAD, "profiles": [{"plugins": {"postFilter": {"disabled": [{"name": "*"}]}}}]}))
    assert profile.preemption is None
    core.node_changed(node("n0", cpu=500))
    core.pod_changed(pod("low", node="n0"))
    core.pod_changed(pod("high", priority=9))
    batch = core.decide(9)
    assert (batch.evictions, batch.waiting[0].decision.message) == ([], "0/1 nodes are available: 1 Insufficient cpu.")


def test_profiles_decide_side_by_side_for_the_pods_of_their_name() -> None:
    packing = {"scoringStrategy": {"type": "MostAllocated", "resources": [{"name": "cpu", "weight": 1}]}}
    configuration = read(
        {
            **HEAD,
            "profiles": [
                {"schedulerName": "default-scheduler"},
                {"schedulerName": "packing", "pluginConfig": [{"name": "NodeResourcesFit", "args": packing}]},
            ],
        }
    )
    core = Core(VirtualClock(), SeededEntropy(1), configuration)
    core.node_changed(node("empty"))
    core.node_changed(node("used"))
    core.pod_changed(pod("there", node="used"))
    core.pod_changed(pod("here", node="used"))
    core.pod_changed(pod("spread"))
    core.pod_changed(pod("packed", scheduler_name="packing"))
    core.pod_changed(pod("nobodys", scheduler_name="other"))
    assert {attempt.pod.name: attempt.decision.node for attempt in core.decide(9).assumed} == {"spread": "empty", "packed": "used"}


@pytest.mark.parametrize(
    ("strategy", "wanted"),
    [
        # 3,000 of 4,000 millicores and 2 of 8 GiB are taken with the pod.
        ({"type": "LeastAllocated"}, (25 + 75) // 2),
        ({"type": "MostAllocated"}, (75 + 25) // 2),
        ({"type": "MostAllocated", "resources": [{"name": "cpu", "weight": 3}, {"name": "memory"}]}, (3 * 75 + 25) // 4),
        ({"type": "MostAllocated", "resources": [{"name": "cpu"}, {"name": "example.com/gpu", "weight": 9}]}, 75),
        # A score of 0 does not count in the mean; 75 % lies between (50, 10) and (100, 0): 5, which counts tenfold.
        (
            {
                "type": "RequestedToCapacityRatio",
                "resources": [{"name": "cpu", "weight": 2}, {"name": "memory", "weight": 1}],
                "requestedToCapacityRatio": {
                    "shape": [{"utilization": 25, "score": 0}, {"utilization": 50, "score": 10}, {"utilization": 100}]
                },
            },
            50,
        ),
        (
            {
                "type": "RequestedToCapacityRatio",
                "requestedToCapacityRatio": {"shape": [{"utilization": 0, "score": 0}, {"utilization": 100, "score": 10}]},
            },
            50,
        ),
    ],
)
def test_nodes_are_scored_by_the_strategy(strategy: dict[str, Any], wanted: int) -> None:
    ask = Ask(amounts=(("cpu", 3000), ("memory", 2 << 30)), nonzero_cpu=3000, nonzero_memory=2 << 30)
    found = totals(with_args("NodeResourcesFit", scoringStrategy=strategy), ask, node("n0"), node("n1"))
    assert found["NodeResourcesFit"] == {"n0": wanted, "n1": wanted}


def test_balance_is_that_of_the_resources_named() -> None:
    gpu = node("n0")._replace(allocatable=(("cpu", 4000), ("example.com/gpu", 4), ("memory", 8 << 30)))
    ask = Ask(amounts=(("cpu", 2000), ("example.com/gpu", 2), ("memory", 0)), nonzero_cpu=2000)
    two = balanced("cpu", "example.com/gpu")
    assert totals(two, ask, gpu, gpu._replace(name="n1"))["NodeResourcesBalancedAllocation"] == {"n0": 75, "n1": 75}
    three = balanced("cpu", "memory", "example.com/gpu")
    # Shares of 1/2, 0 and 1/2 deviate by sqrt(2) / 6, so that 76 are left of 100: 50 + (50 - 24) / 2.
    assert totals(three, ask, gpu, gpu._replace(name="n1"))["NodeResourcesBalancedAllocation"] == {"n0": 63, "n1": 63}


def test_the_general_balance_is_the_compiled_one() -> None:
    columns, _ = snapshot([node_bytes("n0"), node_bytes("n1", cpu="7", memory="5Gi")], [pod_bytes({"nodeName": "n1"})])
    swapped = balanced("memory", "cpu")
    asked = pod("a", Ask(amounts=(("cpu", 1900), ("memory", 1 << 30))))
    found = [explain(asked, columns, profile).scores["NodeResourcesBalancedAllocation"] for profile in (DEFAULT, swapped)]
    assert found[0] == found[1]


def test_ignored_resources_are_not_compared() -> None:
    profile = with_args("NodeResourcesFit", ignoredResources=["example.com/gpu"], ignoredResourceGroups=["other.io"])
    core = Core(VirtualClock(), SeededEntropy(1))
    core.node_changed(node("n0"))
    ignored = pod("a", Ask(amounts=(("example.com/gpu", 1), ("other.io/thing", 1))))
    assert explain(ignored, core.columns, profile).feasible == ("n0",)
    assert explain(ignored, core.columns).feasible == ()
    assert explain(pod("a", Ask(amounts=(("third.io/thing", 1),))), core.columns, profile).feasible == ()


def test_added_affinity_holds_for_every_pod() -> None:
    term = {"matchExpressions": [{"key": "pool", "operator": "In", "values": ["batch"]}]}
    preferred = {"weight": 5, "preference": {"matchExpressions": [{"key": "disk", "operator": "Exists"}]}}
    added = {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]},
        "preferredDuringSchedulingIgnoredDuringExecution": [preferred],
    }
    profile = with_args("NodeAffinity", addedAffinity=added)
    core = Core(VirtualClock(), SeededEntropy(1))
    for each in (node("a", pool="batch"), node("b", pool="batch", disk="ssd"), node("c")):
        core.node_changed(each)
    found = explain(pod("a"), core.columns, profile)
    assert found.rejected["c"].reasons == ("node(s) didn't match scheduler-enforced node affinity",)
    assert found.normalised["NodeAffinity"] == {"a": 0, "b": 100}
    assert len(profile.wakers["NodeAffinity"]) == 2
    core.node_deleted("a")
    core.node_deleted("b")
    decision = schedule(pod("a"), core.columns, Evaluations(profile), SeededEntropy(1).randrange)
    assert decision.message == "0/1 nodes are available: 1 node(s) didn't match scheduler-enforced node affinity."
    assert decision.rejected_by == ("NodeAffinity",)


def test_arguments_reach_their_plugins() -> None:
    affinity = with_args("InterPodAffinity", hardPodAffinityWeight=7, ignorePreferredTermsOfExistingPods=True).peer_filters[1]
    assert vars(affinity) == {"_hard_weight": 7, "_ignore_preferred": True}
    constraint = {"maxSkew": 2, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
    spread = with_args("PodTopologySpread", defaultingType="List", defaultConstraints=[constraint]).peer_filters[0]
    assert vars(spread)["_defaults"] == (Spread("zone", 2, True, NOTHING),)
    assert not vars(spread)["_system"]
    assert with_args("VolumeBinding", bindTimeoutSeconds=7).bind_timeout_s == 7.0
    found = with_args("DefaultPreemption", minCandidateNodesPercentage=0, minCandidateNodesAbsolute=3)
    assert found.preemption == PreemptionArgs(0, 3)


def test_pauses_are_read() -> None:
    found = read({**HEAD, "podInitialBackoffSeconds": 2, "podMaxBackoffSeconds": 60, "percentageOfNodesToScore": 50, "parallelism": 4})
    assert (found.backoff_s, found.backoff_s_max) == (2.0, 60.0)


def test_what_upstream_reads_and_has_no_effect_is_taken() -> None:
    read({**HEAD, "leaderElection": {"leaderElect": False}, "clientConnection": {"qps": 5}, "enableProfiling": True})


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"apiVersion": "kubescheduler.config.k8s.io/v1beta3"}, "apiVersion: Unsupported value: \"kubescheduler.config.k8s.io/v1beta3\""),
        ({"percentageOfNodesToScore": 101}, "percentageOfNodesToScore: Invalid value: 101: not in valid range [0-100]"),
        ({"podInitialBackoffSeconds": 0}, "podInitialBackoffSeconds: Invalid value: 0: must be greater than 0"),
        ({"podMaxBackoffSeconds": "ten"}, "podMaxBackoffSeconds: Invalid value: \"ten\": must be an integer"),
        (
            {"podInitialBackoffSeconds": 5, "podMaxBackoffSeconds": 4},
            "podMaxBackoffSeconds: Invalid value: 4: must be greater than or equal to PodInitialBackoffSeconds",
        ),
        ({"profile": []}, "profile: Forbidden: unknown field; known are apiVersion, "),
        ({"profiles": {}}, "profiles: Invalid value: {}: must be a list"),
        ({"profiles": [{"schedulerName": ""}]}, "profiles[0].schedulerName: Required value"),
        ({"profiles": [{}, {}]}, "profiles[1].schedulerName: Duplicate value: \"default-scheduler\""),
        ({"extenders": [{"urlPrefix": "http://x"}]}, "extenders: Forbidden: there are no extenders"),
        (
            {"profiles": [{"plugins": {"score": {"enabled": [{"name": "Mine"}]}}}]},
            "profiles[0].plugins.score.enabled[0].name: Invalid value: \"Mine\": there is no such plugin; there are ",
        ),
        (
            {"profiles": [{"plugins": {"score": {"enabled": [{"name": "NodePorts"}]}}}]},
            "profiles[0].plugins.score.enabled[0].name: Invalid value: \"NodePorts\": does not extend score, but preFilter, filter",
        ),
        (
            {"profiles": [{"plugins": {"score": {"enabled": [{"name": "ImageLocality", "weight": -1}]}}}]},
            "profiles[0].plugins.score.enabled[0].weight: Invalid value: -1: must be between 0 and 2147483647",
        ),
        (
            {"profiles": [{"plugins": {"scores": {}}}]},
            "profiles[0].plugins.scores: Forbidden: unknown field; known are bind, filter, multiPoint, ",
        ),
        (
            {"profiles": [{"plugins": {"multiPoint": {"disabled": [{"name": "*"}]}}}]},
            "profiles[0].plugins: Invalid value: at least one queue sort plugin needs to be enabled for profile with scheduler name",
        ),
        ({"profiles": [{"pluginConfig": [{"name": "Mine"}]}]}, "profiles[0].pluginConfig[0].name: Invalid value: \"Mine\": there"),
    ],
)
def test_what_is_wrong_is_told_with_field_and_rule(document: dict[str, Any], problem: str) -> None:
    assert problems_of(document)[0].startswith(problem)


@pytest.mark.parametrize(
    ("name", "args", "problem"),
    [
        ("InterPodAffinity", {"hardPodAffinityWeight": 101}, "hardPodAffinityWeight: Invalid value: 101: not in valid range [0, 100]"),
        ("InterPodAffinity", {"hardWeight": 1}, "hardWeight: Forbidden: unknown field"),
        ("InterPodAffinity", {"kind": "NodeAffinityArgs"}, "kind: Unsupported value: \"NodeAffinityArgs\""),
        ("DefaultPreemption", {"minCandidateNodesPercentage": 101}, "minCandidateNodesPercentage: Invalid value: 101: not in valid range"),
        (
            "DefaultPreemption",
            {"minCandidateNodesPercentage": 0, "minCandidateNodesAbsolute": 0},
            "minCandidateNodesPercentage: Invalid value: 0: cannot be zero at the same time as minCandidateNodesAbsolute",
        ),
        ("VolumeBinding", {"bindTimeoutSeconds": -1}, "bindTimeoutSeconds: Invalid value: -1: should not be a negative value"),
        ("NodeResourcesFit", {"scoringStrategy": {"type": "Best"}}, "scoringStrategy.type: Unsupported value: \"Best\": supported"),
        (
            "NodeResourcesFit",
            {"scoringStrategy": {"resources": [{"name": "cpu", "weight": 101}]}},
            "scoringStrategy.resources[0].weight: Invalid value: 101: resource weight of cpu not in valid range (0, 100]",
        ),
        (
            "NodeResourcesFit",
            {"scoringStrategy": {"type": "RequestedToCapacityRatio"}},
            "scoringStrategy.requestedToCapacityRatio.shape: Required value: at least one point must be specified",
        ),
        ("NodeResourcesFit", {"ignoredResourceGroups": ["a/b"]}, "ignoredResourceGroups[0]: Invalid value: \"a/b\": resource group"),
        ("NodeResourcesBalancedAllocation", {"resources": [{"name": "cpu", "weight": 2}]}, "resources[0].weight: Invalid value: 2: must"),
        ("PodTopologySpread", {"defaultingType": "Some"}, "defaultingType: Unsupported value: \"Some\": supported values: "),
        (
            "PodTopologySpread",
            {"defaultingType": "List", "defaultConstraints": [{"maxSkew": 0, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}]},
            "defaultConstraints[0].maxSkew: Invalid value: 0: not in valid range (0, inf)",
        ),
        (
            "PodTopologySpread",
            {"defaultConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}]},
            "defaultingType: Invalid value: \"System\": when .defaultConstraints are not empty",
        ),
        (
            "NodeAffinity",
            {"addedAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}},
            "addedAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: ",
        ),
    ],
)
def test_wrong_arguments_are_told_with_field_and_rule(name: str, args: dict[str, Any], problem: str) -> None:
    found = problems_of({"profiles": [{"pluginConfig": [{"name": name, "args": args}]}]})
    assert found[0].startswith(f"profiles[0].pluginConfig[0].args.{problem}")
