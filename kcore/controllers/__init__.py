"""The controllers: each looks at some objects and writes what is missing until the cluster is as its objects ask.

A controller is one module: a pure `plan` (what was observed and the time in, actions out) and a thin `reconcile(key)` that reads listers,
asks `plan`, and applies what it answers. The frame is shared:

    controller      a controller as a value: name, reconcile, sources of keys, workers
    actions         what plans consist of, and `apply`, which sends them, in bulk where they are many
    ports           what a controller needs from outside
    expectations    what was asked for and not seen yet, so that nothing is asked for twice
    adoption        who controls whom: claims, adoption, release, and the indexes that find candidates
    pod_state       what controllers read of a pod
    manager         the table of controllers, the informers they share, leader election, readiness

Guarantees
- Level-based: a key says *look*. A change that was missed, repeated or combined makes no difference.
- Restarting at any moment never makes one pod too many: names of new pods follow from their owner and a free place
  (``replicaset.pod_names``), so that a create that is repeated, late or based on an old view is refused by the API server.
- An object is read and written with its uid or resourceVersion: a successor of the same name is never mistaken for it.
- No plan is quadratic in pods: whatever looks for pods goes through an index.

Thread: one event loop. Never: the API server other than through ``kcore.client``; a clock, a socket or randomness in a plan.
"""
