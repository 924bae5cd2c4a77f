"""Devices: which nodes can give a pod what its resource claims ask for, and which devices it gets.

    rows        slices of devices, classes, rules and claims as plain values; `ingest` reads them from bytes
    pools       what a node can use of which pool; capacity: what a request takes of a device that is shared
    allocator   which devices of a node satisfy claims: pure, on values alone
    devices     all of them as they are, and as this scheduler assumes them to become
    verdict     what every node is to wishes, kept up to date; failures: where it cannot be said, and why
    needs       a pod's claims looked up: what they need of a node, or why the pod has to wait whatever the node
    extended    extended resources that devices provide: what is asked of them for a pod
    reservation what claims are given along with the node, written before the pod is bound; results: in which form
    idle        what claims give back that a pod cannot use

Nodes that offer the same devices, and have the same ones taken, get the same answer, which is remembered: a cluster of equal nodes costs
one search. A pod without resource claims has None in its ask, and nothing here is called.

Thread: the scheduler's. Never: a clock, a connection, an API object as message.
"""
