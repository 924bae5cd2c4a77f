"""The job controller: pods until enough of them have succeeded, each finished pod counted once.

    tracked pods      carry the finalizer ``batch.kubernetes.io/job-tracking`` until they are counted, so that none can go uncounted
    uncounted pods    status.uncountedTerminatedPods has their uids between the write that takes note of them and the one that counts them

A look at a Job is a chain of pure decisions, each followed by what it wants written:

    judgement    what has become of the pods, and whether the Job has failed or succeeded by that
    scaling      pods to create, to remove (they do not count) or to end (they count as failed)
    tracking     `track`: the status that takes note of finished pods; then their finalizers go; `conclude`: the status that counts them
    reconciler   the thin part; it takes no look at a Job older than its last write

    pods, indexes, backoff, failure_policy    what the decisions read of pods, completion indexes, failures in time, and the rules for them
    orphans, ttl_after_finished               small controllers beside: tracked pods whose Job is gone; finished Jobs whose time is over

Guarantees
- A completion is counted once: uids, or indexes, are noted in one status write, under the resourceVersion of the Job they were read with.
- Never more active pods than `parallelism`, whatever is late or restarted (``pod_writes``).
- FailureTarget stands before Failed and SuccessCriteriaMet before Complete; the latter come when no pod is left that has not ended.

Thread: one event loop. Source: Kubernetes `pkg/controller/job`, KEP-2307, KEP-3329, KEP-3850, KEP-3939, KEP-3998.
"""
