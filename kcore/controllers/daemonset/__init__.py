"""The daemonset controller: one pod on each node that a DaemonSet is for.

    eligibility       which nodes that are: what the template demands of a node, kept by node while nothing changes
    pods              a DaemonSet's pod: bound to its node by affinity, tolerating what is normal on nodes, labelled by revision
    placement         pods to create and delete so that each node has its one
    rolling_update    old pods to replace, within maxUnavailable or maxSurge
    counts            the status
    reconciler        the thin part, and the revisions of the template (``history``)

Guarantees
- Never two pods of one revision on a node, whatever is late or restarted (``pod_writes``); a second one only of a newer revision, to surge.
- What happens on one node is compared with what was known of that node; only where that makes a difference to a DaemonSet is it looked at,
  in one pass over its nodes and pods, paced by their number.

Thread: one event loop. Source: Kubernetes `pkg/controller/daemon`, KEP-1591.
"""
