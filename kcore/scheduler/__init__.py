"""The scheduler: picks a node for each pod as kube-scheduler's default profile does, and can say why.

    rows, requests, ingest     a pod and a node as plain values, read from their bytes
    columns, labels            the cluster as a structure of arrays, changed in place; `_kernels` are the compiled loops over it
    peers                      pods as other pods' wishes see them, counted per selector; `_peers` are the loops over topology values
    framework, profile         what a plugin is, and which ones there are: `plugins/`, one module each
    configuration, extension   profiles from a KubeSchedulerConfiguration; plugins of one's own
    evaluation                 an ask's results on all nodes, kept up to date as pods are placed; `_loads`, `_ranking` for runs
    volumes, dra, reserving    claims of volumes and of devices: what they need of a node, and what is written before the pod is bound
    cycle, diagnosis           one decision; why it is one. `snapshot` makes the columns for whoever asks what would be decided
    preemption                 who has to go for a pod that fits nowhere
    gangs                      pods that are scheduled together or not at all
    queue, cache, core         pods that wait, pods that are placed, and the whole as a machine without connections
    binding, scheduler         what goes to the API, and the loop that sends it; timing: what is told of attempts

Guarantees
- A decision is a pure function of the pod, the columns and a random number for ties.
- A run of pods with equal asks is decided as if one by one.
- What a decision costs grows with the nodes, not with the pods that are placed.
- The columns equal those built afresh from the same nodes and placed pods.
- Of a group of pods nothing is bound before as many as it needs have a node.

Thread: one; everything but `scheduler` is synchronous and brings no clock, chance or connection of its own.
Never: an API object as dict or message, the store, another part's modules.
"""
