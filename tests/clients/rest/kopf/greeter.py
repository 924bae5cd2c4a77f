"""An operator with kopf, of a kind that is built in: it greets whom a ConfigMap with the label `greet` names.

KUBECONFIG=... kopf run --standalone --namespace NAMESPACE greeter.py
"""

from typing import Any

import kopf

GREETED = {"labels": {"greet": kopf.PRESENT}}


@kopf.on.create("v1", "configmaps", **GREETED)
def greet(body: kopf.Body, patch: kopf.Patch, **_: Any) -> None:
    patch["data"] = {"greeting": f"hello, {body['data']['who']}"}
    kopf.event(body, type="Normal", reason="Greeted", message=f"said hello to {body['data']['who']}")
    print("created:", body["data"]["who"], flush=True)


@kopf.on.update("v1", "configmaps", field="data.who", **GREETED)
def greet_again(old: str, new: str, patch: kopf.Patch, **_: Any) -> None:
    patch["data"] = {"greeting": f"hello, {new}"}
    print("changed:", old, "to", new, flush=True)


@kopf.on.delete("v1", "configmaps", **GREETED)
def part(body: kopf.Body, **_: Any) -> None:
    print("deleted:", body["data"]["greeting"], flush=True)
