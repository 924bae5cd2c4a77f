"""kcore's answers in the form in which recordings of Kubernetes are compared.

`decide` answers one scenario of recorded scheduling decisions: a cluster, one pending pod, what the scheduler does with it. `encode` and
`decode` are the codec with its envelope, for recorded pairs of an object's JSON and its bytes.
"""
from __future__ import annotations

from typing import Any

from kcore.base.entropy import SeededEntropy
from kcore.machinery import codec, scheme
from kcore.scheduler.core import SCHEDULER_NAME
from kcore.scheduler.cycle import explain, schedule
from kcore.scheduler.evaluation import Evaluations
from kcore.scheduler.ingest import pod_row
from kcore.scheduler.snapshot import snapshot

Scenario = dict[str, Any]
Answer = dict[str, Any]


def decide(scenario: Scenario) -> Answer:
    """Decide one scenario.

    Returns  what a recording is compared by; scores are weighted, reasons counted over nodes. A pod that is not tried has no node alone
    """
    pod = pod_row(wire(scenario["pod"]))
    if pod.scheduler_name != SCHEDULER_NAME or pod.gates:
        return {"chosen": None, "nominated": None, "victims": []}
    pods = (*scenario["pods"], *scenario.get("nominatedPods", ()))
    others = ((each["kind"], wire(each)) for each in scenario["objects"])
    columns, preemptor = snapshot(map(wire, scenario["nodes"]), map(wire, pods), others)
    decision = schedule(pod, columns, Evaluations(), SeededEntropy(scenario["id"]).randrange, preemptor)
    explanation = explain(pod, columns)
    preemption = decision.preemption
    return {
        "feasible": list(explanation.feasible),
        "scores": explanation.scores,
        "total": explanation.totals,
        "chosen": decision.node,
        "reasons": decision.reasons,
        "message": decision.message,
        "unschedulablePlugins": list(decision.rejected_by),
        "nominated": preemption.node if preemption else None,
        "victims": [victim.key for victim in preemption.victims] if preemption else [],
    }


def encode(object_: dict[str, Any]) -> bytes:
    """Return the enveloped bytes of an object that says what it is.

    Raises  DecodeError
    """
    return codec.encode_object(object_, _message_of)


def decode(data: bytes) -> dict[str, Any]:
    """Return the object in an envelope.

    Raises  DecodeError
    """
    return codec.decode_object(data, _message_of)


def _message_of(api_version: str, kind: str) -> str | None:
    """Find a message; discovery documents of the oldest form name no version."""
    return scheme.load().message_of(api_version or "v1", kind)


def wire(object_: dict[str, Any]) -> bytes:
    """Return the bytes of an object as the scheduler follows it, without an envelope."""
    message = _message_of(object_.get("apiVersion", ""), object_["kind"])
    assert message is not None, f"there is no kind {object_['kind']}"
    return codec.encode(message, object_)
