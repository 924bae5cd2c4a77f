"""Whether quotas have room for an object, and what they state as used with it.

    hard pods 2, used pods 1; a pod comes -> used pods 2; another -> exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2

A quota is taken by its status: what the spec asks for holds once somebody counted.

Source: Kubernetes `apiserver/pkg/admission/plugin/resourcequota` (CheckRequest).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from kcore.machinery.kinds.requests import Amounts, add, amounts
from kcore.machinery.quantity import ZERO
from kcore.machinery.quota.scopes import scopes_of
from kcore.machinery.quota.usage import Evaluator

Json = Mapping[str, Any]


class Charge(NamedTuple):
    """What quotas say to an object.

    refusal  why it may not be; "" if it may
    used     of each quota that changes, by its place, what it uses then
    """

    refusal: str = ""
    used: Mapping[int, dict[str, str]] = {}


def charge(quotas: Sequence[Json], of: Evaluator, new: Json, old: Json | None, now: float) -> Charge:
    """Charge an object that comes, or grows from `old`, to all quotas that are about it."""
    concerned: list[int] = []
    for place, quota in enumerate(quotas):
        hard = (quota.get("status") or {}).get("hard") or {}
        if not concerns(quota, hard, of, new):
            continue
        names = frozenset(name for name in hard if of.speaks_of(name))
        name = quota["metadata"]["name"]
        if sentence := of.missing(names, new):
            return Charge(f"failed quota: {name}: {sentence}")
        if not names <= ((quota.get("status") or {}).get("used") or {}).keys():
            return Charge(f"status unknown for quota: {name}, resources: {','.join(sorted(names))}")
        concerned.append(place)
    if not concerned:
        return Charge()
    usage = of.usage(new, now)
    if negative := sorted(name for name, amount in usage.items() if amount.nano < 0):
        return Charge(f"quota usage is negative for resource(s): {','.join(negative)}")
    wanted = growth(usage, {} if old is None else of.usage(old, now))
    used: dict[int, dict[str, str]] = {}
    for place in concerned:
        refusal = take(quotas[place], wanted, used, place)
        if refusal:
            return Charge(refusal)
    return Charge("", used)


def concerns(quota: Json, names: Iterable[str], of: Evaluator, obj: Json) -> bool:
    """Say whether a quota that bounds these names is about an object."""
    return any(of.speaks_of(name) for name in names) and all(of.matches(scope, obj) for scope in scopes_of(quota))


def growth(usage: Amounts, before: Amounts) -> Amounts:
    """Return by what usage is more than before."""
    more = {name: amount - before.get(name, ZERO) for name, amount in usage.items()}
    return {name: amount for name, amount in more.items() if amount.nano > 0}


def take(quota: Json, wanted: Amounts, used: dict[int, dict[str, str]], place: int) -> str:
    """Enter what a quota uses with what is wanted, if it is more; Returns why that is not allowed, or ""."""
    state = quota["status"]
    hard, have = amounts(state.get("hard")), amounts(state.get("used"))
    asked = {name: amount for name, amount in wanted.items() if name in hard}
    if not asked:
        return ""
    total = dict(have)
    add(total, asked)
    over = sorted(name for name in asked if total[name] > hard[name])
    if over:
        name = quota["metadata"]["name"]
        texts = (f"{what}: {listed(which, over)}" for what, which in (("requested", asked), ("used", have), ("limited", hard)))
        return f"exceeded quota: {name}, {', '.join(texts)}"
    used[place] = {name: str(amount) for name, amount in total.items()}
    return ""


def listed(found: Amounts, names: list[str]) -> str:
    """Write amounts as `a=1,b=2`."""
    return ",".join(f"{name}={found[name]}" for name in names if name in found)


def measured(quota: Json, objects: Iterable[Json], of: Evaluator, now: float) -> Amounts:
    """Sum what objects use of what a quota bounds, those outside its scopes left out."""
    hard = ((quota.get("spec") or {}).get("hard") or {}).keys()
    bounded = [name for name in hard if of.speaks_of(name)]
    total = dict.fromkeys(bounded, ZERO)
    scopes = scopes_of(quota)
    for obj in objects if bounded else ():
        if all(of.matches(scope, obj) for scope in scopes):
            add(total, {name: amount for name, amount in of.usage(obj, now).items() if name in total})
    return total
