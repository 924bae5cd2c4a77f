"""How much pods may do on their nodes, as labels of their namespace say: the Pod Security Standards.

    policy    levels and versions, from labels
    findings  what a check says of a pod, and the sentences of many
    baseline, restricted  the checks of each level, by version
    plugin    refuses pods, warns of pods and workloads, judges the labels

Nobody is exempt. The level `audit` has no effect until there is an audit log. Everything but `plugin` is pure.

Source: Kubernetes `pod-security-admission`, KEP-2579.
"""
