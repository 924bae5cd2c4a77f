"""Compare a scheduler's decision with a recorded one: the comparison of the tool that came with the recordings, as it came.

An answer has {"feasible": [node], "scores": {plugin: {node: int}}, "total": {node: int}, "chosen": node | None, "nominated": node | None,
"victims": ["namespace/name"], "reasons": {reason: count}, "message": text}. Only the fields that it has are compared. A plugin that an
answer or the recording leaves out counts as 0 on every node. When fewer than two nodes are feasible nothing was scored, so scores and
totals are not compared.
"""

from __future__ import annotations

from typing import Any

Scenario = dict[str, Any]
Answer = dict[str, Any]


def diff_scores(want: dict[str, dict[str, int]], got: dict[str, dict[str, int]], nodes: list[str]) -> list[str]:
    out: list[str] = []
    for plugin in sorted(set(want) | set(got)):
        w, g = want.get(plugin, {}), got.get(plugin, {})
        bad = [n for n in nodes if w.get(n, 0) != g.get(n, 0)]
        if bad:
            n = bad[0]
            out.append(f"{plugin}: {len(bad)} of {len(nodes)} nodes differ, e.g. {n}: want {w.get(n, 0)} got {g.get(n, 0)}")
    return out


def compare(sc: Scenario, ans: Answer | None) -> dict[str, str]:
    """Return check -> "" when equal, else what differs. Checks that do not apply are absent."""
    want = sc["result"]
    if ans is None:
        return dict.fromkeys(("feasible", "choice"), "no answer")
    out: dict[str, str] = {}
    feasible = sorted(want["feasible"])
    if "feasible" in ans and want["attempted"]:
        got = sorted(ans["feasible"] or [])
        extra, missing = sorted(set(got) - set(feasible)), sorted(set(feasible) - set(got))
        out["feasible"] = "" if got == feasible else f"not feasible but given: {extra[:5]}; missing: {missing[:5]}"
    if want["total"]:
        if ans.get("scores") is not None:
            out["scores"] = "; ".join(diff_scores(want["scores"], ans["scores"], feasible))
        if ans.get("total") is not None:
            bad = [n for n in feasible if ans["total"].get(n) != want["total"][n]]
            out["total"] = f"{len(bad)} differ, e.g. {bad[0]}: want {want['total'][bad[0]]} got {ans['total'].get(bad[0])}" if bad else ""
    if "chosen" in ans:
        chosen = ans["chosen"]
        ok = chosen in want["best"] if want["best"] else not chosen
        out["choice"] = "" if ok else f"chose {chosen}, best are {want['best'][:5]}"
    if ("victims" in ans or "nominated" in ans) and want["bound"] is None:
        allowed = [{"nominated": want["nominated"], "victims": want["victims"]}, *want.get("preemptionAlternatives", [])]
        nominated, victims = ans.get("nominated") or None, sorted(ans.get("victims") or [])
        ok = any(
            (a["nominated"] == nominated or "nominated" not in ans) and (sorted(a["victims"]) == victims or "victims" not in ans)
            for a in allowed
        )
        out["preemption"] = "" if ok else f"nominated {nominated} victims {victims}, want one of {allowed[:3]}"
    if want["bound"] is None and want["attempted"]:
        if ans.get("reasons") is not None:
            out["reasons"] = "" if ans["reasons"] == want.get("reasons") else f"want {want.get('reasons')} got {ans['reasons']}"
        if ans.get("message") is not None and not want.get("preemptionAlternatives"):
            out["message"] = "" if ans["message"] == want["message"] else f"want {want['message']!r} got {ans['message']!r}"
    return out
