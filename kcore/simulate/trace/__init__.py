"""Traces: what a recorded or made-up workload would have met under other policies; nothing but a cluster in memory is touched.

    table          from tables to pods and nodes: which column is what, in which unit
    workload       pods in the order in which they come; arrivals that come faster, and as often as a load takes
    devices        devices and shares of them, as amounts of their own, and the filter that looks at each
    fragmentation  which part of free devices a workload cannot use; a policy that keeps it small, as an example
    policies       from a name, a file or a plugin to a scheduler's configuration
    replay         pods come and go on virtual time
    runs           policies and seeds side by side, in processes
    report, text, plots   what is told: as values, as a table, as a picture

Guarantees
- Decisions are those of `scheduler.core`.
- At no time does a node, or a device of one, hold more than it has; who goes gives back what it held.
- A replay follows from cluster, workload, policy and seed alone, whatever runs beside it.

Thread: one in each process.
Never: a clock, or a write to an API server.
"""
