"""The controllers: each looks at some objects and writes what is missing until the cluster is as its objects ask.

A controller is one module, or a package (`job`, `daemonset`): a pure `plan` (what was observed and the time in, actions out) and a thin
`reconcile(key)` that reads listers, asks `plan`, and applies what it answers. The frame is shared:

    controller, settings      a controller as a value: name, reconcile, sources of keys, workers; what the operator decides
    actions, ports            what plans consist of, and `apply`, which sends them, in bulk where they are many; what it needs for that
    pod_template, pod_writes  from a template to a pod; creations and deletions of pods, none of them doubled, on top of
    expectations, unsure      what was asked for and not seen yet; what was asked for and may have happened
    adoption, live            who controls whom: claims, adoption, release, and indexes of candidates; questions to the API server
    history                   ControllerRevisions: the templates that a workload had
    pod_state, conditions     what controllers read of a pod, and write into a status
    pace, resources           how often a large set is counted; the resources that controllers for all kinds work on
    manager                   the table of controllers, the informers they share, leader election, readiness

What is beside its controller: `pod_names` and `pod_ranking` (replicaset, which is replicationcontroller too), `rollout`, `progress` and
`revisions` (deployment), `stateful_plan`, `stateful_pods` and `stateful_claims` (statefulset), `owner_graph` (garbage_collector);
`namespace` is the plan of namespace_content.

Guarantees
- Level-based: a key says *look*. A change that was missed, repeated or combined makes no difference.
- Restarting at any moment never makes one pod too many: names of new pods follow from their owner and a free place (``pod_names``) or their
  ordinal, so that a create that is repeated, late or based on an old view is refused by the API server; and what a lost answer or a former
  process may have left under way is waited for and looked up before anything is created (``unsure``).
- An object is read and written with its uid or resourceVersion: a successor of the same name is never mistaken for it.
- No plan is quadratic in pods: whatever looks for pods goes through an index.

Thread: one event loop. Never: the API server other than through ``kcore.client``; a clock, a socket or randomness in a plan.
"""
