"""Volumes as the scheduler sees them: which nodes can reach a pod's volumes, and what has to be bound for it.

    asks        what a pod says of its volumes, and what that means now (`Needs`), as plain values
    rows        claims, volumes, classes ... as plain values; `ingest` reads them from bytes
    migration   disks of clouds that volumes name directly, as their drivers attach them
    catalog     all of them as they are, and as this scheduler assumes them to become
    pool        the free volumes of one class, and which of them each node would get
    usage       which claims, disks and attached volumes the placed pods of a node use
    needs       a pod's volumes looked up in the catalog: its needs, or why it has to wait whatever the node
    matching    the verdict on all nodes for claims that wait for their first consumer
    reservation what is decided of a pod's claims along with its node, written before the pod is bound

A pod that has no volumes to speak of has None in its ask, and nothing here is called. Needs hold no names: pods whose volumes mean the
same share the results of one evaluation, and needs that any change of the catalog could affect differ after it.

Thread: the scheduler's. Never: a clock, a connection, an API object as message.
"""
